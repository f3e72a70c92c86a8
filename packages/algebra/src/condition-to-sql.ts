import { ratio, timesRatio } from '@premia/kernel';
import type { AmountField, Condition, WordField } from './mechanic.ts';
import { literal, textList, whole } from './sql-text.ts';

/** Where a condition's fields are found: beside a fact, or about a member on the last day of a window. */
export type Fields = {
  member: string;
  on: string;
  word(field: WordField): string;
  amount(field: AmountField): string;
};

/** What compiled conditions must know of the installation: which id a key has, and the scale of money. */
export type Names = { currencyScale: number; tierSets: ReadonlyMap<string, bigint>; segments: ReadonlyMap<string, bigint> };

/** The one meaning of a condition. A missing field matches nothing; deciding that in the leaves keeps NULL out of NOT. */
export function conditionToSql(condition: Condition, fields: Fields, names: Names): string {
  switch (condition.is) {
    case 'all': return condition.of.length === 0 ? 'TRUE' : `(${condition.of.map((item) => conditionToSql(item, fields, names)).join(' AND ')})`;
    case 'any': return condition.of.length === 0 ? 'FALSE' : `(${condition.of.map((item) => conditionToSql(item, fields, names)).join(' OR ')})`;
    case 'not': return `(NOT ${conditionToSql(condition.of, fields, names)})`;
    case 'oneOf': return oneOf(condition.field, condition.values, fields, names);
    case 'atLeast': return `COALESCE(${compared(condition, fields, names, '>=')}, FALSE)`;
    case 'below': return `COALESCE(${compared(condition, fields, names, '<')}, FALSE)`;
    case 'did': return did(condition.activity, condition.code, fields.member, fields.on);
  }
}

function oneOf(field: WordField, values: readonly string[], fields: Fields, names: Names): string {
  if (field === 'segment') {
    const ids = values.map((value) => names.segments.get(value)).filter((id) => id !== undefined);
    return `EXISTS (SELECT 1 FROM members.segment_member AS sm WHERE sm.tenant_id = $1 AND sm.program_id = $2 AND sm.segment_id = ANY(ARRAY[${ids.join(', ')}]::bigint[])
      AND sm.member_id = ${fields.member} AND sm.valid_from <= ${fields.on} AND (sm.valid_to > ${fields.on} OR sm.valid_to = 'infinity'))`;
  }
  if (field === 'group') return `COALESCE(${fields.word(field)} && ${textList(values)}, FALSE)`;
  return `COALESCE(${fields.word(field)} = ANY(${textList(values)}), FALSE)`;
}

function compared(condition: Extract<Condition, { is: 'atLeast' | 'below' }>, fields: Fields, names: Names, operator: string): string {
  const scale = amountScale(condition.field, names.currencyScale);
  const value = timesRatio(condition.value, ratio(scale));
  return `${fields.amount(condition.field)} * ${whole(value.d)} ${operator} ${whole(value.n)}`;
}

function amountScale(field: AmountField, currencyScale: number): bigint {
  if (field === 'weekday' || field === 'hour') return 1n;
  return field.endsWith('_quantity') ? 1_000n : 10n ** BigInt(currencyScale);
}

/** Whether the member had done something by a day: the signed quantity of such activities is above zero. */
export function did(activity: string, code: string | undefined, member: string, on: string): string {
  return `COALESCE((SELECT platform.sum8(act.quantity_milli) FROM facts.fact AS act WHERE act.tenant_id = $1 AND act.program_id = $2 AND act.member_id = ${member}
    AND act.kind = ${literal(activity)} AND act.earned_on <= ${on}${code === undefined ? '' : ` AND act.attributes ->> 'code' = ${literal(code)}`}) > 0, FALSE)`;
}

/** A member's dated profile, assignment or tier, as a scalar on a day. The latest recorded of those that hold wins. */
export function dated(table: 'profile' | 'assignment', column: string, member: string, on: string): string {
  return `(SELECT d.${column} FROM members.${table} AS d WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.member_id = ${member}
    AND d.valid_from <= ${on} AND (d.valid_to > ${on} OR d.valid_to = 'infinity') ORDER BY d.valid_from DESC, d.recorded_seq DESC LIMIT 1)`;
}

export function tierOn(tierSetId: bigint | undefined, member: string, on: string): string {
  return `(SELECT ti.tier FROM entitlements.tier_interval AS ti WHERE ti.tenant_id = $1 AND ti.program_id = $2 AND ti.tier_set_id = ${tierSetId ?? 0n}
    AND ti.member_id = ${member} AND ti.valid_from <= ${on} AND (ti.valid_to > ${on} OR ti.valid_to = 'infinity') ORDER BY ti.valid_from DESC LIMIT 1)`;
}

/** Fields about a member on a day, wherever that day comes from. Fields of a sale are not to be had there. */
export function memberFields(member: string, on: string, names: Names): Fields {
  return {
    member, on,
    word: (field) => {
      if (field === 'company_type') return dated('profile', 'company_type', member, on);
      if (field === 'company' || field === 'territory' || field === 'team') return dated('assignment', field, member, on);
      if (field.startsWith('member.')) return dated('profile', `attributes ->> ${literal(field.slice(7))}`, member, on);
      if (field.startsWith('tier.')) return tierOn(names.tierSets.get(field.slice(5)), member, on);
      return 'NULL::text';
    },
    amount: () => 'NULL::numeric',
  };
}
