import { Anchor, Button, Checkbox, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, count, day, inUnit, locale, moment, money, plural, said, t } from '@premia/ui';
import { useRef, useState } from 'react';
import { Link } from 'wouter';
import { DataTable } from './data-table.tsx';
import { ORDER_STATES, OrderState, download, kindOptions, kindWord } from './order-words.tsx';
import { Bones, Card, Failed, Head, told, useGuard, whoDid, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

type Row = Awaited<ReturnType<typeof api.listOrders>>['orders'][number];
type Action = 'pay' | 'ship' | 'deliver' | 'cancel' | 'return' | 'replace_code';
const MONEY = new Set(['prepaid', 'transfer']);
const CODES = new Set(['voucher', 'code']);

/** What a person may do with a piece in its state; the server has the last word. */
function actionsOf(row: Row): Action[] {
  const { state, kind } = row;
  if (state === 'awaiting_payment') return ['pay', 'cancel'];
  if (state === 'requested') return ['cancel'];
  if (state === 'approved') return [...(kind === 'goods' ? ['ship' as const] : MONEY.has(kind) || CODES.has(kind) ? [] : ['deliver' as const]), 'cancel'];
  if (state === 'shipped') return ['deliver', 'return'];
  if (state === 'issued') return ['replace_code', 'return'];
  return state === 'delivered' ? ['return'] : [];
}
const WORDS: Record<Action, () => string> = { pay: () => t('Zapłacone', 'Paid'), ship: () => t('Wyślij', 'Ship'), deliver: () => t('Zrealizowane', 'Done'), cancel: () => t('Anuluj', 'Cancel'), return: () => t('Zwrot', 'Return'), replace_code: () => t('Inny kod', 'Another code') };

/** Every piece of every order; those that wait are decided here, one or many at once. */
export function Orders() {
  const { program } = useHere();
  const may = useMay();
  const [chosen, setChosen] = useState<ReadonlyMap<string, Row>>(new Map());
  const choose = (row: Row): void => setChosen((now) => { const next = new Map(now); if (!next.delete(row.item)) next.set(row.item, row); return next; });
  return (
    <>
      <Head title={t('Zamówienia', 'Orders')} quiet={t('kto zamówił, ten nie zatwierdza', 'who ordered does not approve')} action={may('rewards:write') ? <Supplier /> : null} />
      {chosen.size > 0 ? <Decide rows={[...chosen.values()]} done={() => setChosen(new Map())} /> : null}
      <DataTable<Row> name="orders" file={`/v1/programs/${program.key}/orders`} keyOf={(row) => row.item} to={(row) => `/orders/${row.order}`} empty={t('Nikt jeszcze niczego nie zamówił.', 'Nobody has ordered anything yet.')}
        filters={[{ name: 'search', word: t('Kto, co, numer, przesyłka', 'Who, what, number, shipment') }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(ORDER_STATES).map(([value, word]) => ({ value, label: word()[1] })) }, { name: 'kind', word: t('Rodzaj', 'Kind'), options: kindOptions() }]}
        ask={async (page) => { const { orders, next } = await api.listOrders({ params: { program: program.key }, query: page as never }); return { rows: orders, next }; }}
        columns={[{ key: 'item', word: t('Nr', 'No.'), sorts: true, show: (row) => row.item }, { key: 'placed_at', word: t('Kiedy', 'When'), show: (row) => day(row.placed_at) }, { key: 'member', word: t('Uczestnik', 'Member'), sorts: true, show: (row) => <>{row.name ?? row.member}{row.name ? <Text span size="xs" c="dimmed"> {row.member}</Text> : null}</> }, { key: 'reward', word: t('Nagroda', 'Reward'), sorts: true, show: (row) => said(row.reward_name) },
          { key: 'kind', word: t('Rodzaj', 'Kind'), show: (row) => kindWord(row.kind), hidden: true }, { key: 'units', word: t('Jednostki', 'Units'), sorts: true, number: true, show: (row) => inUnit(row.units, row.unit, program.units) }, { key: 'worth', word: t('Wartość', 'Worth'), sorts: true, number: true, show: (row) => money(row.worth, program.currency) }, { key: 'cost', word: t('Koszt', 'Cost'), number: true, show: (row) => (row.cost === null ? '–' : money(row.cost, program.currency)), hidden: true }, { key: 'state', word: t('Stan', 'State'), sorts: true, show: (row) => <OrderState state={row.state} /> }, { key: 'reason', word: t('Uwaga', 'Note'), show: (row) => (row.reason === 'account' ? t('zmieniło się konto', 'the account has changed') : row.reason ?? '–') },
          { key: 'approved_by', word: t('Zatwierdził', 'Approved by'), show: (row) => (row.approved_by === 'policy' ? t('zasada', 'policy') : row.approved_by ?? '–'), hidden: true }, { key: 'batch', word: t('Paczka', 'Batch'), show: (row) => (row.batch ? <Anchor component={Link} href={`/payouts/${row.batch}`}>{row.batch}</Anchor> : '–'), hidden: true }]}
        {...(may('payouts:approve') || may('rewards:write') ? { lastColumn: (row: Row) => <Checkbox aria-label={t(`Wybierz ${row.item}`, `Choose ${row.item}`)} checked={chosen.has(row.item)} onChange={() => choose(row)} /> } : {})} />
    </>
  );
}

/** To a supplier and back: approved goods with their addresses as a file, and what was sent, under which number. */
function Supplier() {
  const { program, tenant } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const input = useRef<HTMLInputElement>(null);
  const take = useMutation({ mutationFn: async (file: File) => api.importShipments({ params: { program: program.key }, body: { text: await file.text() } }), onSuccess: async (done) => { told(t(`Wysłane: ${count(done.shipped)}, znane już: ${count(done.already)}.`, `Shipped: ${count(done.shipped)}, known already: ${count(done.already)}.`)); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  const columns = [`item:${t('pozycja', 'item')}`, 'reward', `reward_name:${t('nagroda', 'name')}`, 'supplier', 'name', 'street', 'postcode', 'city', 'phone'].join(',');
  return (
    <><Button variant="default" onClick={() => void download(`/v1/programs/${program.key}/shipments.csv?columns=${encodeURIComponent(columns)}`, 'shipments.csv', { 'x-premia-tenant': tenant.key, 'accept-language': locale() }).catch((error: unknown) => failed(error))}>{t('Lista dla dostawcy', 'List for the supplier')}</Button>
      <input ref={input} hidden type="file" accept=".csv,.txt" onChange={(event) => { const [file] = event.target.files ?? []; if (file) take.mutate(file); event.target.value = ''; }} /><Button variant="default" loading={take.isPending} onClick={() => input.current?.click()}>{t('Wczytaj przesyłki', 'Read shipments')}</Button></>
  );
}

/** What can be done with the chosen pieces, with its consequence in numbers. */
function Decide({ rows, done }: { rows: readonly Row[]; done: () => void }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [what, setWhat] = useState<Action | 'approve' | 'reject' | null>(null);
  const [text, setText] = useState({ reason: '', carrier: '', tracking: '' });
  const items = rows.map((row) => row.item);
  const params = { program: program.key };
  const act = useMutation({
    mutationFn: async (action: Action | 'approve' | 'reject') => {
      const given = Object.fromEntries(Object.entries(text).filter(([, value]) => value.trim() !== ''));
      if (action === 'approve') return api.approveItems({ params, body: { items } });
      if (action === 'reject') return api.rejectItems({ params, body: { items, reason: text.reason } });
      return api.moveItems({ params, body: { items, action, ...given } });
    },
    onSuccess: async () => { setWhat(null); setText({ reason: '', carrier: '', tracking: '' }); told(t('Zrobione.', 'Done.')); done(); await client.invalidateQueries(); }, onError: (error, action) => failed(error, () => act.mutate(action)),
  });
  const common = rows.map(actionsOf).reduce((all, some) => all.filter((action) => some.includes(action)));
  const allRequested = rows.every((row) => row.state === 'requested');
  const rejectable = rows.every((row) => ['requested', 'awaiting_payment', 'approved'].includes(row.state));
  const worth = rows.reduce((sum, row) => sum + Math.round(Number(row.worth) * 100), 0);
  const needsReason = what === 'reject' || what === 'return' || what === 'replace_code';
  const title = what === 'approve' ? t('Zatwierdzić?', 'Approve?') : what === 'reject' ? t('Odrzucić? Punkty wrócą.', 'Turn down? The units return.') : what === null ? '' : `${WORDS[what]()}?`;
  return (
    <Card title={plural(rows.length, ['wybrana pozycja', 'wybrane pozycje', 'wybranych pozycji'], ['chosen piece', 'chosen pieces'])} action={<Button variant="default" size="compact-md" onClick={done}>{t('Odznacz', 'Clear')}</Button>}>
      {asking}
      <Group gap="xs">
        {may('payouts:approve') && allRequested ? <Button size="compact-md" onClick={() => setWhat('approve')}>{t('Zatwierdź', 'Approve')}</Button> : null}
        {may('payouts:approve') && rejectable ? <Button size="compact-md" variant="default" onClick={() => setWhat('reject')}>{t('Odrzuć', 'Reject')}</Button> : null}
        {may('rewards:write') ? common.map((action) => <Button key={action} size="compact-md" variant="default" onClick={() => setWhat(action)}>{WORDS[action]()}</Button>) : null}
        {common.length === 0 && !allRequested && !rejectable ? <Text size="sm" c="dimmed">{t('Z tymi pozycjami nic nie da się teraz zrobić razem.', 'Nothing can be done with these together now.')}</Text> : null}
      </Group>
      <Modal opened={what !== null} onClose={() => setWhat(null)} title={title} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}><form onSubmit={(event) => { event.preventDefault(); if (what) act.mutate(what); }}><Stack>
        <Text>{plural(rows.length, ['pozycja', 'pozycje', 'pozycji'], ['piece', 'pieces'])}, {money((worth / 100).toFixed(2), program.currency)}: {rows.slice(0, 5).map((row) => `${row.name ?? row.member} – ${said(row.reward_name)}`).join('; ')}{rows.length > 5 ? ' …' : ''}</Text>
        {what === 'ship' ? <><label className="field">{t('Przewoźnik', 'Carrier')}<input required maxLength={100} value={text.carrier} onChange={(event) => setText({ ...text, carrier: event.target.value })} /></label><label className="field">{t('Numer przesyłki', 'Shipment number')}<input maxLength={100} value={text.tracking} onChange={(event) => setText({ ...text, tracking: event.target.value })} /></label></> : null}
        {needsReason || what === 'pay' ? <label className="field">{what === 'pay' ? t('Jak zapłacono', 'How it was paid') : t('Powód – uczestnik go przeczyta', 'Reason – the member will read it')}<textarea required={needsReason} maxLength={500} rows={3} value={text.reason} onChange={(event) => setText({ ...text, reason: event.target.value })} /></label> : null}
        <Group justify="flex-end"><Button variant="default" onClick={() => setWhat(null)}>{t('Wróć', 'Back')}</Button><Button type="submit" loading={act.isPending}>{what === 'approve' ? t('Zatwierdź', 'Approve') : what === 'reject' ? t('Odrzuć', 'Reject') : what === null ? '' : WORDS[what]()}</Button></Group>
      </Stack></form></Modal>
    </Card>
  );
}

/** One order: its pieces with their steps, tax and proof. */
export function Order({ id = '' }: { id?: string }) {
  const { program, tenant } = useHere();
  const may = useMay();
  const { failed } = useGuard();
  const found = useQuery({ queryKey: ['console-order', program.key, id], queryFn: () => api.readOrder({ params: { program: program.key, order: id } }) });
  const evidence = (item: string): void => { void download(`/v1/programs/${program.key}/items/${item}/evidence`, `evidence-${item}.json`, { 'x-premia-tenant': tenant.key }).catch(failed); };
  if (found.isPending) return <Bones />;
  if (found.isError) return <><Head title={t('Zamówienie', 'Order')} trail={[['/orders', t('Zamówienia', 'Orders')]]} /><Failed error={found.error} again={() => void found.refetch()} /></>;
  const { items, address } = found.data;
  const [first] = items;
  return (
    <>
      <Head title={`${t('Zamówienie', 'Order')} ${id}`} trail={[['/orders', t('Zamówienia', 'Orders')]]} quiet={moment(found.data.placed_at)} />
      {first ? <Card title={t('Dla kogo', 'For whom')}><Text><Anchor component={Link} href={`/members/${encodeURIComponent(first.member)}`}>{first.name ?? first.member}</Anchor> <Text span c="dimmed">{first.member}</Text></Text>{address ? <Text size="sm">{address.name}, {address.street}, {address.postcode} {address.city}{address.phone ? `, ${address.phone}` : ''}</Text> : null}</Card> : null}
      {items.map((item) => (
        <Card key={item.item} title={<>{said(item.reward_name)} <OrderState state={item.state} /></>} action={may('audit:read') ? <Button size="compact-md" variant="default" aria-label={t(`Dowody pozycji ${item.item}`, `Evidence of piece ${item.item}`)} onClick={() => evidence(item.item)}>{t('Dowody', 'Evidence')}</Button> : null}>
          <dl className="pairs"><dt>{t('Jednostki', 'Units')}</dt><dd>{inUnit(item.units, item.unit, program.units)}</dd><dt>{t('Wartość', 'Worth')}</dt><dd>{money(item.worth, program.currency)}</dd>{item.cost ? <><dt>{t('Koszt', 'Cost')}</dt><dd>{money(item.cost, program.currency)}</dd></> : null}{item.tax ? <><dt>{t('Podatek', 'Tax')}</dt><dd>{item.tax.code}, {item.tax.form}: {money(item.tax.tax, program.currency)}</dd><dt>{t('Do wypłaty', 'Paid out')}</dt><dd>{money(item.tax.pay, program.currency)}</dd></> : null}{item.account ? <><dt>{t('Konto', 'Account')}</dt><dd>… {item.account}</dd></> : null}{item.carrier ? <><dt>{t('Przesyłka', 'Shipment')}</dt><dd>{item.carrier} {item.tracking}</dd></> : null}{item.batch ? <><dt>{t('Paczka', 'Batch')}</dt><dd><Anchor component={Link} href={`/payouts/${item.batch}`}>{item.batch}</Anchor></dd></> : null}</dl>
          <Wide><table className="sheet words"><thead><tr><th scope="col">{t('Krok', 'Step')}</th><th scope="col">{t('Kiedy', 'When')}</th><th scope="col">{t('Kto', 'Who')}</th><th scope="col">{t('Powód', 'Reason')}</th></tr></thead><tbody>{item.steps.map((step, index) => <tr key={index}><td>{ORDER_STATES[step.state]?.()[1] ?? step.state}</td><td>{moment(step.at)}</td><td>{whoDid(step.by)}</td><td>{step.reason ?? '–'}</td></tr>)}</tbody></table></Wide>
        </Card>
      ))}
      {items.length > 0 && (may('payouts:approve') || may('rewards:write')) ? <Decide rows={items} done={() => void found.refetch()} /> : null}
    </>
  );
}
