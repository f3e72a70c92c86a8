import { Button, Checkbox, Group, Select, Stack, Tabs, Text, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { amount, api, count, day, inUnit, locale, moment, money, percent, t } from '@premia/ui';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { STATUSES } from './member-rewards.tsx';
import { download, kindWord } from './order-words.tsx';
import { Bones, Card, Confirm, Empty, Failed, Forbidden, Head, State, told, useGuard, useUnsaved, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

/** The money behind rewards: budgets, the sponsor's statement, what is owed, and the tax on it all. */
export function Money({ id = 'statement' }: { id?: string }) {
  const [, go] = useLocation();
  const may = useMay();
  return (
    <>
      <Head title={t('Pieniądze i podatki', 'Money and tax')} />
      <Tabs value={id} onChange={(value) => go(`/money/${value}`)} keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="statement">{t('Rozliczenie', 'Statement')}</Tabs.Tab><Tabs.Tab value="budgets">{t('Budżety', 'Budgets')}</Tabs.Tab><Tabs.Tab value="liability">{t('Zobowiązanie', 'Liability')}</Tabs.Tab><Tabs.Tab value="tax">{t('Tabela podatkowa', 'Tax table')}</Tabs.Tab>{may('tax:read') ? <Tabs.Tab value="forms">{t('PIT za rok', 'Tax forms')}</Tabs.Tab> : null}<Tabs.Tab value="settings">{t('Ustawienia wypłat', 'Payout settings')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="statement"><Statement /></Tabs.Panel><Tabs.Panel value="budgets"><Budgets /></Tabs.Panel><Tabs.Panel value="liability"><Liability /></Tabs.Panel><Tabs.Panel value="tax"><TaxTable /></Tabs.Panel><Tabs.Panel value="forms">{may('tax:read') ? <Forms /> : <Forbidden />}</Tabs.Panel><Tabs.Panel value="settings"><Settings /></Tabs.Panel>
      </Tabs>
    </>
  );
}

const today = (): string => new Date().toISOString().slice(0, 10);

function Statement() {
  const { program, tenant } = useHere();
  const { failed } = useGuard();
  const [from, setFrom] = useState(`${today().slice(0, 8)}01`);
  const [to, setTo] = useState(today());
  const found = useQuery({ queryKey: ['settlement', program.key, from, to], enabled: from !== '' && to !== '', queryFn: () => api.readSettlement({ params: { program: program.key }, query: { from, to } }) });
  const save = (format: 'pdf' | 'xlsx'): void => { void download(`/v1/programs/${program.key}/settlement.${format}?from=${from}&to=${to}&locale=${locale()}`, `${program.key}-${from}-${to}.${format}`, { 'x-premia-tenant': tenant.key }).catch((error: unknown) => failed(error)); };
  const zl = (text: string): string => money(text, program.currency);
  return (
    <Stack gap="sm">
      <Group align="flex-end"><label className="field">{t('Od', 'From')}<input type="date" value={from} onChange={(event) => setFrom(event.target.value)} /></label><label className="field">{t('Do', 'To')}<input type="date" value={to} onChange={(event) => setTo(event.target.value)} /></label><Button variant="default" onClick={() => save('pdf')}>PDF</Button><Button variant="default" onClick={() => save('xlsx')}>XLSX</Button></Group>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : (
        <>
          <Card title={t('Jednostki', 'Units')}><Wide least={760}><table className="sheet" style={{ width: '100%' }}><thead><tr><th scope="col">{t('Jednostka', 'Unit')}</th><th scope="col">{t('Początek', 'Opening')}</th><th scope="col">{t('Naliczone', 'Granted')}</th><th scope="col">{t('Korekty', 'Adjusted')}</th><th scope="col">{t('Przekazane', 'Moved')}</th><th scope="col">{t('Wydane', 'Redeemed')}</th><th scope="col">{t('Zwrócone', 'Returned')}</th><th scope="col">{t('Wygasłe', 'Expired')}</th><th scope="col">{t('Koniec', 'Closing')}</th></tr></thead><tbody>{found.data.units.map((unit) => <tr key={unit.unit}><td>{unit.unit}</td><td>{amount(unit.opening)}</td><td>{amount(unit.granted)}</td><td>{amount(unit.adjusted)}</td><td>{amount(unit.moved)}</td><td>{amount(unit.redeemed)}</td><td>{amount(unit.returned)}</td><td>{amount(unit.expired)}</td><td><strong>{amount(unit.closing)}</strong></td></tr>)}</tbody></table></Wide></Card>
          <Card title={t('Nagrody', 'Rewards')}>{found.data.kinds.length === 0 ? <Text c="dimmed">{t('W tym okresie niczego nie wydano.', 'Nothing was given in this period.')}</Text> : <Wide least={760}><table className="sheet" style={{ width: '100%' }}><thead><tr><th scope="col">{t('Rodzaj', 'Kind')}</th><th scope="col">{t('Sztuk', 'Pieces')}</th><th scope="col">{t('Zwrotów', 'Returns')}</th><th scope="col">{t('Wartość', 'Worth')}</th><th scope="col">{t('Wypłacono', 'Paid')}</th><th scope="col">{t('Podatek', 'Tax')}</th><th scope="col">{t('Dopłata podatku', 'Tax on top')}</th><th scope="col">{t('Koszt', 'Cost')}</th></tr></thead><tbody>{found.data.kinds.map((kind) => <tr key={kind.kind}><td>{kindWord(kind.kind)}</td><td>{count(kind.pieces)}</td><td>{count(kind.returned)}</td><td>{zl(kind.worth)}</td><td>{zl(kind.paid)}</td><td>{zl(kind.tax)}</td><td>{zl(kind.extra)}</td><td>{zl(kind.cost)}</td></tr>)}</tbody></table></Wide>}</Card>
          <Card title={t('Do zapłaty przez sponsora', 'Due from the sponsor')}><dl className="pairs"><dt>{t('Koszt nagród', 'Cost of rewards')}</dt><dd>{zl(found.data.totals.cost)}</dd><dt>{t('Podatek dopłacony', 'Tax on top')}</dt><dd>{zl(found.data.totals.extra)}</dd><dt>{t('Opłata za obsługę', 'Service fee')}</dt><dd>{zl(found.data.totals.fee)}</dd><dt>{t('Razem', 'Total')}</dt><dd><strong>{zl(found.data.totals.due)}</strong></dd></dl></Card>
        </>
      )}
    </Stack>
  );
}

function Budgets() {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [draft, setDraft] = useState({ key: '', name: '', scope: 'program', policy: 'warn', warn_percent: '80' });
  const [paid, setPaid] = useState({ budget: '', amount: '', note: '' });
  const found = useQuery({ queryKey: ['budgets', program.key], queryFn: () => api.listBudgets({ params: { program: program.key } }) });
  const save = useMutation({ mutationFn: () => api.saveBudget({ params: { program: program.key }, body: { key: draft.key, name: draft.name, sponsor: draft.scope === 'sponsor', policy: draft.policy as 'warn', warn_percent: Number(draft.warn_percent) } }), onSuccess: async () => { setDraft({ ...draft, key: '', name: '' }); told(t('Zapisany.', 'Saved.')); await client.invalidateQueries(); }, onError: (error) => failed(error, () => save.mutate()) });
  const deposit = useMutation({ mutationFn: () => api.deposit({ params: { program: program.key, budget: paid.budget }, body: { amount: paid.amount.replace(/\s/g, '').replace(',', '.'), note: paid.note } }), onSuccess: async () => { setPaid({ budget: '', amount: '', note: '' }); told(t('Wpłata zapisana.', 'The deposit is recorded.')); await client.invalidateQueries(); }, onError: (error) => failed(error, () => deposit.mutate()) });
  const zl = (text: string): string => money(text, program.currency);
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  return (
    <>{asking}
      {found.data.budgets.length === 0 ? <Empty>{t('Nie ma budżetów: zamówienia nie są ograniczone pieniędzmi.', 'There are no budgets: money does not limit orders.')}</Empty> : <div className="grid">{found.data.budgets.map((budget) => <Card key={budget.key} title={<>{budget.name} {budget.low ? <State tone="care">{t('kończy się', 'runs low')}</State> : null}</>}><dl className="pairs"><dt>{t('Wpłacono', 'Deposited')}</dt><dd>{zl(budget.deposited)}</dd><dt>{t('Zamówione', 'Committed')}</dt><dd>{zl(budget.committed)}</dd><dt>{t('Wydane', 'Spent')}</dt><dd>{zl(budget.spent)}</dd><dt>{t('Zostało', 'Left')}</dt><dd><strong>{zl(budget.left)}</strong></dd></dl><Text size="sm" c="dimmed">{budget.sponsor ? t('całego sponsora', 'of the sponsor') : t('tego programu', 'of this program')}; {budget.policy === 'block' ? t('po wyczerpaniu wstrzymuje zamówienia', 'stops orders when used up') : t('tylko ostrzega', 'only warns')}, {t('ostrzeżenie od', 'warning from')} {budget.warn_percent} %</Text></Card>)}</div>}
      {may('payouts:settings') ? <><Card title={t('Wpłata', 'A deposit')}><form onSubmit={(event) => { event.preventDefault(); deposit.mutate(); }}><Group align="flex-end"><Select required label={t('Budżet', 'Budget')} data={found.data.budgets.map((budget) => ({ value: budget.key, label: budget.name }))} value={paid.budget || null} onChange={(value) => setPaid({ ...paid, budget: value ?? '' })} /><TextInput required label={t('Kwota', 'Amount')} inputMode="decimal" value={paid.amount} onChange={(event) => setPaid({ ...paid, amount: event.currentTarget.value })} /><TextInput required label={t('Opis', 'Note')} value={paid.note} onChange={(event) => setPaid({ ...paid, note: event.currentTarget.value })} /><Button type="submit" loading={deposit.isPending}>{t('Zapisz wpłatę', 'Record the deposit')}</Button></Group></form></Card>
        <Card title={t('Budżet', 'A budget')}><form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}><Group align="flex-end"><TextInput required label={t('Klucz', 'Key')} pattern="[a-z0-9][a-z0-9._\-]{0,63}" value={draft.key} onChange={(event) => setDraft({ ...draft, key: event.currentTarget.value })} /><TextInput required label={t('Nazwa', 'Name')} value={draft.name} onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })} /><Select label={t('Czyj', 'Whose')} allowDeselect={false} value={draft.scope} onChange={(value) => setDraft({ ...draft, scope: value ?? 'program' })} data={[{ value: 'program', label: t('tego programu', 'this program’s') }, { value: 'sponsor', label: t('całego sponsora', 'the sponsor’s') }]} /><Select label={t('Gdy się skończy', 'When used up')} allowDeselect={false} value={draft.policy} onChange={(value) => setDraft({ ...draft, policy: value ?? 'warn' })} data={[{ value: 'warn', label: t('ostrzeż', 'warn') }, { value: 'block', label: t('wstrzymaj', 'stop orders') }]} /><TextInput label={t('Ostrzegaj od (%)', 'Warn from (%)')} inputMode="numeric" value={draft.warn_percent} onChange={(event) => setDraft({ ...draft, warn_percent: event.currentTarget.value })} /><Button type="submit" loading={save.isPending}>{t('Zapisz budżet', 'Save the budget')}</Button></Group></form></Card></> : null}
    </>
  );
}

function Liability() {
  const { program } = useHere();
  const [on, setOn] = useState(today());
  const found = useQuery({ queryKey: ['liability', program.key, on], enabled: on !== '', queryFn: () => api.readMoneyLiability({ params: { program: program.key }, query: { as_of: on } }) });
  const zl = (text: string): string => money(text, program.currency);
  const treatments: Record<string, string> = { marketing_cost: t('naliczony koszt marketingu (rezerwa)', 'accrued marketing cost (provision)'), revenue_reduction: t('zobowiązanie z umowy (zmniejsza przychód)', 'contract liability (reduces revenue)'), cost_of_sales: t('koszt sprzedaży', 'cost of sales') };
  return (
    <Stack gap="sm">
      <Group align="flex-end"><label className="field">{t('Na dzień', 'As of')}<input type="date" value={on} onChange={(event) => setOn(event.target.value)} /></label></Group>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : (
        <><Text size="sm">{t('Ujęcie:', 'Treated as:')} <strong>{treatments[found.data.accounting] ?? found.data.accounting}</strong></Text>
          <div className="grid">{found.data.units.map((unit) => <Card key={unit.unit} title={inUnit(unit.closing, unit.unit, program.units)}>
            {unit.cost === null ? <Text c="dimmed" size="sm">{t('Koszt tej jednostki nie jest podany w ustawieniach wypłat.', 'The cost of this unit is not given in the payout settings.')}</Text> : <dl className="pairs"><dt>{t('Koszt jednostki', 'Cost of a unit')}</dt><dd>{unit.cost}</dd><dt>{t('Wartość nominalna', 'Face value')}</dt><dd>{zl(unit.face)}</dd><dt>{t('Spodziewane wydanie', 'Expected redemption')} ({percent(unit.rate_bp)}, {unit.rate_from === 'cohorts' ? t('z kohort', 'from cohorts') : t('z ustawień', 'from settings')})</dt><dd><strong>{zl(unit.expected)}</strong></dd><dt>{t('Niewykorzystane', 'Breakage')}</dt><dd>{zl(unit.breakage)}</dd></dl>}
            <Text size="sm">{t('W tym czeka na datę lub zatwierdzenie:', 'Of which waits for a date or approval:')} {inUnit(unit.pending, unit.unit, program.units)}</Text>
            <table className="sheet" style={{ width: '100%' }}><thead><tr><th scope="col">{t('Wygasa za dni', 'Expires in days')}</th><th scope="col">{t('Jednostek', 'Units')}</th></tr></thead><tbody>{unit.ageing.map((band) => <tr key={band.days}><td>{band.days === 'never' ? t('nigdy', 'never') : band.days}</td><td>{amount(band.amount)}</td></tr>)}</tbody></table>
          </Card>)}</div></>
      )}
    </Stack>
  );
}

type Rule = Awaited<ReturnType<typeof api.listTaxRules>>['rules'][number];
const FORMS: Record<string, () => string> = { premium_sale: () => t('sprzedaż premiowa', 'premium sale'), contest: () => t('konkurs', 'contest'), incentive: () => t('motywacyjny', 'incentive'), loyalty: () => t('lojalnościowy', 'loyalty'), permitted_lottery: () => t('loteria', 'lottery') };
const BEARERS: Record<string, () => string> = { WITHHOLD: () => t('potrącany', 'withheld'), GROSS_UP: () => t('dopłaca płatnik', 'paid on top'), PARTICIPANT: () => t('uczestnik', 'the member'), PAYROLL: () => t('lista płac', 'payroll') };
const listed = (value: unknown, word: (key: string) => string): string => (value === '*' ? t('wszystkie', 'all') : Array.isArray(value) ? value.map((key) => word(String(key))).join(', ') : String(value));

/** The tax table: rows by version; one counts once an authorised person has confirmed it. */
function TaxTable() {
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [sure, setSure] = useState<Rule | null>(null);
  const [editing, setEditing] = useState<string | null>(null);
  const found = useQuery({ queryKey: ['tax-rules'], queryFn: () => api.listTaxRules() });
  const confirm = useMutation({ mutationFn: (rule: string) => api.confirmTaxRule({ params: { rule } }), onSuccess: async () => { setSure(null); told(t('Potwierdzony.', 'Confirmed.')); await client.invalidateQueries(); }, onError: (error, rule) => { setSure(null); failed(error, () => confirm.mutate(rule)); } });
  const save = useMutation({ mutationFn: (text: string) => api.saveTaxRule({ body: JSON.parse(text) as never }), onSuccess: async () => { setEditing(null); told(t('Zapisany jako następna wersja. Obowiązuje dopiero po potwierdzeniu.', 'Saved as the next version. It counts once confirmed.')); await client.invalidateQueries(); }, onError: (error, text) => failed(error, () => save.mutate(text)) });
  useUnsaved(editing !== null);
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  return (
    <>{asking}
      <Card><Text size="sm">{t('Do wypłaty musi pasować dokładnie jeden potwierdzony wiersz; inaczej wypłata czeka. To konfiguracja, nie porada podatkowa.', 'Exactly one confirmed row must fit a payout; otherwise the payout waits. This is configuration, not tax advice.')}</Text></Card>
      <Card title={t('Wiersze', 'Rows')}><Wide least={980}><table className="sheet words" style={{ width: '100%' }}><thead><tr><th scope="col">{t('Wiersz', 'Row')}</th><th scope="col">{t('Wersja', 'Version')}</th><th scope="col">{t('Forma programu', 'Legal form')}</th><th scope="col">{t('Uczestnik', 'Member is')}</th><th scope="col">{t('Zwolnienie do', 'Exempt up to')}</th><th scope="col">{t('Stawka', 'Rate')}</th><th scope="col">{t('Kto płaci', 'Who pays')}</th><th scope="col">{t('Druk', 'Form')}</th><th scope="col">{t('Potwierdził', 'Confirmed by')}</th><th scope="col"><span className="visually-hidden">{t('Działania', 'Actions')}</span></th></tr></thead>
        <tbody>{found.data.rules.map((row) => { const rule = row.rule as { code: string; match: { legal_form: unknown; status: unknown }; exempt: { threshold_minor: number } | null; rate_bp: number | null; bearer: string; form: string; legal_basis: string }; return <tr key={row.id}><td title={rule.legal_basis}>{rule.code}</td><td>{row.version}</td><td>{listed(rule.match.legal_form, (key) => FORMS[key]?.() ?? key)}</td><td>{listed(rule.match.status, (key) => STATUSES().find((item) => item.value === key)?.label ?? key)}</td><td>{rule.exempt ? amount((rule.exempt.threshold_minor / 100).toFixed(2)) : '–'}</td><td>{rule.rate_bp === null ? '–' : percent(rule.rate_bp)}</td><td>{BEARERS[rule.bearer]?.() ?? rule.bearer}</td><td>{rule.form === 'NONE' ? t('brak', 'none') : rule.form === 'PAYROLL' ? t('płace', 'payroll') : rule.form}</td><td>{row.confirmed_by ? <>{row.confirmed_by}, {row.confirmed_at ? day(row.confirmed_at) : ''}</> : <State tone="care">{t('niepotwierdzony', 'unconfirmed')}</State>}</td><td><Group gap="xs" wrap="nowrap" justify="flex-end">{row.confirmed_by === null && may('tax:confirm') ? <Button size="compact-xs" aria-label={t(`Potwierdź ${rule.code}`, `Confirm ${rule.code}`)} onClick={() => setSure(row)}>{t('Potwierdź', 'Confirm')}</Button> : null}{may('payouts:settings') ? <Button size="compact-xs" variant="default" aria-label={t(`Nowa wersja: ${rule.code}`, `New version: ${rule.code}`)} onClick={() => setEditing(JSON.stringify(row.rule, null, 2))}>{t('Nowa wersja', 'New version')}</Button> : null}</Group></td></tr>; })}</tbody></table></Wide></Card>
      {editing === null ? null : <Card title={t('Nowa wersja wiersza', 'A new version of a row')}><form onSubmit={(event) => { event.preventDefault(); save.mutate(editing); }}><Stack><Textarea label={t('Wiersz jako JSON', 'The row as JSON')} autosize minRows={10} className="mono" value={editing} onChange={(event) => setEditing(event.currentTarget.value)} /><Group justify="flex-end"><Button variant="default" onClick={() => setEditing(null)}>{t('Wróć', 'Back')}</Button><Button type="submit" loading={save.isPending}>{t('Zapisz', 'Save')}</Button></Group></Stack></form></Card>}
      <Confirm open={sure !== null} close={() => setSure(null)} title={t('Potwierdzić wiersz?', 'Confirm the row?')} word={t('Potwierdź', 'Confirm')} act={() => { if (sure) confirm.mutate(sure.id); }} busy={confirm.isPending}><Text>{t('Od tej chwili wiersz rozstrzyga o podatku nowych wypłat. Twoje nazwisko zostanie przy nim.', 'From now on the row decides the tax of new payouts. Your name stays with it.')}</Text></Confirm>
    </>
  );
}

/** A year by person and form, the deadlines, and the data of the forms with every check first. */
function Forms() {
  const { program, tenant } = useHere();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [year, setYear] = useState(today().slice(0, 4));
  const found = useQuery({ queryKey: ['tax-year', program.key, year], retry: false, queryFn: () => api.readTaxYear({ params: { program: program.key, year } }) });
  const made = useQuery({ queryKey: ['tax-forms', program.key], retry: false, queryFn: () => api.listTaxForms({ params: { program: program.key } }) });
  const make = useMutation({ mutationFn: (form: 'PIT-11' | 'PIT-8AR') => api.makeTaxForm({ params: { program: program.key, year }, body: { form } }), onSuccess: async (done) => { told(t(`Gotowe: osób ${count(done.people)}.`, `Made: ${count(done.people)} people.`)); await client.invalidateQueries(); }, onError: (error, form) => failed(error, () => make.mutate(form)) });
  const zl = (text: string): string => money(text, program.currency);
  return (
    <>{asking}
      <Group align="flex-end" mb="sm"><Select label={t('Rok', 'Year')} allowDeselect={false} value={year} onChange={(value) => setYear(value ?? year)} data={Array.from({ length: 4 }, (_, n) => String(Number(today().slice(0, 4)) - n))} />{(['PIT-11', 'PIT-8AR'] as const).map((form) => <Button key={form} variant="default" loading={make.isPending} onClick={() => make.mutate(form)}>{t(`Przygotuj dane ${form}`, `Make the data of ${form}`)}</Button>)}</Group>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : (
        <><Card title={t('Terminy', 'Deadlines')}><dl className="pairs">{Object.entries(found.data.due).map(([form, due]) => [<dt key={`${form}t`}>{form}</dt>, <dd key={form}>{t('urząd', 'office')} {day(due.office)}{due.person ? `, ${t('osoba', 'person')} ${day(due.person)}` : ''}</dd>])}</dl></Card>
          <Card title={t('Osoby', 'People')}>{found.data.people.length === 0 ? <Text c="dimmed">{t('W tym roku nikomu nic nie wydano.', 'Nothing was given to anybody that year.')}</Text> : <Wide least={680}><table className="sheet" style={{ width: '100%' }}><thead><tr><th scope="col">{t('Kto', 'Who')}</th><th scope="col">{t('Druk', 'Form')}</th><th scope="col">{t('Przychód', 'Income')}</th><th scope="col">{t('Podatek', 'Tax')}</th><th scope="col">{t('Korekty', 'Corrections')}</th><th scope="col">{t('Dane', 'Data')}</th></tr></thead><tbody>{found.data.people.map((person) => <tr key={`${person.member}${person.form}`}><td>{person.name ?? person.member}</td><td>{person.form}</td><td>{zl(person.income)}</td><td>{zl(person.tax)}</td><td>{person.corrected === '0.00' ? '–' : zl(person.corrected)}{person.after_form ? ` ${t('(po druku)', '(after the form)')}` : ''}</td><td>{person.form === 'NONE' ? '–' : person.profile ? t('są', 'given') : <State tone="care">{t('brak', 'missing')}</State>}</td></tr>)}</tbody></table></Wide>}</Card></>
      )}
      {made.data && made.data.forms.length > 0 ? <Card title={t('Przygotowane', 'Made')}><Wide least={680}><table className="sheet" style={{ width: '100%' }}><tbody>{made.data.forms.map((form) => <tr key={form.id}><td>{form.form} {form.year}, {t('wersja', 'version')} {form.version}</td><td>{t('osób', 'people')}: {count(form.people)}</td><td>{form.made_by}, {moment(form.made_at)}</td><td>{form.outdated ? <State tone="care">{t('potrzebna korekta', 'needs a correction')}</State> : null}</td><td><Button size="compact-xs" variant="default" aria-label={`CSV: ${form.form} ${form.year}, ${form.version}`} onClick={() => void download(`/v1/programs/${program.key}/tax-forms/${form.id}/file`, `${form.form}-${form.year}-${form.version}.csv`, { 'x-premia-tenant': tenant.key }).catch((error: unknown) => failed(error))}>CSV</Button></td></tr>)}</tbody></table></Wide></Card> : null}
    </>
  );
}

type PayoutSettings = { ordering: string; payer: { name: string; nip: string; address: string[]; account: string; bic: string }; approval: { kinds: string[]; from_minor: number; new_account_days: number; member_states: string[] }; bank: Record<string, unknown>; topup: Record<string, unknown>; fee_bp: number; redemption_rate_bp: number | null; unit_costs: Record<string, string> };

/** Payer, approval policy, fee, unit costs; bank profile and top-up template as they are written to files. */
function Settings() {
  const { program } = useHere();
  const may = useMay();
  const found = useQuery({ queryKey: ['payout-settings', program.key], queryFn: () => api.readPayoutSettings({ params: { program: program.key } }) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  // the contract leaves the settings' shape to the server, which fills in what is absent: here it is whole
  return <SettingsForm key={JSON.stringify(found.data.settings)} known={found.data.settings as unknown as PayoutSettings} may={may('payouts:settings')} />;
}

function SettingsForm({ known, may }: { known: PayoutSettings; may: boolean }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [draft, setDraft] = useState(known);
  const [files, setFiles] = useState(JSON.stringify({ bank: known.bank, topup: known.topup }, null, 2));
  const dirty = JSON.stringify(draft) !== JSON.stringify(known) || files !== JSON.stringify({ bank: known.bank, topup: known.topup }, null, 2);
  useUnsaved(dirty);
  const save = useMutation({ mutationFn: () => api.savePayoutSettings({ params: { program: program.key }, body: { ...draft, ...(JSON.parse(files) as object) } as never }), onSuccess: async () => { told(t('Zapisane.', 'Saved.')); await client.invalidateQueries(); }, onError: (error) => failed(error, () => save.mutate()) });
  const payer = (changes: Partial<PayoutSettings['payer']>): void => setDraft({ ...draft, payer: { ...draft.payer, ...changes } });
  return (
    <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>{asking}<fieldset disabled={!may} style={{ border: 0, padding: 0, margin: 0 }}><Stack gap="sm">
      <Card title={t('Płatnik', 'Payer')}><Stack gap="xs"><Group grow><TextInput label={t('Nazwa', 'Name')} value={draft.payer.name} onChange={(event) => payer({ name: event.currentTarget.value })} /><TextInput label={t('NIP', 'Tax id (NIP)')} value={draft.payer.nip} onChange={(event) => payer({ nip: event.currentTarget.value })} /></Group><TextInput label={t('Adres (linie po przecinku)', 'Address (lines by comma)')} value={draft.payer.address.join(', ')} onChange={(event) => payer({ address: event.currentTarget.value.split(',').map((line) => line.trim()).filter((line) => line !== '').slice(0, 3) })} /><Group grow><TextInput label={t('Rachunek', 'Account')} value={draft.payer.account} onChange={(event) => payer({ account: event.currentTarget.value.replace(/\s/g, '') })} /><TextInput label="BIC" value={draft.payer.bic} onChange={(event) => payer({ bic: event.currentTarget.value })} /></Group></Stack></Card>
      <Card title={t('Zamawianie i zatwierdzanie', 'Ordering and approval')}><Group align="flex-end"><Select label={t('Zamawianie', 'Ordering')} allowDeselect={false} value={draft.ordering} onChange={(value) => setDraft({ ...draft, ordering: value ?? 'open' })} data={[{ value: 'open', label: t('otwarte', 'open') }, { value: 'closed', label: t('wstrzymane', 'stopped') }]} /><TextInput label={t(`Człowiek zatwierdza od (${program.currency})`, `A person approves from (${program.currency})`)} inputMode="decimal" value={String(draft.approval.from_minor / 100)} onChange={(event) => setDraft({ ...draft, approval: { ...draft.approval, from_minor: Math.round(Number(event.currentTarget.value.replace(',', '.')) * 100) || 0 } })} /><TextInput label={t('Nowe konto: ostrożnie przez (dni)', 'A new account: with care for (days)')} inputMode="numeric" value={String(draft.approval.new_account_days)} onChange={(event) => setDraft({ ...draft, approval: { ...draft.approval, new_account_days: Number(event.currentTarget.value) || 0 } })} /><TextInput label={t('Opłata za obsługę (%)', 'Service fee (%)')} inputMode="decimal" value={String(draft.fee_bp / 100)} onChange={(event) => setDraft({ ...draft, fee_bp: Math.round(Number(event.currentTarget.value.replace(',', '.')) * 100) || 0 })} /></Group><Checkbox mt="sm" label={t('Zawieszeni uczestnicy mogą zamawiać, ale każde zamówienie zatwierdza człowiek', 'Suspended members may order, but a person approves each order')} checked={draft.approval.member_states.includes('suspended')} onChange={(event) => setDraft({ ...draft, approval: { ...draft.approval, member_states: event.currentTarget.checked ? ['suspended'] : [] } })} /></Card>
      <Card title={t('Wycena jednostek', 'What units are worth')}><Group align="flex-end">{program.units.map((unit) => <TextInput key={unit.key} label={t(`Koszt jednostki „${unit.key}” (${program.currency})`, `Cost of a “${unit.key}” (${program.currency})`)} inputMode="decimal" value={draft.unit_costs[unit.key] ?? ''} onChange={(event) => { const { [unit.key]: _, ...rest } = draft.unit_costs; const value = event.currentTarget.value.replace(',', '.'); setDraft({ ...draft, unit_costs: value === '' ? rest : { ...rest, [unit.key]: value } }); }} />)}<TextInput label={t('Spodziewane wydanie (%, puste: z kohort)', 'Expected redemption (%, empty: from cohorts)')} inputMode="decimal" value={draft.redemption_rate_bp === null ? '' : String(draft.redemption_rate_bp / 100)} onChange={(event) => { const value = event.currentTarget.value.replace(',', '.'); setDraft({ ...draft, redemption_rate_bp: value === '' ? null : Math.round(Number(value) * 100) || 0 }); }} /></Group></Card>
      <Card title={t('Pliki', 'Files')}><Textarea label={t('Profil banku i szablon doładowań (JSON)', 'Bank profile and top-up template (JSON)')} autosize minRows={8} className="mono" value={files} onChange={(event) => setFiles(event.currentTarget.value)} /></Card>
      {dirty ? <Group justify="flex-end"><Button variant="default" onClick={() => { setDraft(known); setFiles(JSON.stringify({ bank: known.bank, topup: known.topup }, null, 2)); }}>{t('Cofnij zmiany', 'Undo')}</Button><Button type="submit" loading={save.isPending}>{t('Zapisz ustawienia', 'Save the settings')}</Button></Group> : null}
    </Stack></fieldset></form>
  );
}
