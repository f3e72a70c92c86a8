import { amount, api, locale, t, unitName, useLanguage, type Client } from '@premia/ui';
import { Link } from 'wouter';
import { Failed, KeptNotice, Loading } from './faces.tsx';
import { useKept } from './kept.ts';
import { useHere } from './place.ts';

type HomeData = Awaited<ReturnType<Client['readHome']>>;

/** What there is to spend, and how to have more. The catalogue is not there yet, and nothing here pretends that it is. */
export function Rewards() {
  const { program } = useHere();
  const language = useLanguage();
  const { data, keptAt, query } = useKept<HomeData>(['home', program.key, language], () => api.readHome({ params: { program: program.key }, query: { locale: locale() } }));
  if (!data) return query.isError ? <Failed error={query.error} again={() => void query.refetch()} /> : <Loading />;
  return (
    <>
      <h1>{t('Nagrody', 'Rewards')}</h1>
      <KeptNotice at={keptAt} />
      <section className="card"><h2>{t('Do wykorzystania', 'Yours to use')}</h2>
        <ul className="plain">{data.balances.map((item) => <li key={item.unit} className="line"><span>{unitName(item.unit, program.units)}</span><strong className="figures large">{amount(item.available)}</strong></li>)}</ul></section>
      <section className="card"><h2>{t('Katalog nagród', 'Catalogue of rewards')}</h2><p>{t('Organizator jeszcze go nie otworzył. Punkty nie przepadają: każdy zapis pokazuje, do kiedy jest ważny.', 'The organizer has not opened it yet. Points do not vanish: every entry shows until when it is valid.')}</p><p><Link href="/earn" className="button second">{t('Zobacz, jak zdobyć więcej', 'See how to earn more')}</Link></p></section>
    </>
  );
}
