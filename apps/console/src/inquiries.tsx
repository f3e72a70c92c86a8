import { Anchor, Button, Checkbox, Drawer, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, moment, t } from '@premia/ui';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Bones, Failed, Head, State, told, useGuard } from './parts.tsx';
import { useHere, useMay } from './place.ts';

type Row = Awaited<ReturnType<typeof api.listInquiries>>['inquiries'][number];
const STATES: Record<string, () => ['good' | 'care' | 'plain', string]> = { open: () => ['care', t('czeka', 'waits')], answered: () => ['good', t('odpowiedź wysłana', 'answered')], closed: () => ['plain', t('zamknięte', 'closed')] };

/** Members' questions, the longest waiting first. */
export function Inquiries({ id }: { id?: string }) {
  const { program } = useHere();
  const [, go] = useLocation();
  return (
    <>
      <Head title={t('Zgłoszenia', 'Inquiries')} />
      <DataTable<Row> name="inquiries" file={`/v1/programs/${program.key}/inquiries`} keyOf={(row) => row.id} to={(row) => `/inquiries/${row.id}`} empty={t('Nikt jeszcze o nic nie zapytał.', 'Nobody has asked anything yet.')} filters={[{ name: 'search', word: t('Temat, dokument, kto', 'Subject, document, who') }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(STATES).map(([value, word]) => ({ value, label: word()[1] })) }, { name: 'member', word: t('Kod uczestnika', 'Member code') }]}
        ask={async (page) => { const { inquiries, next } = await api.listInquiries({ params: { program: program.key }, query: page as never }); return { rows: inquiries, next }; }}
        columns={[{ key: 'subject', sorts: true, word: t('Temat', 'Subject'), show: (row) => row.subject }, { key: 'name', sorts: true, word: t('Kto', 'Who'), show: (row) => row.name ?? row.member }, { key: 'document', sorts: true, word: t('Dokument', 'Document'), show: (row) => row.document ?? '' }, { key: 'state', sorts: true, word: t('Stan', 'State'), show: (row) => { const [tone, word] = STATES[row.state]?.() ?? ['plain', row.state]; return <State tone={tone}>{word}</State>; } }, { key: 'opened_at', sorts: true, word: t('Zgłoszone', 'Asked'), show: (row) => moment(row.opened_at) }]} />
      <Drawer opened={id !== undefined} onClose={() => go('/inquiries')} position="right" size="lg" title={t('Zgłoszenie', 'Inquiry')} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>{id === undefined ? null : <Inquiry id={id} />}</Drawer>
    </>
  );
}

function Inquiry({ id }: { id: string }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [body, setBody] = useState('');
  const [close, setClose] = useState(false);
  const found = useQuery({ queryKey: ['inquiry', program.key, id], queryFn: () => api.readInquiry({ params: { program: program.key, inquiry: id } }) });
  const answer = useMutation({ mutationFn: () => api.answerInquiry({ params: { program: program.key, inquiry: id }, body: { body, close } }), onSuccess: async () => { setBody(''); told(t('Odpowiedź wysłana.', 'The answer is sent.')); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  const one = found.data;
  return (
    <Stack>
      <Text fw={600}>{one.subject}</Text>
      <Text size="sm"><Anchor component={Link} href={`/members/${encodeURIComponent(one.member)}`}>{one.name ?? one.member}</Anchor>{one.document ? <> · {t('dokument', 'document')} <Anchor component={Link} href={`/sales?search=${encodeURIComponent(one.document)}`}>{one.document}</Anchor></> : null} · <Anchor component={Link} href={`/members/${encodeURIComponent(one.member)}?tab=why`}>{t('sprawdź dlaczego', 'check why')}</Anchor></Text>
      <ul className="talk">{one.messages.map((message, index) => <li key={index}><p>{message.body}</p><Text size="xs" c="dimmed">{message.from_member ? one.name ?? one.member : message.author}, {moment(message.at)}</Text></li>)}</ul>
      {one.state !== 'closed' && may('inquiries:write') ? <form onSubmit={(event) => { event.preventDefault(); answer.mutate(); }}><Stack><label className="field">{t('Odpowiedź', 'Answer')}<textarea rows={5} required value={body} onChange={(event) => setBody(event.target.value)} /></label><Checkbox label={t('Zamknij po odpowiedzi', 'Close after answering')} checked={close} onChange={(event) => setClose(event.currentTarget.checked)} /><Button type="submit" loading={answer.isPending}>{t('Wyślij odpowiedź', 'Send the answer')}</Button></Stack></form> : null}
    </Stack>
  );
}
