import { createHash } from 'node:crypto';
import type { Day } from '@premia/kernel';

/** One line of a sales document as its source sent it, read and exact: minor units, thousandths, references 'code:…', 'nip:…'. */
export type LineDraft = {
  number: string;
  kind: 'sale' | 'return' | 'correction';
  occurredOn: Day;
  occurredAt: string | null;
  hour: number | null;
  baseNumber: string | null;
  baseLine: string | null;
  lineNo: string | null;
  productCode: string | null;
  productName: string | null;
  quantityMilli: bigint;
  netMinor: bigint;
  grossMinor: bigint | null;
  currency: string;
  original: { currency: string; netMinor: string; grossMinor: string | null; rate: string; rateOn: Day; origin: string } | null;
  buyer: string | null;
  seller: string | null;
  rep: string | null;
  shares: { ref: string; weight: string }[] | null;
  channel: string | null;
  attributes: Record<string, string> | null;
};

/**
 * What decides whether a line is the same: everything its source said of it but the document's own number, date and kind – its amounts as
 * sent, so that a line in a foreign currency is the same line at every rate.
 */
export function contentHash(line: LineDraft): string {
  const [net, gross] = line.original ? [BigInt(line.original.netMinor), line.original.grossMinor === null ? null : BigInt(line.original.grossMinor)] : [line.netMinor, line.grossMinor];
  const content = [line.productCode, line.quantityMilli, net, gross, null, line.buyer, line.seller, line.rep, line.shares, line.channel,
    line.attributes && Object.entries(line.attributes).sort(([a], [b]) => (a < b ? -1 : 1)), line.occurredAt, line.baseLine];
  return createHash('sha256').update(JSON.stringify(content, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).digest('base64url').slice(0, 32);
}

/** The key of a line within its document: its number, or its content and occurrence where the source numbers nothing. */
export const lineKey = (line: LineDraft, hash: string, occurrence: number): string => (line.lineNo === null ? `c:${hash}:${occurrence}` : `n:${line.lineNo}`);
