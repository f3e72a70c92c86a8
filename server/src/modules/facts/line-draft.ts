import { createHash } from 'node:crypto';
import { runText, type Tx } from '../../platform/database.ts';
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

/** Puts drafts into pg_temp.incoming, counting occurrences of equal lines within this call. */
export async function fillIncoming(tx: Tx, drafts: readonly LineDraft[]): Promise<void> {
  const seen = new Map<string, number>();
  const rows = drafts.map((line, place) => {
    const hash = contentHash(line);
    const occurrence = (seen.get(`${line.number} ${hash}`) ?? 0) + 1;
    seen.set(`${line.number} ${hash}`, occurrence);
    return {
      place, number: line.number, kind: line.kind, occurred_on: line.occurredOn, occurred_at: line.occurredAt, hour: line.hour, base_number: line.baseNumber,
      base_line_key: line.baseLine === null ? null : `n:${line.baseLine}`, line_key: lineKey(line, hash, occurrence), content_hash: hash, product_code: line.productCode, product_name: line.productName,
      quantity_milli: String(line.quantityMilli), net_minor: String(line.netMinor), gross_minor: line.grossMinor === null ? null : String(line.grossMinor), currency: line.currency,
      original: line.original, buyer: line.buyer, seller: line.seller, rep: line.rep, shares: line.shares, channel: line.channel, attributes: line.attributes,
    };
  });
  await runText(tx, FILL, [JSON.stringify(rows)]);
}

const FILL = `
  INSERT INTO pg_temp.incoming (place, number, kind, occurred_on, occurred_at, hour, base_number, base_line_key, line_key, content_hash, product_code, product_name,
    quantity_milli, net_minor, gross_minor, currency, original, buyer, seller, rep, shares, channel, attributes)
  SELECT place, number, kind, occurred_on, occurred_at, hour, base_number, base_line_key, line_key, content_hash, product_code, product_name,
    quantity_milli, net_minor, gross_minor, currency, original, buyer, seller, rep, NULLIF(shares, 'null'::jsonb), channel, NULLIF(attributes, 'null'::jsonb)
  FROM jsonb_to_recordset($1::jsonb) AS r(place bigint, number text, kind text, occurred_on date, occurred_at timestamptz, hour smallint, base_number text, base_line_key text, line_key text,
    content_hash text, product_code text, product_name text, quantity_milli bigint, net_minor bigint, gross_minor bigint, currency text, original jsonb, buyer text, seller text, rep text,
    shares jsonb, channel text, attributes jsonb)`;
