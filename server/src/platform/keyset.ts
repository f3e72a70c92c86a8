import { isDay } from '@premia/kernel';
import { sql, type RawBuilder } from 'kysely';

/** What a list can be sorted by: the SQL of it, how it compares, and under what name a row has it, where that is another. */
export type Sortable = Record<string, readonly [by: string, is: Kind, name?: string]>;
/** `word` and `day` are always there, so that the list goes along an index of theirs. */
type Kind = 'text' | 'word' | 'number' | 'day';
export type Keyset<Row> = { beyond: RawBuilder<boolean>; order: RawBuilder<unknown>; cursor(row: Row): string };

const BETWEEN = '\u001f';
const LEAST = '-9223372036854775808';
const orMissing = (by: string, is: Kind): string => (is === 'text' ? `COALESCE(${by}, '')` : is === 'number' ? `COALESCE(${by}, '${LEAST}'::bigint)` : by);

/** Columns of one alias. */
export const columnsOf = (alias: string, kinds: Record<string, Kind>): Sortable => Object.fromEntries(Object.entries(kinds).map(([name, is]) => [name, [`${alias}.${name}`, is]]));

/**
 * A list in the order its reader asks for, by keys and not by counting, so that rows that come meanwhile neither repeat nor skip any. `key` is the
 * column that tells rows apart; `sort` names a column, with a minus downwards, and one that is not there is the key. A missing text counts as
 * the empty one, a missing number as the least. The cursor is the last row's value and key; one of somebody's own making begins elsewhere, and is no error.
 */
export function keyset<Row extends Record<string, unknown>>(columns: Sortable, key: string, page: { sort?: string | undefined; after?: string | undefined }): Keyset<Row> {
  const asked = (page.sort ?? key).replace(/^-/, '');
  const column = Object.hasOwn(columns, asked) ? asked : key;
  const [[by, is, name = column], [last, lastIs, lastName = key]] = [columns[column], columns[key]] as [Sortable[string], Sortable[string]];
  const [down, own] = [page.sort?.startsWith('-') ?? false, column === key];
  const [than, direction] = [sql.raw(down ? '<' : '>'), sql.raw(down ? 'DESC' : 'ASC')];
  const at = page.after?.lastIndexOf(BETWEEN) ?? -1;
  const [value, place] = page.after === undefined ? [null, null] : at === -1 ? ['', page.after] : [page.after.slice(0, at), page.after.slice(at + 1)];
  const [first, second] = [sql.raw(orMissing(by, is)), sql.raw(last)];
  return {
    // By its own key a list goes along its index.
    beyond: own ? sql<boolean>`(${place}::text IS NULL OR ${second} ${than} ${given(place, lastIs)})` : sql<boolean>`(${place}::text IS NULL OR (${first}, ${second}) ${than} (${given(value, is)}, ${given(place, lastIs)}))`,
    order: own ? sql`${second} ${direction}` : sql`${first} ${direction}, ${second} ${direction}`,
    cursor: (row) => (own ? String(row[lastName]) : `${row[name] ?? (is === 'number' ? LEAST : '')}${BETWEEN}${row[lastName]}`),
  };
}

const given = (text: string | null, is: Kind): RawBuilder<unknown> => {
  if (is === 'number') return sql`${/^-?\d{1,18}$/.test(text ?? '') ? text : LEAST}::bigint`;
  return is === 'day' ? sql`${isDay(text ?? '') ? text : '-infinity'}::date` : sql`${text}::text`;
};

/** Any place in a text, as LIKE has it; null where nothing is looked for. */
export const likeOf = (search: string | undefined): string | null => (search === undefined ? null : `%${search.replace(/[\\%_]/g, '\\$&')}%`);

/** What was found for a page and one more: the page, and the cursor of the next where there is one. */
export function paged<Row>(found: readonly Row[], limit: number, cursor: (row: Row) => string): { rows: Row[]; next: string | null } {
  const last = found[limit - 1];
  return { rows: found.slice(0, limit), next: found.length > limit && last !== undefined ? cursor(last) : null };
}
