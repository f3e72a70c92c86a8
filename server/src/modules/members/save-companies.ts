import { sql } from 'kysely';
import { Refusal, must, phrase } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import { columnsOf, keyset, likeOf, paged } from '../../platform/keyset.ts';
import { normalizeVat } from './vat.ts';

/** A partner firm as an import names it: its code, its place in the tree, and the codes others know it by. */
export type CompanyDraft = { code: string; name: string; vat?: string; type?: string; parent?: string; codes?: Record<string, string> };
export type Company = { code: string; name: string; vat: string | null; type: string | null; parent: string | null; path: string[]; codes: Record<string, string>; members: number };
export const COMPANIES_PER_CALL_MAX = 10_000;

const refused = (index: number, field: string, code: string, pl: string, en: string): Refusal => new Refusal(code, 422, phrase('Nieprawidłowa firma.', 'Not a valid company.'), [{ pointer: `/${index}/${field}`, code, message: phrase(pl, en) }]);

/** Makes or changes companies. Parents may come in any order; a circle is refused with its path. A VAT number belongs to one company. */
export async function saveCompanies(tx: Tx, tenantId: bigint, drafts: readonly CompanyDraft[]): Promise<number> {
  if (drafts.length > COMPANIES_PER_CALL_MAX) throw new Refusal('too_many_companies', 413, phrase(`Najwyżej ${COMPANIES_PER_CALL_MAX} firm naraz.`, `At most ${COMPANIES_PER_CALL_MAX} companies at a time.`));
  const ids = new Map<string, bigint>();
  for (const [index, draft] of drafts.entries()) {
    const vat = draft.vat === undefined ? null : normalizeVat(draft.vat);
    if (draft.code.trim() === '') throw refused(index, 'code', 'company_malformed', 'brak kodu', 'the code is missing');
    if (draft.vat !== undefined && vat === null) throw refused(index, 'vat', 'vat_invalid', `nieprawidłowy NIP lub numer VAT UE „${draft.vat}”`, `not a valid NIP or EU VAT number: “${draft.vat}”`);
    const saved = must(await row<{ company_id: bigint }>(tx, sql`INSERT INTO members.company (tenant_id, code, name, vat, type) VALUES (${tenantId}, ${draft.code}, ${draft.name}, ${vat}, ${draft.type ?? null})
      ON CONFLICT (tenant_id, code) DO UPDATE SET name = excluded.name, vat = COALESCE(excluded.vat, members.company.vat), type = COALESCE(excluded.type, members.company.type) RETURNING company_id`), 'company');
    ids.set(draft.code, saved.company_id);
    for (const reference of [`code:${draft.code}`, ...(vat === null ? [] : [`vat:${vat}`]), ...Object.entries(draft.codes ?? {}).map(([system, code]) => `ext:${system}:${code}`)]) await claimKey(tx, tenantId, index, reference, saved.company_id);
  }
  for (const [index, draft] of drafts.entries()) if (draft.parent !== undefined) await putUnder(tx, index, ids.get(draft.code) as bigint, draft.parent);
  return drafts.length;
}

async function claimKey(tx: Tx, tenantId: bigint, index: number, reference: string, companyId: bigint): Promise<void> {
  await sql`INSERT INTO members.company_key (tenant_id, reference, company_id) VALUES (${tenantId}, ${reference}, ${companyId}) ON CONFLICT DO NOTHING`.execute(tx);
  const owner = await row<{ company_id: bigint }>(tx, sql`SELECT company_id FROM members.company_key WHERE reference = ${reference}`);
  if (owner?.company_id !== companyId) throw refused(index, 'code', 'company_key_taken', `„${reference}” należy już do innej firmy`, `“${reference}” belongs to another company already`);
}

async function putUnder(tx: Tx, index: number, companyId: bigint, parent: string): Promise<void> {
  if (parent === '') { await sql`UPDATE members.company SET parent_id = NULL WHERE company_id = ${companyId}`.execute(tx); return; }
  const above = await row<{ company_id: bigint }>(tx, sql`SELECT company_id FROM members.company_key WHERE reference = ${`code:${parent}`}`);
  if (!above) throw refused(index, 'parent', 'company_not_found', `nie ma firmy „${parent}”`, `there is no company “${parent}”`);
  await sql`UPDATE members.company SET parent_id = ${above.company_id} WHERE company_id = ${companyId}`.execute(tx);
  const up = await rows<{ code: string; circle: boolean }>(tx, sql`WITH RECURSIVE up AS (
      SELECT company_id, parent_id, code FROM members.company WHERE company_id = ${companyId}
      UNION ALL SELECT c.company_id, c.parent_id, c.code FROM up JOIN members.company AS c ON c.company_id = up.parent_id
    ) CYCLE company_id SET circle USING path SELECT code, circle FROM up`);
  if (up.some((step) => step.circle)) throw refused(index, 'parent', 'company_circle', `firmy tworzą koło: ${up.map((step) => step.code).join(' → ')}`, `companies form a circle: ${up.map((step) => step.code).join(' → ')}`);
}

/** Companies by code, each with the path from the top of its tree. `only` keeps those of these codes; `search` looks into codes, names, VAT numbers and foreign codes. */
type CompanyRow = Omit<Company, 'members'> & { members: bigint; keys: string[] };
const SORTED = { code: 'text', name: 'text', type: 'text', members: 'number' } as const;

export async function listCompanies(tx: Tx, page: { search?: string; sort?: string; after?: string; limit: number; only?: readonly string[] }): Promise<{ rows: Company[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<CompanyRow>(columnsOf('c', SORTED), 'code', page);
  const like = likeOf(page.search);
  const found = await rows<CompanyRow>(tx, sql`
    WITH RECURSIVE page AS (
      SELECT c.* FROM (SELECT c.*, (SELECT count(*) FROM members.assignment AS a WHERE a.tenant_id = c.tenant_id AND a.company = c.code AND a.valid_to = 'infinity') AS members FROM members.company AS c) AS c WHERE ${beyond} AND (${page.only ?? null}::text[] IS NULL OR c.code = ANY(${page.only ?? null}))
        AND (${like}::text IS NULL OR c.name ILIKE ${like} OR EXISTS (SELECT 1 FROM members.company_key AS k WHERE k.tenant_id = c.tenant_id AND k.company_id = c.company_id AND k.reference ILIKE ${like}))
      ORDER BY ${order} LIMIT ${page.limit + 1}
    ), up AS (
      SELECT p.company_id AS leaf, p.parent_id, ARRAY[]::text[] AS path FROM page AS p
      UNION ALL SELECT up.leaf, c.parent_id, c.code || up.path FROM up JOIN members.company AS c ON c.company_id = up.parent_id
    )
    SELECT p.code, p.name, p.vat, p.type, (SELECT x.code FROM members.company AS x WHERE x.company_id = p.parent_id) AS parent,
      (SELECT up.path FROM up WHERE up.leaf = p.company_id AND up.parent_id IS NULL) AS path,
      ARRAY(SELECT k.reference FROM members.company_key AS k WHERE k.tenant_id = p.tenant_id AND k.company_id = p.company_id AND k.reference LIKE 'ext:%' ORDER BY 1) AS keys,
      p.members
    FROM page AS p ORDER BY ${keyset(columnsOf('p', SORTED), 'code', page).order}`);
  const { rows: listed, next } = paged(found, page.limit, cursor);
  return { next, rows: listed.map(({ keys, members, ...company }) => ({ ...company, members: Number(members), codes: Object.fromEntries(keys.map((reference) => { const [, system = '', ...code] = reference.split(':'); return [system, code.join(':')]; })) })) };
}
