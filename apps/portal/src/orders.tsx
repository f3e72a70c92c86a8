import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, day, inUnit, moment, money, said, t, useLanguage, whatWentWrong, type Client } from '@premia/ui';
import { useState } from 'react';
import { Link } from 'wouter';
import { Empty, Failed, KeptNotice, Loading } from './faces.tsx';
import { useKept } from './kept.ts';
import { useHere } from './place.ts';
import { RewardsHead } from './rewards.tsx';

type Page = Awaited<ReturnType<Client['myOrders']>>;
type OrderData = Awaited<ReturnType<Client['myOrder']>>;
type Item = OrderData['items'][number];
const GOOD = new Set(['issued', 'delivered', 'shipped']);
const BAD = new Set(['rejected', 'failed', 'returned', 'cancelled']);
const toneOf = (state: string): string => (GOOD.has(state) ? 'positive' : BAD.has(state) ? 'negative' : 'quiet');

/** What was ordered, newest first. */
export function Orders() {
  const { program } = useHere();
  const language = useLanguage();
  const ask = (after?: string): Promise<Page> => api.myOrders({ params: { program: program.key }, query: { limit: 30, ...(after ? { after } : {}) } });
  const { data, keptAt, query } = useKept<Page>(['orders', program.key, language], () => ask());
  const more = useInfiniteQuery({ queryKey: ['orders-more', program.key], enabled: false, initialPageParam: '', queryFn: ({ pageParam }) => ask(pageParam || data?.next || ''), getNextPageParam: (last) => last.next });
  const orders = [...data?.orders ?? [], ...(more.data?.pages ?? []).flatMap((page) => page.orders)];
  const hasMore = more.data ? more.hasNextPage : Boolean(data?.next);
  return (
    <>
      <RewardsHead title={t('Zamówienia', 'Orders')} here="orders" />
      <KeptNotice at={keptAt} />
      {!data ? (query.isError ? <Failed error={query.error} again={() => void query.refetch()} /> : <Loading />) : orders.length === 0 ? <Empty>{t('Nie masz jeszcze zamówień. Gdy coś zamówisz, tu zobaczysz każdy krok.', 'You have no orders yet. Once you order something, every step shows here.')}</Empty> : (
        <section className="card" aria-label={t('Zamówienia', 'Orders')}><ul className="entries">{orders.map((item) => (
          <li key={item.item}><Link href={`/rewards/orders/${item.order}`}><strong className="figures">{inUnit(item.units, item.unit, program.units)}</strong><span>{said(item.reward_name)}<span className={`block small ${toneOf(item.state)}`}>{said(item.state_name)}</span></span><span className="quiet">{day(item.placed_at)}</span></Link></li>
        ))}</ul>{hasMore ? <button type="button" className="button second wide" disabled={more.isFetching} onClick={() => void (more.data ? more.fetchNextPage() : more.refetch())}>{t('Pokaż wcześniejsze', 'Show earlier ones')}</button> : null}</section>
      )}
    </>
  );
}

/** One order: each piece with its steps in words, its code, and the way back while there is one. */
export function Order({ id }: { id: string }) {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['order', program.key, id], queryFn: () => api.myOrder({ params: { program: program.key, order: id } }), refetchInterval: 30_000 });
  return (
    <>
      <p><Link href="/rewards/orders">‹ {t('Zamówienia', 'Orders')}</Link></p>
      <h1>{t('Zamówienie', 'Order')} {id}</h1>
      {found.isPending ? <Loading /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : (
        <><p className="quiet">{moment(found.data.placed_at)}</p>{found.data.items.map((item) => <Piece key={item.item} item={item} />)}
          {found.data.address ? <section className="card"><h2>{t('Adres dostawy', 'Delivery address')}</h2><p>{found.data.address.name}<br />{found.data.address.street}<br />{found.data.address.postcode} {found.data.address.city}</p></section> : null}
          <p className="foot"><Link href="/me/help">{t('Coś się nie zgadza? Napisz do nas', 'Something does not add up? Write to us')}</Link></p></>
      )}
    </>
  );
}

function Piece({ item }: { item: Item }) {
  const { program } = useHere();
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const cancel = useMutation({ mutationFn: () => api.cancelMyItem({ params: { program: program.key, item: item.item } }), onSuccess: async () => { setSure(false); await client.invalidateQueries(); } });
  return (
    <article className="card" aria-label={said(item.reward_name)}>
      <header className="line"><h2>{said(item.reward_name)}</h2><strong className="figures">{inUnit(item.units, item.unit, program.units)}</strong></header>
      <p className={toneOf(item.state)}><strong>{said(item.state_name)}</strong></p>
      {item.reason && item.reason !== 'account' ? <p>{item.state === 'awaiting_payment' ? <>{t('Do zapłaty:', 'To pay:')} <strong>{due(item.reason)}</strong></> : <>{t('Powód:', 'Reason:')} {item.reason}</>}</p> : null}
      {item.reason === 'account' ? <p>{item.state === 'failed' ? t('Zmieniło się konto albo karta, zanim wypłata wyszła. Zamów ją jeszcze raz.', 'The account or card changed before the payout went out. Order it again.') : t('Zmieniło się konto, więc wypłata jest zatwierdzana jeszcze raz.', 'The account has changed, so the payout is approved once more.')}</p> : null}
      <dl>
        {Number(item.worth) > 0 ? <><dt>{t('Wartość', 'Worth')}</dt><dd className="figures">{money(item.worth, program.currency)}</dd></> : null}
        {item.tax && item.tax.tax !== '0.00' ? <><dt>{t('Podatek', 'Tax')} ({item.tax.form})</dt><dd className="figures">{money(item.tax.tax, program.currency)}</dd><dt>{t('Do wypłaty', 'Paid out')}</dt><dd className="figures">{money(item.tax.pay, program.currency)}</dd></> : null}
        {item.account ? <><dt>{t('Na konto', 'To account')}</dt><dd>… {item.account}</dd></> : null}
        {item.carrier ? <><dt>{t('Przewoźnik', 'Carrier')}</dt><dd>{item.carrier}</dd></> : null}{item.tracking ? <><dt>{t('Numer przesyłki', 'Shipment')}</dt><dd>{item.tracking}</dd></> : null}
      </dl>
      {item.state === 'issued' ? <Code item={item} /> : null}
      <details><summary>{t('Każdy krok', 'Every step')}</summary><ol className="steps">{item.steps.map((step, index) => <li key={index}><span>{said(step.state_name)}{step.reason && step.reason !== 'account' ? <span className="quiet"> – {step.reason}</span> : null}</span><span className="quiet small block">{moment(step.at)}{step.by === 'me' ? ` · ${t('Ty', 'you')}` : ''}</span></li>)}</ol></details>
      {cancel.isError ? <p role="alert" className="negative">{whatWentWrong(cancel.error)}</p> : null}
      {item.cancellable ? (sure ? <div className="actions"><button type="button" className="button" disabled={cancel.isPending} onClick={() => cancel.mutate()}>{t('Tak, wycofaj', 'Yes, take it back')}</button><button type="button" className="button second" onClick={() => setSure(false)}>{t('Zostaw', 'Keep it')}</button></div> : <button type="button" className="button second" aria-label={t(`Wycofaj – punkty wrócą: ${said(item.reward_name)}`, `Take back – the units return: ${said(item.reward_name)}`)} onClick={() => setSure(true)}>{t('Wycofaj – punkty wrócą', 'Take back – the units return')}</button>) : null}
    </article>
  );
}

/** „350.00 PLN”, as people read it. */
const due = (reason: string): string => { const [sum = '', currency = ''] = reason.split(' '); return /^\d+(\.\d+)?$/.test(sum) ? money(sum, currency) : reason; };

/** A code shows when asked for, and every look is recorded; it is not kept on the device. */
function Code({ item }: { item: Item }) {
  const { program } = useHere();
  const show = useMutation({ mutationFn: () => api.revealCode({ params: { program: program.key, item: item.item } }) });
  if (show.data) return <div className="code" role="status"><code>{show.data.code}</code><p className="quiet small">{t('Ważny do', 'Valid until')} {day(show.data.valid_to)}</p><button type="button" className="button second" onClick={() => void navigator.clipboard?.writeText(show.data.code)}>{t('Kopiuj', 'Copy')}</button></div>;
  return <>{show.isError ? <p role="alert" className="negative">{whatWentWrong(show.error)}</p> : null}<p><button type="button" className="button wide" disabled={show.isPending} onClick={() => show.mutate()}>{t('Pokaż kod', 'Show the code')}</button></p></>;
}
