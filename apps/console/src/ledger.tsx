import { Alert, Button, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, count, inUnit, month, moment, plural, shortMonth, t, unitTitle } from '@premia/ui';
import { useLocation } from 'wouter';
import { Bars } from './chart.tsx';
import { Entries } from './entries.tsx';
import { Bones, Card, Empty, Failed, Head, useGuard, whoDid, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

/** The books: entries, what is owed and when it expires, and whether everything agrees with the facts. */
export function Ledger({ id = 'entries' }: { id?: string }) {
  const [, go] = useLocation();
  const may = useMay();
  return (
    <>
      <Head title={t('Księga', 'Ledger')} />
      <Tabs value={id} onChange={(value) => go(value === 'entries' ? '/ledger' : `/ledger/${value}`)} keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="entries">{t('Zapisy', 'Entries')}</Tabs.Tab><Tabs.Tab value="liability">{t('Zobowiązanie i ważność', 'Liability and expiry')}</Tabs.Tab><Tabs.Tab value="verify">{t('Sprawdzenie', 'Verification')}</Tabs.Tab>{may('audit:read') ? <Tabs.Tab value="seals">{t('Pieczęcie', 'Seals')}</Tabs.Tab> : null}</Tabs.List>
        <Tabs.Panel value="entries"><Entries /></Tabs.Panel><Tabs.Panel value="liability"><Liability /></Tabs.Panel><Tabs.Panel value="verify"><Verify /></Tabs.Panel><Tabs.Panel value="seals"><Seals /></Tabs.Panel>
      </Tabs>
    </>
  );
}

function Liability() {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['liability', program.key], queryFn: () => api.readLiability({ params: { program: program.key } }) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  return (
    <div className="grid">{[...found.data.units].sort((a, b) => program.units.findIndex((unit) => unit.key === a.unit) - program.units.findIndex((unit) => unit.key === b.unit)).map((unit) => (
      <Card key={unit.unit} title={unitTitle(unit.unit, program.units)} wide>
        <dl className="pairs" style={{ maxWidth: 420 }}>{([[t('dostępne', 'available'), unit.available], [t('czeka', 'pending'), unit.pending], [t('zablokowane', 'held'), unit.held], [t('do odliczenia', 'debt'), unit.debt], [t('razem', 'total'), unit.total]] as const).map(([word, value]) => [<dt key={`${word}t`}>{word}</dt>, <dd key={word} className="number">{inUnit(value, unit.unit, program.units)}</dd>])}</dl>
        {unit.by_expiry.length > 0 ? <Bars title={t('Kiedy traci ważność', 'When it expires')} head={[t('Miesiąc', 'Month'), t('Ile', 'Amount')]} bars={unit.by_expiry.map((item) => ({ label: item.month === 'never' ? t('nigdy', 'never') : `${shortMonth(`${item.month}-01`)} ${item.month.slice(2, 4)}`, value: Number(item.amount), shown: `${inUnit(item.amount, unit.unit, program.units)} (${item.month === 'never' ? t('bez terminu', 'no end') : month(`${item.month}-01`)}, ${plural(item.members, ['osoba', 'osoby', 'osób'], ['person', 'people'])})` }))} /> : null}
      </Card>
    ))}</div>
  );
}

/** Recomputes everything and compares. What the last verification found stays readable: every night makes one. */
function Verify() {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const found = useQuery({ queryKey: ['verification', program.key], queryFn: () => api.readVerification({ params: { program: program.key } }) });
  const run = useMutation({ mutationFn: () => api.verify({ params: { program: program.key } }), onSuccess: () => client.invalidateQueries({ queryKey: ['verification'] }), onError: (error) => failed(error) });
  const result = found.data?.last;
  return (
    <Card title={t('Czy księga zgadza się z faktami', 'Do the books agree with the facts')} action={<Button onClick={() => run.mutate()} loading={run.isPending}>{t('Sprawdź teraz', 'Verify now')}</Button>}>
      <Text size="sm" c="dimmed" mb="sm">{t('Wszystko jest liczone od nowa z faktów i porównywane: należności, poziomy, salda, partie i łańcuch pieczęci. To samo robi polecenie ', 'Everything is computed again from the facts and compared: entitlements, tiers, balances, lots and the chain of seals. The same is done by ')}<code>npm run -s premia -- verify --program {program.key}</code>.</Text>
      {run.isPending || found.isPending ? <Bones rows={3} /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : result ? (
        <>
          <Alert variant="outline" color={result.differences === 0 ? 'green' : 'red'} title={result.differences === 0 ? t('Zero różnic', 'Zero differences') : plural(result.differences, ['różnica', 'różnice', 'różnic'], ['difference', 'differences'])}>{moment(result.at)}, {whoDid(result.by)}</Alert>
          <dl className="pairs" style={{ maxWidth: 420, marginTop: 12 }}>{Object.entries(result.counts).map(([word, value]) => [<dt key={`${word}t`}>{COUNTS[word]?.() ?? word}</dt>, <dd key={word} className="number">{count(value)}</dd>])}<dt>{t('pieczęci', 'seals')}</dt><dd className="number">{count(result.seals)}</dd></dl>
          {result.faults.length > 0 ? <table className="sheet"><thead><tr><th scope="col">{t('Co', 'What')}</th><th scope="col">{t('Gdzie', 'Where')}</th><th scope="col">{t('Powinno być', 'Expected')}</th><th scope="col">{t('Jest', 'Found')}</th></tr></thead><tbody>{result.faults.map((fault, index) => <tr key={index}><td>{fault.check}</td><td>{fault.where}</td><td>{fault.expected}</td><td>{fault.found}</td></tr>)}</tbody></table> : null}
        </>
      ) : <Empty>{t('Jeszcze nie sprawdzano; dzieje się to co noc.', 'Not verified yet; every night it is.')}</Empty>}
    </Card>
  );
}
const COUNTS: Record<string, () => string> = { facts: () => t('faktów', 'facts'), entitlements: () => t('należności', 'entitlements'), transfers: () => t('zapisów', 'entries'), lots: () => t('partii', 'lots'), wallets: () => t('portfeli', 'wallets'), members: () => t('uczestników', 'members') };

function Seals() {
  const found = useQuery({ queryKey: ['seals'], queryFn: () => api.listSeals({ query: { limit: 50 } }) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  return <Card title={t('Łańcuch pieczęci', 'The chain of seals')}><Text size="sm" c="dimmed" mb="sm">{t('Zachowaj najnowszą pieczęć poza tą bazą: z nią każda późniejsza zmiana zapisów wyjdzie na jaw.', 'Keep the newest seal outside this database: with it, any later change of records comes to light.')}</Text>{found.data.seals.length === 0 ? <Empty>{t('Jeszcze nic nie zapieczętowano; dzieje się to co dziesięć minut.', 'Nothing is sealed yet; it happens every ten minutes.')}</Empty> : <Wide><table className="sheet"><thead><tr><th scope="col">{t('Nr', 'No')}</th><th scope="col">{t('Kiedy', 'When')}</th><th scope="col">{t('Pieczęć', 'Seal')}</th></tr></thead><tbody>{found.data.seals.map((seal) => <tr key={seal.seal}><td>{seal.seal}</td><td>{moment(seal.sealed_at)}</td><td className="mono">{seal.head}</td></tr>)}</tbody></table></Wide>}</Card>;
}
