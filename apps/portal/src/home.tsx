import { useMutation, useQueryClient } from '@tanstack/react-query';
import { amount, api, callHeaders, day, inUnit, keepEarly, locale, money, month, percent, plural, signed, t, unitName, useLanguage, type Client } from '@premia/ui';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { Empty, Failed, KeptNotice, Loading } from './faces.tsx';
import { useKept } from './kept.ts';
import { useHere } from './place.ts';
import { Terms } from './terms.tsx';
import { entryTitle, entryLink } from './entry.ts';

type HomeData = Awaited<ReturnType<Client['readHome']>>;

/** How much, how far, what is new: answered without scrolling. */
export function Home() {
  const { program } = useHere();
  const language = useLanguage();
  const client = useQueryClient();
  const { data, keptAt, query } = useKept<HomeData>(['home', program.key, language], () => api.readHome({ params: { program: program.key }, query: { locale: locale() } }));
  const accept = useMutation({ mutationFn: (version: number) => api.acceptTerms({ params: { program: program.key }, body: { version } }), onSuccess: () => client.invalidateQueries({ queryKey: ['home'] }) });
  useEffect(() => { keepEarly(['/v1/session', `/v1/me/${encodeURIComponent(program.key)}?locale=${locale()}`], callHeaders()); }, [program.key, language]);
  if (!data) return query.isError ? <Failed error={query.error} again={() => void query.refetch()} /> : <Loading />;
  if (data.terms_due && keptAt === null) return <Terms due={data.terms_due} busy={accept.isPending} error={accept.error} accept={() => accept.mutate(data.terms_due?.version ?? 0)} />;
  const [first] = program.units;
  const main = data.balances.find((item) => item.unit === first?.key);
  return (
    <>
      <KeptNotice at={keptAt} />
      <section className="hero" aria-labelledby="have">
        <h1 id="have" className="quiet small">{t('Dzień dobry', 'Hello')}{data.name ? `, ${data.name}` : ''}</h1>
        {main && first ? <Link href="/activity" className="big figures">{inUnit(main.available, main.unit, program.units)}</Link> : <p className="big figures">0</p>}
        {main ? <Waiting data={data} /> : null}
        {data.state === 'suspended' ? <p className="notice">{t('Twój udział jest zawieszony: nowe zakupy się nie liczą.', 'Your membership is suspended: new purchases do not count.')}</p> : null}
        {data.employer ? <p className="notice">{data.employer === 'earning' ? t('Twoja firma nie zgodziła się jeszcze na udział swoich pracowników: do tego czasu zakupy się nie liczą.', 'Your company has not agreed yet to its people taking part: until then purchases do not count.') : t('Twoja firma nie zgodziła się jeszcze na udział swoich pracowników: punkty zbierasz, ale wydasz je dopiero potem.', 'Your company has not agreed yet to its people taking part: you earn, and can spend once it has.')}</p> : null}
        {data.open_inquiries > 0 ? <p><Link href="/me/help">{plural(data.open_inquiries, ['odpowiedź na Twoje zgłoszenie', 'odpowiedzi na Twoje zgłoszenia', 'odpowiedzi na Twoje zgłoszenia'], ['answer to your inquiry', 'answers to your inquiries'])} ›</Link></p> : null}
      </section>
      {data.targets.map((target) => <Target key={target.key} target={target} currency={program.currency} />)}
      {data.tiers.map((tier) => <p key={tier.set} className="card line"><span>{t('Twój poziom', 'Your level')}</span><strong>{tier.name}</strong></p>)}
      {data.targets.length === 0 ? data.steps.slice(0, 2).map((step) => <section key={step.mechanic} className="card"><h2>{step.name}</h2><p>{step.sentence}</p></section>) : null}
      <section className="card" aria-labelledby="new">
        <h2 id="new">{t('Co nowego', 'What is new')}</h2>
        {data.recent.length === 0 ? <Empty>{t('Tu pojawi się każda zmiana salda – z wyjaśnieniem.', 'Every change of your balance will show here, with its explanation.')}</Empty> : (
          <ul className="entries">{data.recent.map((entry) => (
            <li key={entry.id}><Link href={entryLink(entry)}><strong className={`figures ${entry.amount.startsWith('-') ? 'negative' : 'positive'}`}>{signed(entry.amount)} <span className="quiet">{unitShort(entry.unit, program.units)}</span></strong><span>{entryTitle(entry)}</span><span className="quiet">{day(entry.booked_on)}</span></Link></li>
          ))}</ul>
        )}
      </section>
    </>
  );
}

const unitShort = (unit: string, units: Parameters<typeof inUnit>[2]): string => inUnit('0', unit, units).replace(/^0\s/, '');

function Waiting({ data }: { data: HomeData }) {
  const { program } = useHere();
  const rest = data.balances.filter((item) => item.unit !== program.units[0]?.key && item.total !== '0');
  const [soonest] = data.coming.filter((item) => item.on !== null).sort((a, b) => String(a.on).localeCompare(String(b.on)));
  const pending = data.balances.find((item) => item.unit === program.units[0]?.key);
  const [expiring] = data.expiring;
  return (
    <ul className="quiet plain">
      {pending && pending.pending !== '0' ? <li>{t('do tego ', 'and ')}<span className="figures">{inUnit(pending.pending, pending.unit, program.units)}</span>{soonest?.on ? t(` czeka, najbliższe od ${day(soonest.on)}`, ` waiting, the first from ${day(soonest.on)}`) : t(' czeka na zatwierdzenie', ' waiting for approval')}</li> : null}
      {pending && pending.debt !== '0' ? <li>{t('do odliczenia: ', 'to be deducted: ')}{inUnit(pending.debt, pending.unit, program.units)}</li> : null}
      {expiring ? <li>{inUnit(expiring.amount, expiring.unit, program.units)} {t('traci ważność', 'expires on')} {day(expiring.on)}</li> : null}
      {rest.map((item) => <li key={item.unit}>{amount(item.available)} – {unitName(item.unit, program.units)}</li>)}
    </ul>
  );
}

function Target({ target, currency }: { target: HomeData['targets'][number]; currency: string }) {
  const most = Math.max(12_500, ...target.marks.map((mark) => mark.bp + 500));
  const width = (bp: number): string => `${Math.min(100, (bp / most) * 100)}%`;
  return (
    <section className="card" aria-label={target.name}>
      <h2>{target.name}: {month(target.window_start)}</h2>
      <p className="line"><strong className="figures large">{percent(target.bp)}</strong><span className="figures quiet">{money(target.measured, currency)} {t('z', 'of')} {money(target.value, currency)}</span></p>
      <div className="bar" role="img" aria-label={t(`Realizacja ${percent(target.bp)}`, `Attainment ${percent(target.bp)}`)}>
        <div className="done" style={{ width: width(target.bp) }} />
        {target.marks.map((mark) => <span key={mark.bp} className="mark" style={{ left: width(mark.bp) }} />)}
      </div>
      {target.marks.length > 0 ? <ul className="marks quiet">{target.marks.map((mark) => <li key={mark.bp} className={target.bp >= mark.bp ? 'passed' : ''}><span className="figures">{percent(mark.bp)}</span> {mark.brings}{target.bp >= mark.bp ? ` ✓` : ''}</li>)}</ul> : null}
      {target.step ? <p>{target.step.sentence}</p> : target.marks.length > 0 ? <p><strong>{t('Wszystkie progi tego celu są Twoje.', 'Every step of this target is yours.')}</strong></p> : null}
      <p className="quiet small">{target.working_days_left === 0 ? t('ostatni dzień roboczy tego okresu', 'the last working day of this period') : t(`zostało ${plural(target.working_days_left, ['dzień roboczy', 'dni robocze', 'dni roboczych'], ['working day', 'working days'])}`, `${plural(target.working_days_left, ['', '', ''], ['working day', 'working days'])} left`)}</p>
    </section>
  );
}
