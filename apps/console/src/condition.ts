import type { RuleGroupType, RuleType } from 'react-querybuilder';
import { t } from '@premia/ui';

/** The grammar's conditions, as far as an editor of rules and groups shows them. The server alone says what they mean. */
export type Condition = { is: 'all' | 'any'; of: Condition[] } | { is: 'not'; of: Condition } | { is: 'oneOf'; field: string; values: string[] } | { is: 'atLeast' | 'below'; field: string; value: string | number } | { is: 'did'; activity: string; code?: string };

const WORDS: [string, () => string][] = [['category', () => t('kategoria', 'category')], ['brand', () => t('marka', 'brand')], ['group', () => t('grupa produktów', 'product group')], ['product', () => t('produkt', 'product')], ['channel', () => t('kanał', 'channel')], ['partner', () => t('partner', 'partner')], ['company_type', () => t('rodzaj firmy', 'company type')], ['segment', () => t('segment', 'segment')], ['company', () => t('firma', 'company')], ['territory', () => t('region', 'territory')], ['team', () => t('zespół', 'team')]];
const AMOUNTS: [string, () => string][] = [['document_net', () => t('wartość netto dokumentu', 'document’s net')], ['line_net', () => t('wartość netto pozycji', 'line’s net')], ['line_quantity', () => t('ilość w pozycji', 'line’s quantity')], ['document_quantity', () => t('ilość na dokumencie', 'document’s quantity')], ['weekday', () => t('dzień tygodnia (1–7)', 'weekday (1–7)')], ['hour', () => t('godzina', 'hour')]];
const oneOf = () => [{ name: 'in', label: t('jest jednym z', 'is one of') }, { name: 'notIn', label: t('nie jest żadnym z', 'is none of') }];
const sizes = () => [{ name: '>=', label: t('co najmniej', 'at least') }, { name: '<', label: t('poniżej', 'below') }];

export const fields = () => [...WORDS.map(([name, word]) => ({ name, label: word(), operators: oneOf() })), ...AMOUNTS.map(([name, word]) => ({ name, label: word(), inputType: 'number', operators: sizes() })), { name: 'did', label: t('zrobił (aktywność)', 'had done (activity)'), operators: [{ name: '=', label: t('to', 'is') }] }];

const list = (value: unknown): string[] => String(value ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '');
const ruleToCondition = (rule: RuleType): Condition | null => {
  if (rule.field === 'did') { const [activity = '', code] = String(rule.value ?? '').split(':'); return activity === '' ? null : { is: 'did', activity, ...(code ? { code } : {}) }; }
  if (rule.operator === '>=' || rule.operator === '<') return rule.value === '' ? null : { is: rule.operator === '>=' ? 'atLeast' : 'below', field: rule.field, value: String(rule.value).replace(',', '.') };
  const values = list(rule.value);
  if (values.length === 0) return null;
  const found: Condition = { is: 'oneOf', field: rule.field, values };
  return rule.operator === 'notIn' ? { is: 'not', of: found } : found;
};

/** What the editor shows as the grammar says it; rules not filled yet say nothing. */
export function toCondition(group: RuleGroupType): Condition | undefined {
  const of = group.rules.flatMap((item): Condition[] => { const found = typeof item === 'string' ? null : 'rules' in item ? toCondition(item) ?? null : ruleToCondition(item); return found ? [found] : []; });
  if (of.length === 0) return undefined;
  const inner: Condition = of.length === 1 && of[0] ? of[0] : { is: group.combinator === 'or' ? 'any' : 'all', of };
  return group.not ? { is: 'not', of: inner } : inner;
}

export function fromCondition(condition: Condition | undefined): RuleGroupType {
  if (!condition) return { combinator: 'and', rules: [] };
  if (condition.is === 'all' || condition.is === 'any') return { combinator: condition.is === 'any' ? 'or' : 'and', rules: condition.of.map(ruleOf) };
  if (condition.is === 'not' && condition.of.is !== 'oneOf') return { ...fromCondition(condition.of), not: true };
  return { combinator: 'and', rules: [ruleOf(condition)] };
}
function ruleOf(condition: Condition): RuleType | RuleGroupType {
  switch (condition.is) {
    case 'all': case 'any': return fromCondition(condition);
    case 'not': return condition.of.is === 'oneOf' ? { field: condition.of.field, operator: 'notIn', value: condition.of.values.join(', ') } : { ...fromCondition(condition.of), not: true };
    case 'oneOf': return { field: condition.field, operator: 'in', value: condition.values.join(', ') };
    case 'atLeast': return { field: condition.field, operator: '>=', value: String(condition.value) };
    case 'below': return { field: condition.field, operator: '<', value: String(condition.value) };
    case 'did': return { field: 'did', operator: '=', value: condition.code === undefined ? condition.activity : `${condition.activity}:${condition.code}` };
  }
}
