import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { amount, api, codeOf, day, inUnit, locale, money, month, said, t, useLanguage, whatWentWrong } from '@premia/ui';
import { useState, type FormEvent } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { entryLink, entryTitle, isOfOrder, type Entry } from './entry.ts';
import { Empty, Failed, KeptNotice, Loading } from './faces.tsx';
import { useKept } from './kept.ts';
import { useHere } from './place.ts';

/** The statement, newest first; what is asked about – an entry or an invoice – is explained in its place. */
export function Activity() {
  const [asked] = useSearchParams();
  const [document, mechanic, on] = [asked.get('document'), asked.get('mechanic'), asked.get('on')];
  return document !== null || mechanic !== null ? <Receipt document={document} mechanic={mechanic} on={on} /> : <Statement />;
}

function Statement() {
  const { program } = useHere();
  const language = useLanguage();
  const [, go] = useLocation();
  const [number, setNumber] = useState('');
  const first = useKept<{ entries: Entry[]; next: string | null }>(['entries', program.key, language], () => api.myEntries({ params: { program: program.key }, query: { limit: 30 } }) as Promise<{ entries: Entry[]; next: string | null }>);
  const more = useInfiniteQuery({ queryKey: ['more', program.key], enabled: false, initialPageParam: '', queryFn: ({ pageParam }) => api.myEntries({ params: { program: program.key }, query: { limit: 50, after: pageParam || first.data?.next || '' } }), getNextPageParam: (last) => last.next });
  const ask = (event: FormEvent): void => { event.preventDefault(); if (number.trim() !== '') go(`/activity?document=${encodeURIComponent(number.trim())}`); };
  const entries = [...first.data?.entries ?? [], ...(more.data?.pages ?? []).flatMap((page) => page.entries as Entry[])];
  const hasMore = more.data ? more.hasNextPage : first.data?.next !== null && first.data !== undefined;
  return (
    <>
      <h1>{t('Historia', 'Activity')}</h1>
      <form className="card ask" onSubmit={ask}>
        <label htmlFor="invoice">{t('Nie widzisz faktury? Sprawdź, dlaczego', 'An invoice is missing? Check why')}</label>
        <div className="line"><input id="invoice" value={number} onChange={(event) => setNumber(event.target.value)} placeholder={t('numer faktury', 'invoice number')} /><button className="button" type="submit">{t('Sprawdź', 'Check')}</button></div>
      </form>
      <KeptNotice at={first.keptAt} />
      {!first.data ? (first.query.isError ? <Failed error={first.query.error} again={() => void first.query.refetch()} /> : <Loading />) : entries.length === 0 ? <Empty>{t('Jeszcze nic tu nie ma. Punkty pojawią się, gdy dotrze pierwsza sprzedaż.', 'Nothing here yet. Points come with the first sale.')}</Empty> : (
        <section className="card" aria-label={t('Zapisy', 'Entries')}>
          {byMonth(entries).map(([name, group]) => (
            <div key={name}><h2 className="small quiet">{month(name)}</h2>
              <ul className="entries">{group.map((entry) => <li key={entry.id}><EntryLine entry={entry} /></li>)}</ul></div>
          ))}
          {hasMore ? <button type="button" className="button second wide" disabled={more.isFetching} onClick={() => void (more.data ? more.fetchNextPage() : more.refetch())}>{t('Pokaż wcześniejsze', 'Show earlier ones')}</button> : null}
        </section>
      )}
    </>
  );
}

function EntryLine({ entry }: { entry: Entry }) {
  const { program } = useHere();
  const inside = <><strong className={`figures ${entry.amount.startsWith('-') ? 'negative' : 'positive'}`}>{inUnit(entry.amount, entry.unit, program.units, true)}</strong><span>{entryTitle(entry)}{entry.reason && entry.mechanic === null ? <span className="quiet"> – {entry.reason}</span> : null}</span><span className="quiet">{day(entry.booked_on)}</span></>;
  return entry.mechanic === null && !isOfOrder(entry) ? <div className="entry">{inside}</div> : <Link href={entryLink(entry)}>{inside}</Link>;
}

const byMonth = (entries: readonly Entry[]): [string, Entry[]][] => Object.entries(Object.groupBy(entries, (entry) => entry.booked_on.slice(0, 7)) as Record<string, Entry[]>);

type Explained = { mechanic: string; name: string; version: number; clause: string | null; rule: string; window: { from: string; to: string; document: string | null } | null; counted: { document: string; on: string; net: string; quantity: string }[]; not_counted: { because: string; lines: number; net: string }[]; measured: string | null; against: string | null; amount: string; unit: string; booked: string; arithmetic: { factors: string[]; result: string } | null; sentences: string[] };

/** A short receipt: what counted, the rule, the arithmetic, the result; or the first condition that failed. */
function Receipt({ document, mechanic, on }: { document: string | null; mechanic: string | null; on: string | null }) {
  const { program } = useHere();
  const language = useLanguage();
  const found = useQuery({ queryKey: ['explain', program.key, document, mechanic, on, language], queryFn: () => api.myExplain({ params: { program: program.key }, query: { locale: locale(), ...(document === null ? {} : { document }), ...(mechanic === null ? {} : { mechanic }), ...(on === null ? {} : { on }) } }) });
  const all = (found.data?.explanations ?? []) as Explained[];
  const gave = all.filter((item) => item.amount !== '0' || item.booked !== '0');
  const shown = mechanic !== null ? all : [...gave, ...all.filter((item) => !gave.includes(item))];
  return (
    <>
      <p><Link href="/activity">‹ {t('Historia', 'Activity')}</Link></p>
      <h1>{document ?? (all[0]?.name || t('Wyjaśnienie', 'Explanation'))}</h1>
      {found.isPending ? <Loading /> : found.isError ? <Failed error={found.error} {...(codeOf(found.error) === 'document_not_found' ? {} : { again: () => void found.refetch() })} /> : shown.map((item) => (
        <article key={`${item.mechanic}-${item.version}`} className="card receipt">
          <header className="line"><h2>{item.name}</h2><strong className={`figures ${item.amount === '0' ? 'quiet' : 'positive'}`}>{inUnit(item.amount, item.unit, program.units, true)}</strong></header>
          {item.sentences.map((sentence) => <p key={sentence}>{sentence}</p>)}
          <dl>
            {item.measured ? <><dt>{t('Liczy się', 'Counts')}</dt><dd className="figures">{item.measured}</dd></> : null}
            {item.against ? <><dt>{t('Cel lub podstawa', 'Target or base')}</dt><dd className="figures">{item.against}</dd></> : null}
            {item.arithmetic && item.arithmetic.factors.length > 1 ? <><dt>{t('Rachunek', 'Arithmetic')}</dt><dd className="figures">{item.arithmetic.factors.map((factor) => (/^-?\d+(\.\d+)?$/.test(factor) ? amount(factor) : factor)).join(' × ')} = {amount(item.arithmetic.result)}</dd></> : null}
            {item.booked !== item.amount ? <><dt>{t('Zapisano', 'Booked')}</dt><dd className="figures">{inUnit(item.booked, item.unit, program.units, true)}</dd></> : null}
            {item.window && item.window.document === null ? <><dt>{t('Okres', 'Period')}</dt><dd>{day(item.window.from)} – {day(item.window.to)}</dd></> : null}
            <dt>{t('Zasada', 'Rule')}</dt><dd>{item.clause ? `${item.clause}, ` : ''}{t('wersja', 'version')} {item.version}</dd>
          </dl>
          {item.counted.length > 0 ? <details><summary>{t('Co się policzyło', 'What counted')} ({item.counted.length})</summary><ul className="plain">{item.counted.slice(0, 50).map((fact, index) => <li key={index} className="line"><Link href={`/activity?document=${encodeURIComponent(fact.document)}`}>{fact.document || day(fact.on)}</Link><span className="figures">{money(fact.net, program.currency)}</span></li>)}</ul></details> : null}
        </article>
      ))}
      {found.isSuccess && shown.length === 0 ? <Empty>{t('Żadna zasada nie dotyczy tej pozycji.', 'No rule applies here.')}</Empty> : null}
      <Ask document={document} mechanic={mechanic} />
    </>
  );
}

/** „To się nie zgadza”: a question to the operator, about just this. */
function Ask({ document, mechanic }: { document: string | null; mechanic: string | null }) {
  const { program } = useHere();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [body, setBody] = useState('');
  const send = useMutation({ mutationFn: () => api.openInquiry({ params: { program: program.key }, body: { subject: document ?? mechanic ?? said(program.name), body, ...(document === null ? {} : { document }), ...(mechanic === null ? {} : { mechanic }) } }), onSuccess: () => client.invalidateQueries({ queryKey: ['inquiries'] }) });
  if (send.isSuccess) return <p className="notice good" role="status">{t('Wysłane. Odpowiedź znajdziesz w: Ja › Pomoc.', 'Sent. The answer will be in Me › Help.')}</p>;
  if (!open) return <p><button type="button" className="button second wide" onClick={() => setOpen(true)}>{t('To się nie zgadza?', 'This does not add up?')}</button></p>;
  return (
    <form className="card ask" onSubmit={(event) => { event.preventDefault(); send.mutate(); }}>
      <label htmlFor="doubt">{t('Co się nie zgadza?', 'What does not add up?')}</label>
      <textarea id="doubt" rows={4} required maxLength={5_000} value={body} onChange={(event) => setBody(event.target.value)} />
      {send.isError ? <p role="alert" className="negative">{whatWentWrong(send.error)}</p> : null}
      <button className="button" type="submit" disabled={send.isPending}>{t('Wyślij do organizatora', 'Send to the organizer')}</button>
    </form>
  );
}
