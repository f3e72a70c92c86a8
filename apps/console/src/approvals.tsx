import { Anchor, Button, Group, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, count, inUnit, month, plural, signed, t } from '@premia/ui';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import { Bones, Card, Confirm, Empty, Failed, Head, told, useGuard, Wide } from './parts.tsx';
import { useMechanicNames } from './mechanics.tsx';
import { useHere, useMay } from './place.ts';

/** One queue of everything that waits for a second person, each with its consequence in numbers. */
export function Approvals() {
  const { program } = useHere();
  const may = useMay();
  const called = useMechanicNames();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const params = { program: program.key };
  const all = useQuery({ queryKey: ['approvals', program.key], queryFn: async () => ({ imports: (await api.listImports({ params, query: { state: 'staged', limit: 50 } })).imports, recalculations: (await api.listRecalculations({ params, query: { state: 'proposed', limit: 50 } })).recalculations, adjustments: (await api.listAdjustments({ params, query: { state: 'proposed', limit: 50 } })).adjustments, awards: (await api.listWaitingAwards({ params, query: {} })).awards, late: (await api.listLate({ params, query: {} })).late }) });
  const act = useMutation({ mutationFn: (work: () => Promise<unknown>) => work(), onSuccess: async () => { told(t('Zrobione.', 'Done.')); await client.invalidateQueries(); }, onError: (error, work) => failed(error, () => act.mutate(work)) });
  if (all.isPending) return <Bones />;
  if (all.isError) return <Failed error={all.error} again={() => void all.refetch()} />;
  const { imports, recalculations, adjustments, awards, late } = all.data;
  const groups = Object.entries(Object.groupBy(awards, (award) => `${award.mechanic}\u0000${award.window}\u0000${award.unit}`) as Record<string, typeof awards>);
  const nothing = imports.length + recalculations.length + adjustments.length + awards.length + late.length === 0;
  const run = (work: () => Promise<unknown>) => () => act.mutate(work);
  return (
    <>
      {asking}
      <Head title={t('Do zatwierdzenia', 'Approvals')} quiet={t('kto zaproponował, ten nie zatwierdza', 'who proposed does not approve')} />
      {nothing ? <Empty>{t('Nic nie czeka na drugą osobę.', 'Nothing waits for a second person.')}</Empty> : null}
      <div className="grid" style={{ gridTemplateColumns: 'minmax(0, 1fr)' }}>
        {imports.map((item) => <Card key={`i${item.id}`} title={<>{t('Import', 'Import')}: <Anchor component={Link} href={`/imports/${item.id}`}>{item.parts.join(', ') || `#${item.id}`}</Anchor></>}><Text>{t(`${plural(Number(item.counts['new'] ?? 0), ['nowy wiersz', 'nowe wiersze', 'nowych wierszy'], ['', ''])}, w kwarantannie ${count(Number(item.counts['quarantined'] ?? 0))}.`, `${plural(Number(item.counts['new'] ?? 0), ['', '', ''], ['new line', 'new lines'])}, ${count(Number(item.counts['quarantined'] ?? 0))} set aside.`)} <Anchor component={Link} href={`/imports/${item.id}`}>{t('Zobacz, co by przyniósł', 'See what it would award')}</Anchor></Text></Card>)}
        {recalculations.map((item) => <Item key={`r${item.id}`} title={`${t('Przeliczenie', 'Recalculation')}: ${item.reason}`} allowed={may('rules:approve')} word={t('Zatwierdź przeliczenie', 'Approve the recalculation')} busy={act.isPending}
          approve={run(() => api.approveRecalculation({ params: { ...params, recalculation: item.id } }))} reject={run(() => api.rejectRecalculation({ params: { ...params, recalculation: item.id } }))}
          sure={item.preview.mechanics.filter((line) => line.changed > 0).map((line) => `${called(line.mechanic)}: ${plural(line.changed, ['osoba', 'osoby', 'osób'], ['person', 'people'])}, ${inUnit(String(Number(line.after) - Number(line.before)), line.unit, program.units, true)}`).join('; ')}>
          <Text size="sm">{t(`Zyskuje ${count(item.preview.winners)}, traci ${count(item.preview.losers)}, bez zmian ${count(item.preview.unchanged)}.`, `${count(item.preview.winners)} gain, ${count(item.preview.losers)} lose, ${count(item.preview.unchanged)} stay the same.`)}</Text>
          <Wide><table className="sheet"><thead><tr><th scope="col">{t('Mechanika', 'Mechanic')}</th><th scope="col">{t('Było', 'Before')}</th><th scope="col">{t('Będzie', 'After')}</th><th scope="col">{t('Różnica', 'Difference')}</th><th scope="col">{t('Osób', 'People')}</th></tr></thead><tbody>{item.preview.mechanics.filter((line) => line.changed > 0).map((line) => <tr key={`${line.mechanic}${line.unit}`}><td>{called(line.mechanic)}</td><td>{inUnit(line.before, line.unit, program.units)}</td><td>{inUnit(line.after, line.unit, program.units)}</td><td>{signed(String(Number(line.after) - Number(line.before)))}</td><td>{count(line.changed)}</td></tr>)}</tbody></table></Wide>
          {item.preview.members.length > 0 ? <details><summary>{t('Kogo to dotyczy', 'Whom it concerns')}</summary><table className="sheet"><tbody>{item.preview.members.slice(0, 50).map((member) => <tr key={`${member.member}${member.unit}`}><td><Anchor component={Link} href={`/members/${encodeURIComponent(member.member)}`}>{member.member}</Anchor></td><td>{inUnit(member.before, member.unit, program.units)}</td><td>{inUnit(member.after, member.unit, program.units)}</td></tr>)}</tbody></table></details> : null}
        </Item>)}
        {adjustments.map((item) => <Item key={`a${item.id}`} title={`${item.kind === 'write_off' ? t('Umorzenie', 'Write-off') : t('Korekta ręczna', 'Manual correction')}: ${inUnit(item.amount, item.unit, program.units, true)}`} allowed={may('ledger:approve')} word={t('Zatwierdź korektę', 'Approve the correction')} busy={act.isPending} sure={`${item.member}: ${inUnit(item.amount, item.unit, program.units, true)}`}
          approve={run(() => api.approveAdjustment({ params: { ...params, adjustment: item.id } }))} reject={run(() => api.rejectAdjustment({ params: { ...params, adjustment: item.id } }))}><Text><Anchor component={Link} href={`/members/${encodeURIComponent(item.member)}`}>{item.member}</Anchor> – {item.reason}</Text></Item>)}
        {groups.map(([key, list]) => { const [first] = list; if (!first) return null; const sum = String(list.reduce((total, award) => total + Number(award.amount), 0)); return <Item key={key} title={`${t('Nagrody', 'Awards')}: ${called(first.mechanic)}, ${month(first.window)}`} allowed={may('ledger:approve')} word={t('Zatwierdź nagrody', 'Approve the awards')} busy={act.isPending} sure={`${plural(list.length, ['osoba', 'osoby', 'osób'], ['person', 'people'])}: ${inUnit(sum, first.unit, program.units, true)}`} approve={run(() => api.approveAwards({ params, body: { mechanic: first.mechanic, window: first.window } }))}><Text>{plural(list.length, ['osoba', 'osoby', 'osób'], ['person', 'people'])}, {inUnit(sum, first.unit, program.units, true)}</Text></Item>; })}
        {late.length > 0 ? <Item title={t('Spóźnione fakty w zamkniętych okresach', 'Late facts in closed periods')} allowed={may('ledger:approve')} word={t('Zaksięguj różnice', 'Post the differences')} busy={act.isPending} sure={plural(late.length, ['różnica', 'różnice', 'różnic'], ['difference', 'differences'])} approve={run(() => api.approveLate({ params }))}><Wide><table className="sheet"><tbody>{late.slice(0, 50).map((item, index) => <tr key={index}><td>{item.member}</td><td>{called(item.mechanic)}, {month(item.window)}</td><td>{inUnit(item.amount, item.unit, program.units, true)}</td></tr>)}</tbody></table></Wide></Item> : null}
      </div>
    </>
  );
}

function Item({ title, children, allowed, word, sure, approve, reject, busy }: { title: ReactNode; children: ReactNode; allowed: boolean; word: string; sure: string; approve: () => void; reject?: () => void; busy: boolean }) {
  const [asking, setAsking] = useState(false);
  return (
    <Card title={title} action={allowed ? <Group gap="xs">{reject ? <Button variant="default" size="compact-md" disabled={busy} onClick={reject}>{t('Odrzuć', 'Reject')}</Button> : null}<Button size="compact-md" disabled={busy} onClick={() => setAsking(true)}>{word}</Button></Group> : null}>
      {children}
      <Confirm open={asking} close={() => setAsking(false)} title={word} word={word} busy={busy} act={() => { setAsking(false); approve(); }}><Text>{sure}</Text><Text size="sm" c="dimmed">{t('Tego nie można cofnąć jednym ruchem; cofa się kolejnym zapisem.', 'This cannot be undone by itself; it is undone by another entry.')}</Text></Confirm>
    </Card>
  );
}
