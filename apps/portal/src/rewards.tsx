import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { amount, api, inUnit, money, plural, said, t, useLanguage, type Client } from '@premia/ui';
import { Suspense, lazy, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useBasket } from './basket.ts';
import { Empty, Failed, KeptNotice, Loading } from './faces.tsx';
import { useKept } from './kept.ts';
import { useHere } from './place.ts';

const Reward = lazy(() => import('./reward.tsx').then((page) => ({ default: page.Reward })));
const Basket = lazy(() => import('./checkout.tsx').then((page) => ({ default: page.Basket })));
const Orders = lazy(() => import('./orders.tsx').then((page) => ({ default: page.Orders })));
const Order = lazy(() => import('./orders.tsx').then((page) => ({ default: page.Order })));

export type Offer = Awaited<ReturnType<Client['myCatalogue']>>['rewards'][number];
type Catalogue = Awaited<ReturnType<Client['myCatalogue']>>;

/** What there is to have for units: the catalogue, one reward, the basket, and what was ordered. */
export function Rewards({ part, id }: { part: string | undefined; id: string | undefined }) {
  if (part === undefined) return <Catalogue />;
  return <Suspense fallback={<Loading />}>{part === 'basket' ? <Basket /> : part === 'orders' ? (id === undefined ? <Orders /> : <Order id={id} />) : <Reward reward={part} />}</Suspense>;
}

/** The two sides of rewards, and how full the basket is. */
export function RewardsHead({ title, here }: { title: string; here: 'catalogue' | 'orders' | 'other' }) {
  const { program } = useHere();
  const basket = useBasket(program.key);
  const pieces = basket.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <header className="reward-head"><h1>{title}</h1>
      <nav className="tabs" aria-label={t('Nagrody', 'Rewards')}>
        <Link href="/rewards" aria-current={here === 'catalogue' ? 'page' : undefined}>{t('Katalog', 'Catalogue')}</Link><Link href="/rewards/orders" aria-current={here === 'orders' ? 'page' : undefined}>{t('Zamówienia', 'Orders')}</Link>
        {pieces > 0 ? <Link href="/rewards/basket" className="button second">{t('Koszyk', 'Basket')}: {pieces}</Link> : null}
      </nav></header>
  );
}

function Catalogue() {
  const { program } = useHere();
  const language = useLanguage();
  const [params, setParams] = useSearchParams();
  const [search, setSearch] = useState(params.get('search') ?? '');
  const [category, wished, asked] = [params.get('category') ?? '', params.get('wished') === 'true', params.get('search') ?? ''];
  const filter = { ...(asked ? { search: asked } : {}), ...(category ? { category } : {}), ...(wished ? { wished: 'true' as const } : {}) };
  const ask = (after?: string): Promise<Catalogue> => api.myCatalogue({ params: { program: program.key }, query: { limit: 30, ...filter, ...(after ? { after } : {}) } });
  const { data, keptAt, query } = useKept<Catalogue>(['catalogue', program.key, language, JSON.stringify(filter)], () => ask());
  const more = useInfiniteQuery({ queryKey: ['catalogue-more', program.key, JSON.stringify(filter)], enabled: false, initialPageParam: '', queryFn: ({ pageParam }) => ask(pageParam || data?.next || ''), getNextPageParam: (last) => last.next });
  const set = (name: string, value: string): void => setParams((now) => { const next = new URLSearchParams(now); if (value) next.set(name, value); else next.delete(name); return next; });
  const rewards = [...data?.rewards ?? [], ...(more.data?.pages ?? []).flatMap((page) => page.rewards)];
  const hasMore = more.data ? more.hasNextPage : Boolean(data?.next);
  return (
    <>
      <RewardsHead title={t('Nagrody', 'Rewards')} here="catalogue" />
      <KeptNotice at={keptAt} />
      {data ? <p className="purse">{data.balances.filter((item) => item.available !== '0').map((item) => <strong key={item.unit} className="figures large">{inUnit(item.available, item.unit, program.units)}</strong>)}{data.balances.every((item) => item.available === '0') ? <span className="quiet">{t('Nie masz jeszcze dostępnych jednostek.', 'You have no units available yet.')}</span> : null}</p> : null}
      {data?.ordering === 'closed' ? <p className="notice">{t('Zamawianie jest teraz wstrzymane przez organizatora.', 'The organizer has stopped ordering for now.')}</p> : null}
      <form className="ask" role="search" onSubmit={(event) => { event.preventDefault(); set('search', search.trim()); }}><div className="line"><input type="search" aria-label={t('Szukaj nagrody', 'Search for a reward')} placeholder={t('Szukaj nagrody', 'Search for a reward')} value={search} onChange={(event) => { setSearch(event.target.value); if (event.target.value === '') set('search', ''); }} /><button className="button second" type="submit">{t('Szukaj', 'Search')}</button></div></form>
      <div className="chips" role="group" aria-label={t('Kategorie', 'Categories')}>
        <button type="button" aria-pressed={!category && !wished} onClick={() => setParams(new URLSearchParams())}>{t('Wszystkie', 'All')}</button>
        <button type="button" aria-pressed={wished} onClick={() => set('wished', wished ? '' : 'true')}>{t('♥ Moja lista', '♥ My list')}</button>
        {(data?.categories ?? []).map((item) => <button type="button" key={item} aria-pressed={category === item} onClick={() => set('category', category === item ? '' : item)}>{item}</button>)}
      </div>
      {!data ? (query.isError ? <Failed error={query.error} again={() => void query.refetch()} /> : <Loading />) : rewards.length === 0 ? (
        <Empty>{wished ? t('Twoja lista jest pusta. Dotknij serca przy nagrodzie, a zobaczysz tu, ile do niej brakuje.', 'Your list is empty. Tap the heart of a reward and see here how far it is.') : asked || category ? t('Nic takiego nie ma teraz w katalogu.', 'There is nothing like that in the catalogue now.') : t('Organizator jeszcze nie otworzył katalogu. Punkty nie przepadają: każdy zapis pokazuje, do kiedy jest ważny.', 'The organizer has not opened the catalogue yet. Points do not vanish: every entry shows until when it is valid.')}</Empty>
      ) : <ul className="offers">{rewards.map((reward) => <li key={reward.key}><Tile reward={reward} /></li>)}</ul>}
      {hasMore ? <button type="button" className="button second wide" disabled={more.isFetching} onClick={() => void (more.data ? more.fetchNextPage() : more.refetch())}>{t('Pokaż więcej', 'Show more')}</button> : null}
    </>
  );
}

function Tile({ reward }: { reward: Offer }) {
  const { program } = useHere();
  return (
    <article className="card offer">
      <Link href={`/rewards/${reward.key}`}>{reward.picture ? <img src={reward.picture} alt="" width="320" height="240" loading="lazy" /> : <span className="no-picture" aria-hidden="true" />}<strong>{said(reward.name)}</strong></Link>
      <p className="figures">{priceOf(reward, program.units)}{Number(reward.co_pay) > 0 ? <span className="quiet"> + {money(reward.co_pay, program.currency)}</span> : null}</p>
      <p className="line small"><Distance reward={reward} /><Heart reward={reward} /></p>
    </article>
  );
}

/** „500 pkt”, or what an open amount begins at. */
export function priceOf(reward: Offer, units: Parameters<typeof inUnit>[2]): string {
  if (reward.least === null) return inUnit(reward.price, reward.unit, units);
  return t(`od ${leastOf(reward)} ${unitShort(reward.unit, units)}`, `from ${leastOf(reward)} ${unitShort(reward.unit, units)}`);
}
const unitShort = (unit: string, units: Parameters<typeof inUnit>[2]): string => inUnit('0', unit, units).replace(/^0\s/, '');
/** In proportion, rounded up: only to be shown, the server counts for itself. */
const leastOf = (reward: Offer): string => amount(String(Math.ceil((Number(reward.least) * Number(reward.price)) / Math.max(Number(reward.worth), 0.01))));

export function Distance({ reward }: { reward: Offer }) {
  const { program } = useHere();
  if (reward.free === 0) return <span className="negative">{t('chwilowo brak', 'out of stock')}</span>;
  if (reward.missing !== '0' && !/^0(\.0+)?$/.test(reward.missing)) return <span className="quiet">{t('brakuje', 'missing')} {inUnit(reward.missing, reward.unit, program.units)}</span>;
  return <span className="positive">{reward.free !== null && reward.free <= 5 ? t(`zostało: ${reward.free}`, `${plural(reward.free, ['', '', ''], ['left', 'left'])}`) : t('możesz zamówić', 'you can order it')}</span>;
}

export function Heart({ reward }: { reward: Offer }) {
  const { program } = useHere();
  const client = useQueryClient();
  const wish = useMutation({ mutationFn: () => api.wish({ params: { program: program.key }, body: { reward: reward.key, wished: !reward.wished } }), onSuccess: () => client.invalidateQueries({ queryKey: ['catalogue'] }) });
  return <button type="button" className={`heart${reward.wished ? ' on' : ''}`} aria-pressed={reward.wished} disabled={wish.isPending} aria-label={reward.wished ? t(`Usuń z listy: ${said(reward.name)}`, `Take off my list: ${said(reward.name)}`) : t(`Dodaj do listy: ${said(reward.name)}`, `Add to my list: ${said(reward.name)}`)} onClick={() => wish.mutate()}>{reward.wished ? '♥' : '♡'}</button>;
}
