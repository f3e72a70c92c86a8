import { roundRatio, type Day, type Phrase } from '@premia/kernel';
import { sql, type RawBuilder } from 'kysely';
import { z } from 'zod';
import { row, rows, type Tx } from '../../platform/database.ts';
import { railOf, type Kind } from './machine.ts';
import { refuse } from './refusals.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';

/** Who may see and order a reward: every list that is there must hold. */
export const audienceShape = z.strictObject({ kinds: z.array(z.enum(['person', 'company'])).max(2).optional(), segments: z.array(z.string().max(64)).max(50).optional(), tiers: z.array(z.string().max(64)).max(50).optional(), company_types: z.array(z.string().max(100)).max(50).optional() });
export type Audience = z.infer<typeof audienceShape>;
export const LIMIT_WINDOWS = ['day', 'week', 'month', 'quarter', 'year', 'program'] as const;
export type LimitWindow = (typeof LIMIT_WINDOWS)[number];

export type Reward = {
  rewardId: bigint; key: string; kind: Kind; state: 'draft' | 'active' | 'archived'; names: Phrase; descriptions: Phrase; category: string; picture: string | null; unitId: bigint; unit: string; scale: number;
  price: bigint; worth: bigint; coPay: bigint; least: bigint | null; most: bigint | null; stock: bigint | null; free: bigint | null; limitCount: number | null; limitWindow: LimitWindow | null; validFrom: string; validTo: string; audience: Audience;
  approval: 'policy' | 'always'; provider: 'simulated' | null; cost: bigint; vatRate: string; vatKind: 'none' | 'spv' | 'mpv'; vatDeducted: boolean; lowValueRegister: boolean; supplier: string; leastDays: number; lowStock: number;
};

/** Whether codes are given out of a pool: then they are the stock. */
export const isPooled = (kind: Kind): boolean => railOf(kind) === 'code';

/** Codes of a pool that may still be given out on a day: earliest expiry first, none that ends too soon. */
export const freeCodes = (on: Day): RawBuilder<unknown> => sql`rewards.voucher AS v WHERE v.tenant_id = r.tenant_id AND v.program_id = r.program_id AND v.reward_id = r.reward_id AND v.state = 'available' AND v.valid_to >= ${on}::date + r.least_days`;

const columns = (on: Day): RawBuilder<unknown> => sql`r.reward_id AS "rewardId", r.key, r.kind, r.state, r.names, r.descriptions, r.category, r.picture, r.unit_id AS "unitId", u.key AS unit, u.scale, r.price, r.worth_minor AS worth, r.co_pay_minor AS "coPay", r.least_minor AS least, r.most_minor AS most, r.stock,
  CASE WHEN r.kind IN ('voucher', 'code') THEN (SELECT count(*) FROM ${freeCodes(on)}) ELSE r.stock END AS free, r.limit_count AS "limitCount", r.limit_window AS "limitWindow", r.valid_from::text AS "validFrom", r.valid_to::text AS "validTo", r.audience, r.approval, r.provider, r.cost_minor AS cost, r.vat_rate AS "vatRate", r.vat_kind AS "vatKind",
  r.vat_deducted AS "vatDeducted", r.low_value_register AS "lowValueRegister", r.supplier, r.least_days AS "leastDays", r.low_stock AS "lowStock"`;
const tables = sql`rewards.reward AS r JOIN ledger.unit AS u ON u.tenant_id = r.tenant_id AND u.program_id = r.program_id AND u.unit_id = r.unit_id`;

/** Whether a reward r is meant for a member on a day: its kind, the type of its company, its segments and tiers. */
const meantFor = (memberId: bigint, on: Day): RawBuilder<boolean> => sql<boolean>`EXISTS (SELECT 1 FROM members.member AS m WHERE m.tenant_id = r.tenant_id AND m.program_id = r.program_id AND m.member_id = ${memberId}
  AND (r.audience -> 'kinds' IS NULL OR r.audience -> 'kinds' ? m.kind)
  AND (r.audience -> 'segments' IS NULL OR r.audience -> 'segments' ?| ARRAY(SELECT s.key FROM members.segment AS s JOIN members.segment_member AS x ON x.tenant_id = s.tenant_id AND x.program_id = s.program_id AND x.segment_id = s.segment_id WHERE s.program_id = m.program_id AND x.member_id = m.member_id AND x.valid_from <= ${on}::date AND x.valid_to > ${on}::date))
  AND (r.audience -> 'tiers' IS NULL OR r.audience -> 'tiers' ?| ARRAY(SELECT t.tier FROM entitlements.tier_interval AS t WHERE t.program_id = m.program_id AND t.member_id = m.member_id AND t.valid_from <= ${on}::date AND t.valid_to > ${on}::date))
  AND (r.audience -> 'company_types' IS NULL OR r.audience -> 'company_types' ?| ARRAY(SELECT c.type FROM members.company AS c WHERE c.type IS NOT NULL AND (c.company_id = m.company_id OR c.code IN (SELECT a.company FROM members.assignment AS a WHERE a.program_id = m.program_id AND a.member_id = m.member_id AND a.valid_from <= ${on}::date AND a.valid_to > ${on}::date)))))`;

export type Page = { search?: string; category?: string; state?: string; kind?: string; forMember?: bigint; key?: string; wishedBy?: bigint; sort?: string; after?: string; limit: number };
const SORTED: Sortable = { id: ['r.reward_id', 'number', 'rewardId'], name: ['r.key', 'text', 'key'], category: ['r.category', 'text'], kind: ['r.kind', 'text'], price: ['r.price', 'number'], cost: ['r.cost_minor', 'number', 'cost'], state: ['r.state', 'text'] };

/** The catalogue, in the order of its rewards' making or as asked; for a member only what is on offer and meant for them. */
export async function listRewards(tx: Tx, programId: bigint, on: Day, page: Page): Promise<{ rows: Reward[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<Reward>(SORTED, 'id', page);
  const like = likeOf(page.search);
  const seen = page.forMember === undefined ? sql`TRUE` : sql`r.state = 'active' AND r.valid_from <= ${on}::date AND r.valid_to >= ${on}::date AND ${meantFor(page.forMember, on)}`;
  const found = await rows<Reward>(tx, sql`SELECT ${columns(on)} FROM ${tables} WHERE r.program_id = ${programId} AND ${seen} AND ${beyond} AND (${page.key ?? null}::text IS NULL OR r.key = ${page.key ?? null})
    AND (${page.wishedBy ?? null}::bigint IS NULL OR EXISTS (SELECT 1 FROM rewards.wish AS w WHERE w.tenant_id = r.tenant_id AND w.program_id = r.program_id AND w.reward_id = r.reward_id AND w.member_id = ${page.wishedBy ?? null})) AND (${page.category ?? null}::text IS NULL OR r.category = ${page.category ?? null}) AND (${page.state ?? null}::text IS NULL OR r.state = ${page.state ?? null})
    AND (${page.kind ?? null}::text IS NULL OR r.kind = ${page.kind ?? null}) AND (${like}::text IS NULL OR r.key ILIKE ${like} OR r.names::text ILIKE ${like} OR r.descriptions::text ILIKE ${like} OR r.category ILIKE ${like}) ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

export async function findReward(tx: Tx, programId: bigint, key: string, on: Day): Promise<Reward> {
  const found = await row<Reward>(tx, sql`SELECT ${columns(on)} FROM ${tables} WHERE r.program_id = ${programId} AND r.key = ${key}`);
  if (!found) throw refuse('reward_not_found', { pl: `„${key}”`, en: `“${key}”` });
  return found;
}

/** Whether a member may order this on a day, or why not. */
export async function assertOffered(tx: Tx, programId: bigint, reward: Reward, memberId: bigint, on: Day): Promise<void> {
  if (reward.state !== 'active' || reward.validFrom > on || reward.validTo < on) throw refuse('reward_not_offered', { pl: `„${reward.names.pl}”`, en: `“${reward.names.en}”` });
  if (!(await row(tx, sql`SELECT 1 FROM rewards.reward AS r WHERE r.program_id = ${programId} AND r.reward_id = ${reward.rewardId} AND ${meantFor(memberId, on)}`))) throw refuse('reward_not_for_you', { pl: `„${reward.names.pl}”`, en: `“${reward.names.en}”` });
}

export type Piece = { units: bigint; worth: bigint; cost: bigint };

/** What one piece costs in units and is worth. Where the member chooses the amount: units in proportion, rounded up, so that no amount is cheaper than its parts. */
export function pieceOf(reward: Reward, amount: bigint | null): Piece {
  if (reward.least === null || reward.most === null) {
    if (amount !== null && amount !== reward.worth) throw refuse('amount_not_offered');
    return { units: reward.price, worth: reward.worth, cost: reward.cost };
  }
  if (amount === null || amount < reward.least || amount > reward.most) throw refuse('amount_not_offered');
  return { units: roundRatio({ n: amount * reward.price + reward.worth - 1n, d: reward.worth }, 'down'), worth: amount, cost: roundRatio({ n: amount * reward.cost, d: reward.worth }, 'half_up') };
}
