import { Anchor, Button, Select, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, day, inUnit, said, t } from '@premia/ui';
import { Link } from 'wouter';
import { OrderState } from './order-words.tsx';
import { Bones, Card, Failed, told, useGuard, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

/** What a member can be for the tax office. */
export const STATUSES = (): { value: string; label: string }[] => [['CONSUMER', t('osoba prywatna', 'private person')], ['PARTNER_EMPLOYEE', t('pracownik firmy partnerskiej', 'employee of a partner company')], ['OWN_EMPLOYEE', t('pracownik organizatora', 'the organizer’s employee')], ['SOLE_TRADER', t('działalność gospodarcza', 'sole trader')], ['COMPANY', t('firma', 'company')]].map(([value = '', label = '']) => ({ value, label }));

const LABELS = (): [string, string][] => [['first_name', t('Imię', 'First name')], ['last_name', t('Nazwisko', 'Last name')], ['identifier', t('PESEL albo NIP', 'PESEL or NIP')], ['birth_date', t('Data urodzenia', 'Date of birth')], ['street', t('Ulica i numer', 'Street and number')], ['postcode', t('Kod pocztowy', 'Postcode')], ['city', t('Miejscowość', 'City')], ['tax_office', t('Urząd skarbowy', 'Tax office')], ['resident', t('Rezydent', 'Resident')]];

/** What a member ordered, and what they are for the tax office. */
export function MemberRewards({ member }: { member: string }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const params = { program: program.key, member };
  const orders = useQuery({ queryKey: ['member-orders', program.key, member], queryFn: () => api.listOrders({ params: { program: program.key }, query: { member, limit: 100 } }) });
  const set = useMutation({ mutationFn: (status: string) => api.setTaxStatus({ params, body: { status: status as 'COMPANY' } }), onSuccess: async () => { told(t('Zapisane.', 'Saved.')); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  const show = useMutation({ mutationFn: () => api.readTaxProfile({ params }), onError: (error) => failed(error, () => show.mutate()) });
  return (
    <>{asking}
      <Card title={t('Zamówienia', 'Orders')}>{orders.isPending ? <Bones rows={3} /> : orders.isError ? <Failed error={orders.error} again={() => void orders.refetch()} /> : orders.data.orders.length === 0 ? <Text c="dimmed">{t('Niczego jeszcze nie zamówił.', 'Nothing was ordered yet.')}</Text> : <Wide least={520}><table className="sheet words" style={{ width: '100%' }}><thead><tr><th scope="col">{t('Nr', 'No.')}</th><th scope="col">{t('Kiedy', 'When')}</th><th scope="col">{t('Nagroda', 'Reward')}</th><th scope="col" className="number">{t('Jednostki', 'Units')}</th><th scope="col">{t('Stan', 'State')}</th></tr></thead><tbody>{orders.data.orders.map((row) => <tr key={row.item}><td><Anchor component={Link} href={`/orders/${row.order}`}>{row.item}</Anchor></td><td>{day(row.placed_at)}</td><td>{said(row.reward_name)}</td><td className="number">{inUnit(row.units, row.unit, program.units)}</td><td><OrderState state={row.state} /></td></tr>)}</tbody></table></Wide>}</Card>
      <Card title={t('Podatek', 'Tax')}>
        {may('members:write') ? <Select label={t('Kim jest dla urzędu skarbowego', 'What they are for the tax office')} placeholder={t('jak wynika z danych', 'as the data say')} data={STATUSES()} value={null} onChange={(status) => { if (status) set.mutate(status); }} maw={360} mb="sm" /> : null}
        {may('tax:read') ? (show.data ? <dl className="pairs"><dt>{t('Status', 'Status')}</dt><dd>{STATUSES().find((item) => item.value === show.data.status)?.label ?? show.data.status}</dd>{LABELS().map(([name, word]) => { const value = show.data.data?.[name]; return value === undefined ? null : [<dt key={`${name}t`}>{word}</dt>, <dd key={name}>{typeof value === 'boolean' ? (value ? t('tak', 'yes') : t('nie', 'no')) : String(value)}</dd>]; })}</dl> : <Button variant="default" size="compact-md" loading={show.isPending} onClick={() => show.mutate()}>{t('Pokaż dane do podatku', 'Show the data for the tax office')}</Button>) : <Text size="sm" c="dimmed">{t('Dane do podatku widzi ten, kto ma do tego uprawnienie.', 'The data for the tax office show to whoever is permitted.')}</Text>}
        {may('tax:read') ? <Text size="xs" c="dimmed" mt="xs">{t('Każde obejrzenie jest zapisywane w dzienniku.', 'Every look is recorded in the audit.')}</Text> : null}
      </Card>
    </>
  );
}
