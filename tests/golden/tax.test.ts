import { expect, test } from 'vitest';
import { POLISH_DEFAULTS, digestOf, findRow, formDue, grossUp, nextWorkingDay, remitDue, taxOn, taxRuleShape, type TaxRule } from '../../server/src/modules/rewards/tax.ts';

/** domain.md §4, with its vectors. */
const by = (code: string, more: Partial<TaxRule> = {}): TaxRule => ({ ...(POLISH_DEFAULTS.find((rule) => rule.code === code) as TaxRule), ...more });
const zl = (text: string): bigint => BigInt(text.replace('.', ''));

test('withholding on a cash prize: base and tax in full złoty, half up; 2 000.00 is exempt and one grosz more is taxed whole', () => {
  const premium = by('PL-SPRZEDAZ-PREMIOWA-10');
  const cases: [prize: string, tax: string, pay: string][] = [['2000.00', '0.00', '2000.00'], ['2000.01', '200.00', '1800.01'], ['2504.49', '250.00', '2254.49'], ['2505.00', '251.00', '2254.00'], ['3500.00', '350.00', '3150.00']];
  for (const [prize, tax, pay] of cases) expect([prize, taxOn(premium, zl(prize))]).toMatchObject([prize, { tax: zl(tax), pay: zl(pay), extra: 0n }]);
});

test('gross-up: the payer adds what makes the tax; 11.1111 % at 10 %, 17.6471 % at 15 %', () => {
  expect([grossUp(250_000n, 1_000), grossUp(500_000n, 1_000), grossUp(333_333n, 1_000), grossUp(100_000_000n, 1_500)]).toEqual([277_778n, 555_556n, 370_370n, 117_647_059n]);
  const grossed = by('PL-SPRZEDAZ-PREMIOWA-10', { bearer: 'GROSS_UP' });
  expect(taxOn(grossed, 250_000n)).toEqual({ income: 277_778n, base: 277_800n, tax: 27_800n, pay: 250_000n, extra: 27_778n });
  expect(taxOn(grossed, 500_000n)).toMatchObject({ extra: 55_556n, pay: 500_000n });
  expect(taxOn(grossed, 333_333n)).toMatchObject({ extra: 37_037n });
  expect(taxOn(grossed, 200_000n)).toEqual({ income: 200_000n, base: 0n, tax: 0n, pay: 200_000n, extra: 0n });
});

test('an allowance taxes only what is above it; a rate of another year counts from its day', () => {
  expect(taxOn(by('PL-SPRZEDAZ-PREMIOWA-10', { exempt: { threshold_minor: 200_000, mode: 'ALLOWANCE' } }), 250_000n)).toMatchObject({ base: 50_000n, tax: 5_000n, pay: 245_000n });
  expect(taxOn(by('PL-KONKURS-10', { rate_bp: 1_500 }), 250_000n)).toMatchObject({ tax: 37_500n });
});

test('who works for a partner company pays the tax by PIT-11, with no 2 000 exemption and nothing withheld; firms settle themselves', () => {
  const table = POLISH_DEFAULTS.map((rule) => ({ rule }));
  const found = (legalForm: string, status: TaxRule['match']['status'][number]) => { const row = findRow(table, { legalForm, status: status as 'CONSUMER', kind: 'prepaid', on: '2026-11-22' }); return typeof row === 'string' ? row : [row.rule.code, row.rule.form, taxOn(row.rule, 500_000n).tax]; };
  expect(found('incentive', 'PARTNER_EMPLOYEE')).toEqual(['PL-INNE-ZRODLA', 'PIT-11', 0n]);
  expect(found('premium_sale', 'CONSUMER')).toEqual(['PL-SPRZEDAZ-PREMIOWA-10', 'PIT-8AR', 50_000n]);
  expect(found('premium_sale', 'PARTNER_EMPLOYEE')).toEqual(['PL-INNE-ZRODLA', 'PIT-11', 0n]);
  expect(found('contest', 'CONSUMER')).toEqual(['PL-KONKURS-10', 'PIT-8AR', 50_000n]);
  for (const form of ['premium_sale', 'contest', 'incentive', 'loyalty', 'permitted_lottery']) {
    expect(found(form, 'COMPANY')).toEqual(['PL-COMPANY', 'NONE', 0n]);
    expect(found(form, 'SOLE_TRADER')).toEqual(['PL-SOLE-TRADER', 'NONE', 0n]);
    expect(found(form, 'OWN_EMPLOYEE')).toEqual(['PL-OWN-EMPLOYEE', 'PAYROLL', 0n]);
    for (const status of ['CONSUMER', 'PARTNER_EMPLOYEE'] as const) expect(typeof found(form, status), `${form} ${status}`).toBe('object');
  }
});

test('exactly one row: none and two alike are answers, a priority or a closer fit decides, and dates end a row', () => {
  const base = by('PL-COMPANY');
  const on = { legalForm: 'loyalty', status: 'COMPANY' as const, kind: 'goods' as const, on: '2026-06-15' };
  expect(findRow([], on)).toBe('tax_row_missing');
  expect(findRow([{ rule: base }, { rule: { ...base, code: 'TWIN' } }], on)).toBe('tax_row_ambiguous');
  const code = (rules: TaxRule[]): string => { const row = findRow(rules.map((rule) => ({ rule })), on); return typeof row === 'string' ? row : row.rule.code; };
  expect(code([base, { ...base, code: 'CLOSER', match: { ...base.match, kind: ['goods'] } }])).toBe('CLOSER');
  expect(code([{ ...base, code: 'FIRST', priority: 1 }, { ...base, code: 'CLOSER', match: { ...base.match, kind: ['goods'] } }])).toBe('FIRST');
  expect(code([{ ...base, valid_to: '2026-06-14' }])).toBe('tax_row_missing');
  expect(code([{ ...base, valid_to: '2026-06-15' }])).toBe('PL-COMPANY');
});

test('a rate of next year is written down today and counts from its day; a version that has ended withdraws its row', () => {
  const of = (on: string) => ({ legalForm: 'contest', status: 'CONSUMER' as const, kind: 'goods' as const, on });
  const [now, later] = [by('PL-KONKURS-10'), by('PL-KONKURS-10', { valid_from: '2027-01-01', rate_bp: 1_500 })];
  const rate = (table: TaxRule[], on: string) => { const row = findRow(table.map((rule) => ({ rule })), of(on)); return typeof row === 'string' ? row : row.rule.rate_bp; };
  expect([rate([later, now], '2026-12-31'), rate([later, now], '2027-01-01')]).toEqual([1_000, 1_500]);
  expect([rate([{ ...now, valid_to: '2026-06-30' }, now], '2026-06-30'), rate([{ ...now, valid_to: '2026-06-30' }, now], '2026-07-01')]).toEqual([1_000, 'tax_row_missing']);
});

test('the digest of a row is over all of it, whatever the order of its parts', () => {
  const rule = by('PL-KONKURS-10');
  const shuffled = taxRuleShape.parse(JSON.parse(JSON.stringify({ match: rule.match, ...Object.fromEntries(Object.entries(rule).toReversed()) })));
  expect(digestOf(shuffled)).toBe(digestOf(rule));
  expect(digestOf({ ...rule, match: { ...rule.match, status: ['CONSUMER'] } })).not.toBe(digestOf(rule));
});

test('deadlines move over Saturdays, Sundays and holidays', () => {
  const moved: [string, string][] = [['2026-01-31', '2026-02-02'], ['2026-02-28', '2026-03-02'], ['2026-12-20', '2026-12-21'], ['2027-01-31', '2027-02-01'], ['2027-02-28', '2027-03-01'], ['2027-03-20', '2027-03-22'], ['2026-12-24', '2026-12-28'], ['2026-06-15', '2026-06-15']];
  for (const [due, day] of moved) expect([due, nextWorkingDay(due)]).toEqual([due, day]);
  expect(formDue('PIT-11', 2026)).toEqual({ office: '2027-02-01', person: '2027-03-01' });
  expect(formDue('PIT-8AR', 2025)).toEqual({ office: '2026-02-02', person: null });
  expect([remitDue('2026-11-22'), remitDue('2027-02-10')]).toEqual(['2026-12-21', '2027-03-22']);
});
