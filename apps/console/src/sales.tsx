import { Anchor, Button, Group, Select, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { api, amount, day, money, t, useLanguage } from '@premia/ui';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Explained } from './explained.tsx';
import { Bones, Card, Confirm, Failed, Head, State, told, useGuard, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

type Row = Awaited<ReturnType<typeof api.listDocuments>>['documents'][number];
export const KINDS: Record<string, () => string> = { sale: () => t('sprzedaż', 'sale'), return: () => t('zwrot', 'return'), correction: () => t('korekta', 'correction') };

/** Documents as partners sent them. */
export function Sales() {
  const { program } = useHere();
  return (
    <>
      <Head title={t('Sprzedaż', 'Sales')} />
      <DataTable<Row> name="documents" file={`/v1/programs/${program.key}/documents`} keyOf={(row) => row.id} to={(row) => `/sales/${row.id}`} empty={t('Nie ma jeszcze żadnego dokumentu. Zacznij od importu.', 'There is no document yet. Begin with an import.')} emptyAction={<Anchor component={Link} href="/imports">{t('Importy', 'Imports')}</Anchor>}
        filters={[{ name: 'search', word: t('Numer', 'Number') }, { name: 'member', word: t('Kod uczestnika', 'Member code') }, { name: 'kind', word: t('Rodzaj', 'Kind'), options: Object.entries(KINDS).map(([value, word]) => ({ value, label: word() })) }, { name: 'from', word: t('Od', 'From'), kind: 'day' }, { name: 'to', word: t('Do', 'To'), kind: 'day' }]}
        ask={async (page) => { const { documents, next } = await api.listDocuments({ params: { program: program.key }, query: page as never }); return { rows: documents, next }; }}
        columns={[{ key: 'number', sorts: true, word: t('Numer', 'Number'), show: (row) => row.number }, { key: 'kind', sorts: true, word: t('Rodzaj', 'Kind'), show: (row) => <>{KINDS[row.kind]?.() ?? row.kind}{row.waiting ? <> <State tone="care">{t('czeka na fakturę', 'waits for its invoice')}</State></> : null}</> }, { key: 'occurred_on', sorts: true, word: t('Data', 'Date'), show: (row) => day(row.occurred_on) }, { key: 'buyer', word: t('Kupujący', 'Buyer'), show: (row) => row.buyer?.replace(/^code:/, '') ?? '–' }, { key: 'rep', word: t('Przedstawiciel', 'Rep'), show: (row) => row.rep?.replace(/^code:/, '') ?? '–' }, { key: 'source', sorts: true, word: t('Źródło', 'Source'), show: (row) => row.source, hidden: true }, { key: 'base', word: t('Dotyczy', 'Corrects'), show: (row) => row.base ?? '', hidden: true }, { key: 'lines', word: t('Pozycji', 'Lines'), number: true, show: (row) => amount(String(row.lines)) }, { key: 'net', word: t('Netto', 'Net'), number: true, show: (row) => money(row.net, program.currency) }]} />
    </>
  );
}

/** One document: what came, what corrects it, who was credited – and what every rule made of it. */
export function Document({ id = '' }: { id?: string }) {
  const { program } = useHere();
  const may = useMay();
  const language = useLanguage();
  const found = useQuery({ queryKey: ['document', program.key, id], queryFn: () => api.readDocument({ params: { program: program.key, document: id } }) });
  const [chosen, choose] = useState<string | null>(null);
  const [moving, setMoving] = useState(false);
  const member = chosen ?? found.data?.credited[0]?.member ?? null;
  const explained = useQuery({ queryKey: ['explain', program.key, id, member, language], enabled: member !== null, queryFn: () => api.explain({ params: { program: program.key, member: member ?? '' }, query: { document: found.data?.number, locale: language === 'pl' ? 'pl' : 'en' } }) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  const one = found.data;
  return (
    <>
      <Head title={one.number} trail={[['/sales', t('Sprzedaż', 'Sales')]]} quiet={`${KINDS[one.kind]?.() ?? one.kind}, ${day(one.occurred_on)}, ${one.source}`} action={may('rules:propose') && one.credited.length > 0 ? <Button variant="default" onClick={() => setMoving(true)}>{t('Zapisz na kogoś innego', 'Credit to somebody else')}</Button> : null} />
      <div className="two">
        <div>
          <Card title={t('Pozycje', 'Lines')}><Wide><table className="sheet"><thead><tr><th scope="col">{t('Produkt', 'Product')}</th><th scope="col">{t('Ilość', 'Quantity')}</th><th scope="col">{t('Netto', 'Net')}</th></tr></thead><tbody>{one.items.map((item) => <tr key={item.line}><td>{item.product ?? '–'}{item.name ? <Text span c="dimmed" size="sm"> {item.name}</Text> : null}</td><td>{amount(item.quantity)}</td><td>{money(item.net, program.currency)}</td></tr>)}</tbody><tfoot><tr><td>{t('Razem', 'Total')}</td><td /><td><strong>{money(one.net, program.currency)}</strong></td></tr></tfoot></table></Wide></Card>
          {one.corrected || one.base ? <Card title={t('Koryguje', 'Corrects')}>{one.corrected ? <Related document={one.corrected} /> : <Text>{one.base} – <State tone="care">{t('jeszcze nie przyszła', 'not here yet')}</State></Text>}</Card> : null}
          {one.corrections.length > 0 ? <Card title={t('Korekty tego dokumentu', 'Corrections of this document')}>{one.corrections.map((item) => <Related key={item.id} document={item} />)}</Card> : null}
          <Card title={t('Na kogo zapisane', 'Who was credited')}>{one.credited.length === 0 ? <Text c="dimmed">{t('Na nikogo: kupujący lub przedstawiciel nie jest w programie.', 'Nobody: the buyer or the rep is not in the program.')}</Text> : <dl className="pairs">{one.credited.map((item) => [<dt key={`${item.member}${item.role}t`}><Anchor component={Link} href={`/members/${encodeURIComponent(item.member)}`}>{item.name ?? item.member}</Anchor> · {ROLES[item.role]?.() ?? item.role}</dt>, <dd key={`${item.member}${item.role}`} className="number">{money(item.net, program.currency)}</dd>])}</dl>}</Card>
        </div>
        <Card title={t('Dlaczego tyle', 'Why that much')} action={one.credited.length > 1 ? <Select aria-label={t('Dla kogo', 'For whom')} size="xs" w={220} data={[...new Map(one.credited.map((item) => [item.member, { value: item.member, label: item.name ?? item.member }])).values()]} value={member} onChange={choose} allowDeselect={false} /> : null}>
          {member === null ? <Text c="dimmed">{t('Nie ma komu wyjaśniać.', 'There is nobody to explain it to.')}</Text> : explained.isPending ? <Bones rows={4} /> : explained.isError ? <Failed error={explained.error} again={() => void explained.refetch()} /> : <Explained all={explained.data.explanations} />}
        </Card>
      </div>
      {moving ? <Recredit document={one} close={() => setMoving(false)} /> : null}
    </>
  );
}

export const ROLES: Record<string, () => string> = { buyer: () => t('kupujący', 'buyer'), seller: () => t('sprzedający', 'seller'), rep: () => t('przedstawiciel', 'rep'), self: () => t('własne', 'own') };
const Related = ({ document }: { document: Row }) => { const { program } = useHere(); return <Group justify="space-between"><Anchor component={Link} href={`/sales/${document.id}`}>{document.number}</Anchor><Text size="sm">{day(document.occurred_on)} · {money(document.net, program.currency)}</Text></Group>; };

/** A change of the past: proposed with its preview, decided by a second person. */
function Recredit({ document, close }: { document: { source: string; number: string; credited: { role: string }[] }; close: () => void }) {
  const { program } = useHere();
  const [, go] = useLocation();
  const { failed, asking } = useGuard();
  const [role, setRole] = useState(document.credited[0]?.role ?? 'buyer');
  const [member, setMember] = useState('');
  const [reason, setReason] = useState('');
  const propose = useMutation({ mutationFn: () => api.proposeRecalculation({ params: { program: program.key }, body: { reason, change: { kind: 'recredit', source: document.source, document: document.number, role: role as 'buyer', member } } }), onSuccess: () => { told(t('Zaproponowane. Czeka na drugą osobę.', 'Proposed. It waits for a second person.')); go('/approvals'); }, onError: (error) => failed(error) });
  return (
    <Confirm open close={close} title={t('Zapisz na kogoś innego', 'Credit to somebody else')} word={t('Zaproponuj zmianę', 'Propose the change')} act={() => propose.mutate()} busy={propose.isPending}>{asking}
      <Text size="sm">{t('To zmiana przeszłości. Punkty przejdą dopiero, gdy zatwierdzi ją inna osoba; zobaczy skutek w liczbach.', 'This changes the past. Points move when another person approves it; they see the consequence in numbers.')}</Text>
      <Select label={t('Rola', 'Role')} data={[...new Set(document.credited.map((item) => item.role))].map((value) => ({ value, label: ROLES[value]?.() ?? value }))} value={role} onChange={(value) => setRole(value ?? role)} allowDeselect={false} />
      <label className="field">{t('Kod uczestnika, na którego ma być', 'Code of the member it should be credited to')}<input value={member} onChange={(event) => setMember(event.target.value)} /></label>
      <label className="field">{t('Powód', 'Reason')}<textarea rows={2} value={reason} onChange={(event) => setReason(event.target.value)} /></label>
    </Confirm>
  );
}
