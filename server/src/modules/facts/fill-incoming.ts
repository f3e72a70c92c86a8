import { runText, type Tx } from '../../platform/database.ts';
import { contentHash, lineKey, type LineDraft } from './line-draft.ts';

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
