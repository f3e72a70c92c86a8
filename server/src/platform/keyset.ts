import { sql, type RawBuilder } from 'kysely';

/** How columns of a list compare; a missing text is the empty one, a missing number the least. */
export type Sortable = Record<string, 'text' | 'number'>;
export type Keyset<Row> = { beyond: RawBuilder<boolean>; order: RawBuilder<unknown>; cursor(row: Row): string };

const BETWEEN = '\u001f';
const LEAST = '-9223372036854775808';

/**
 * A list in the order its reader asks for, by keys and not by counting, so that rows that come meanwhile neither repeat nor skip any. `listed` is the
 * alias of the rows, `key` a text that tells them apart, `sort` a column's name, with a minus downwards; a column that is not sortable is the key.
 * The cursor is the last row's value and key. One of somebody's own making finds another place to begin, and no error.
 */
export function keyset<Row extends Record<string, unknown>>(listed: string, key: string, columns: Sortable, page: { sort?: string | undefined; after?: string | undefined }): Keyset<Row> {
  const asked = (page.sort ?? key).replace(/^-/, '');
  const column = asked in columns ? asked : key;
  const isNumber = columns[column] === 'number';
  const down = page.sort?.startsWith('-') ?? false;
  const by = sql.raw(isNumber ? `COALESCE(${listed}.${column}, ${LEAST}::bigint)` : `COALESCE(${listed}.${column}, '')`);
  const last = sql.raw(`${listed}.${key}`);
  const at = page.after?.lastIndexOf(BETWEEN) ?? -1;
  const [value, place] = page.after === undefined ? [null, null] : at === -1 ? [column === key ? page.after : '', page.after] : [page.after.slice(0, at), page.after.slice(at + 1)];
  const from = isNumber ? sql`${/^-?\d{1,19}$/.test(value ?? '') ? value : LEAST}::numeric` : sql`${value}::text`;
  return {
    beyond: sql<boolean>`(${place}::text IS NULL OR (${by}, ${last}) ${sql.raw(down ? '<' : '>')} (${from}, ${place}::text))`,
    order: sql`${by} ${sql.raw(down ? 'DESC' : 'ASC')}, ${last} ${sql.raw(down ? 'DESC' : 'ASC')}`,
    cursor: (row) => (column === key ? String(row[key]) : `${row[column] ?? (isNumber ? LEAST : '')}${BETWEEN}${row[key]}`),
  };
}

/** What was found for a page and one more: the page, and the cursor of the next where there is one. */
export function paged<Row>(found: readonly Row[], limit: number, cursor: (row: Row) => string): { rows: Row[]; next: string | null } {
  const last = found[limit - 1];
  return { rows: found.slice(0, limit), next: found.length > limit && last !== undefined ? cursor(last) : null };
}
