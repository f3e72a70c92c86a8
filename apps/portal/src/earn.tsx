import { useQuery } from '@tanstack/react-query';
import { api, day, inUnit, locale, month, plural, t, useLanguage, type Client } from '@premia/ui';
import { Link } from 'wouter';
import { Empty, Failed, KeptNotice, Loading } from './faces.tsx';
import { useKept } from './kept.ts';
import { useHere } from './place.ts';

type Rules = Awaited<ReturnType<Client['myRules']>>;

/** Every rule that means me, in plain words, with how far I am; my levels; the boards I stand on. */
export function Earn() {
  const { program } = useHere();
  const language = useLanguage();
  const { data, keptAt, query } = useKept<Rules>(['rules', program.key, language], () => api.myRules({ params: { program: program.key }, query: { locale: locale() } }));
  if (!data) return query.isError ? <Failed error={query.error} again={() => void query.refetch()} /> : <Loading />;
  const ending = data.rules.filter((rule) => rule.until !== null).sort((a, b) => String(a.until).localeCompare(String(b.until)));
  return (
    <>
      <h1>{t('Zdobywaj', 'Earn')}</h1>
      <KeptNotice at={keptAt} />
      {ending.length > 0 ? <section className="card"><h2>{t('Kończą się', 'Ending soon')}</h2><ul className="plain">{ending.map((rule) => <li key={rule.mechanic} className="line"><span>{rule.name}</span><span className="quiet">{t('do', 'until')} {day(rule.until)}</span></li>)}</ul></section> : null}
      {data.tiers.map((set) => (
        <section key={set.set} className="card"><h2>{t('Poziomy', 'Levels')}</h2>
          <ol className="levels">{set.levels.map((level) => <li key={level.key} aria-current={level.held ? 'true' : undefined}><div className="line"><strong>{level.name}{level.held ? ` – ${t('Twój poziom', 'your level')}` : ''}</strong><span className="quiet figures">{t('od', 'from')} {level.from}</span></div>{level.benefits.length > 0 ? <p className="quiet small">{level.benefits.join(' · ')}</p> : null}</li>)}</ol>
          {set.since ? <p className="quiet small">{t('Twój poziom od', 'Yours since')} {day(set.since)}</p> : null}</section>
      ))}
      <section aria-label={t('Zasady', 'Rules')}>
        {data.rules.length === 0 ? <Empty>{t('Teraz nie ma zasad, które Cię dotyczą.', 'No rule is meant for you at present.')}</Empty> : data.rules.map((rule) => (
          <article key={rule.mechanic} className="card"><h2>{rule.name}</h2><p>{rule.sentence}</p>
            {rule.step ? <p className="step">{rule.step.sentence}</p> : null}
            {rule.history.length > 0 ? <details><summary>{t('Co już dało', 'What it gave before')}</summary><ul className="plain">{rule.history.map((item) => <li key={item.window_start} className="line"><Link href={`/activity?${new URLSearchParams({ mechanic: rule.mechanic, on: item.window_start })}`}>{item.window_start.endsWith('-01') ? month(item.window_start) : day(item.window_start)}</Link><span className="figures">{inUnit(item.amount, rule.unit, program.units, true)}</span></li>)}</ul></details> : null}
          </article>
        ))}
      </section>
      <Boards />
    </>
  );
}

function Boards() {
  const { program } = useHere();
  const language = useLanguage();
  const found = useQuery({ queryKey: ['boards', program.key, language], queryFn: () => api.myBoards({ params: { program: program.key }, query: { locale: locale() } }) });
  return (
    <>{(found.data?.boards ?? []).map((board) => (
      <section key={board.mechanic} className="card"><h2>{board.name}</h2>
        <p className="quiet small">{month(board.window_start)} · {plural(board.of, ['osoba', 'osoby', 'osób'], ['person', 'people'])}{board.band ? ` · ${board.band}` : ''}</p>
        <table className="board"><thead><tr><th scope="col">{t('Miejsce', 'Place')}</th><th scope="col">{t('Kto', 'Who')}</th><th scope="col" className="number">{t('Wynik', 'Result')}</th></tr></thead>
          <tbody>{board.rows.map((row) => <tr key={`${row.place}${row.name}${row.value}${row.me}`} aria-current={row.me ? 'true' : undefined}><td className="figures">{row.place}</td><td>{row.me ? t('Ty', 'You') : row.name}</td><td className="figures number">{row.value}</td></tr>)}</tbody></table>
      </section>
    ))}</>
  );
}
