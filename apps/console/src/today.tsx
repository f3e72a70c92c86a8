import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, count, day, inUnit, month, percent, plural, roundMoney, said, shortMonth, t } from '@premia/ui';
import { Link } from 'wouter';
import { Bars } from './chart.tsx';
import { Bones, Card, Failed, Head } from './parts.tsx';
import { useHere, useMay } from './place.ts';

const changed = (now: string, before: string): number | null => (Number(before) === 0 ? null : Math.round((Number(now) / Number(before) - 1) * 1_000) / 10);
const saidChange = (change: number | null): string => (change === null ? '–' : `${change > 0 ? '+' : change < 0 ? '−' : ''}${String(Math.abs(change)).replace('.', t(',', '.').replace(/[⟦⟧]/g, ''))} %`);

/** What waits for me, and how the program does. */
export function Today() {
  const { tenant, program } = useHere();
  const may = useMay();
  const found = useQuery({ queryKey: ['today', tenant.key, program.key], queryFn: () => api.readToday({ params: { program: program.key } }) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  const { waits, months, same_days: same, granted, liability, attainment } = found.data;
  const waiting: [number, string, string, string][] = [
    [waits.differences, '/ledger/verify', t('księga różni się od faktów', 'the books differ from the facts'), 'ledger:read'],
    [waits.imports, '/imports?state=staged', t('importy do zatwierdzenia', 'imports to approve'), 'facts:read'], [waits.conflicts, '/imports?tab=conflicts', t('dokumenty przyszły inne niż zapisane', 'documents came again changed'), 'facts:read'], [waits.quarantined, '/imports', t('wiersze w kwarantannie', 'rows in quarantine'), 'facts:read'],
    [waits.recalculations, '/approvals', t('przeliczenia do decyzji', 'recalculations to decide'), 'ledger:read'], [waits.adjustments, '/approvals', t('korekty ręczne do decyzji', 'manual corrections to decide'), 'ledger:read'], [waits.awards, '/approvals', t('nagrody czekają na zatwierdzenie', 'awards wait for approval'), 'ledger:read'], [waits.late, '/approvals', t('zmiany w zamkniętych okresach', 'changes in closed periods'), 'ledger:read'],
    [waits.orders, '/orders?state=requested', t('zamówienia do zatwierdzenia', 'orders to approve'), 'ledger:read'], [waits.to_send, '/orders?state=approved', t('zamówienia do realizacji', 'orders to carry out'), 'ledger:read'], [waits.batches, '/payouts', t('paczki wypłat w toku', 'batches of payouts under way'), 'ledger:read'], [waits.low_stock, '/rewards', t('nagrody się kończą', 'rewards run low'), 'programs:read'],
    [waits.inquiries, '/inquiries?state=open', t('zgłoszenia bez odpowiedzi', 'inquiries without an answer'), 'members:read'], [waits.registrations, '/members', t('prośby o dołączenie', 'requests to take part'), 'members:write'], [waits.employers, `/companies?without_consent=${program.key}`, t('firmy bez zgody pracodawcy', 'companies without an employer’s consent'), 'members:read'], [waits.corrections, '/imports?tab=waiting', t('korekty czekają na fakturę', 'corrections wait for their invoice'), 'facts:read'], [waits.unknown_products, '/catalogue/products?unknown=true', t('nieznane produkty', 'unknown products'), 'facts:read'], [waits.jobs, '/settings/jobs', t('zadania w tle się nie udały', 'jobs in the background failed'), 'audit:read'],
  ];
  const mine = waiting.filter(([n, , , permission]) => n > 0 && may(permission));
  const [month1, year] = [changed(same.net, same.last_month), changed(same.net, same.last_year)];
  const [unit] = program.units;
  const awarded = granted.filter((item) => item.unit === unit?.key);
  const last = months.at(-1);
  return (
    <>
      <Head title={t('Dziś', 'Today')} quiet={`${said(program.name)}, ${day(found.data.on)}`} />
      <div className="grid">
        <Card title={t('Czeka na Ciebie', 'Waits for you')}>{mine.length === 0 ? <Text c="dimmed">{t('Nic nie czeka. Wszystko, co przyszło, jest rozstrzygnięte.', 'Nothing waits. Everything that came is decided.')}</Text> : <dl className="pairs">{mine.map(([n, to, word]) => [<dt key={`${word}t`}><Anchor component={Link} href={to} size="sm">{word}</Anchor></dt>, <dd key={word}><strong className="figures">{count(n)}</strong></dd>])}</dl>}</Card>
        <Card title={t('Sprzedaż w tym miesiącu', 'Sales this month')}><div className="tile"><strong>{roundMoney(same.net, program.currency)}</strong><Text size="sm">{saidChange(month1)} {t('do tych samych dni poprzedniego miesiąca', 'against the same days of last month')}</Text><Text size="sm">{saidChange(year)} {t('do tych samych dni przed rokiem', 'against the same days of last year')}</Text></div></Card>
        <Card title={t('Aktywni w tym miesiącu', 'Active this month')}><div className="tile"><strong>{count(last?.active ?? 0)}</strong><Text size="sm">{t(`z ${plural(found.data.members, ['uczestnika', 'uczestników', 'uczestników'], ['', ''])}`, `of ${plural(found.data.members, ['', '', ''], ['member', 'members'])}`)}</Text></div></Card>
        <Card title={t('Do wydania przez uczestników', 'Owed to members')}><div className="tile">{liability.map((item) => <span key={item.unit}><strong>{inUnit(item.amount, item.unit, program.units)}</strong></span>)}<Anchor component={Link} href="/ledger/liability" size="sm">{t('kiedy traci ważność', 'when it expires')}</Anchor></div></Card>
        <Card wide><Bars title={year === null ? t('Sprzedaż netto według miesięcy', 'Net sales by month') : year >= 0 ? t(`Sprzedaż netto: w tym miesiącu ${saidChange(year)} rok do roku`, `Net sales: ${saidChange(year)} this month, year on year`) : t(`Sprzedaż netto spadła w tym miesiącu o ${saidChange(Math.abs(year)).replace('+', '')} rok do roku`, `Net sales fell ${saidChange(Math.abs(year)).replace('+', '')} this month, year on year`)} head={[t('Miesiąc', 'Month'), t('Netto', 'Net')]} bars={months.map((item, index) => ({ label: shortMonth(item.month), value: Number(item.net), shown: roundMoney(item.net, program.currency), pale: index < months.length - 1 && item.month.slice(0, 4) !== last?.month.slice(0, 4) }))} /></Card>
        {unit ? <Card><Bars title={t('Przyznane punkty według miesięcy', 'Points granted by month')} head={[t('Miesiąc', 'Month'), t('Punkty', 'Points')]} bars={awarded.slice(-6).map((item) => ({ label: shortMonth(item.month), value: Number(item.amount), shown: inUnit(item.amount, item.unit, program.units) }))} /></Card> : null}
        {attainment ? <Card><Bars title={t(`Realizacja celu w: ${month(attainment.month)}, ${plural(attainment.of, ['osoba', 'osoby', 'osób'], ['', ''])}`, `Attainment in ${month(attainment.month)}, ${plural(attainment.of, ['', '', ''], ['person', 'people'])}`)} head={[t('Realizacja od', 'Attainment from'), t('Osób', 'People')]} bars={attainment.bands.map((band) => ({ label: percent(band.from), value: band.members, shown: count(band.members) }))} /></Card> : null}
      </div>
    </>
  );
}
