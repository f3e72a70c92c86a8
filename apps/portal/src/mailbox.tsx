import { useQuery } from '@tanstack/react-query';
import { api, moment, t } from '@premia/ui';
import { Empty, Failed, Loading } from './faces.tsx';

/** Mail that was caught instead of sent, and what the demo's authenticators show. Only in development and in the demo. */
export function Mailbox() {
  const found = useQuery({ queryKey: ['mailbox'], queryFn: () => api.readMailbox(), refetchInterval: 3_000, retry: false });
  return (
    <main className="page narrow">
      <h1>{t('Skrzynka', 'Mailbox')}</h1>
      <p className="quiet">{t('Tu trafia poczta wersji demonstracyjnej. Na produkcji wychodzi przez serwer SMTP, a tej strony nie ma.', 'The demo’s mail ends up here. In production it goes out by SMTP and this page does not exist.')}</p>
      {found.isPending ? <Loading /> : found.isError ? <Failed error={found.error} /> : (
        <>
          {found.data.codes.length > 0 ? <section className="card"><h2>{t('Kody z aplikacji', 'Codes of authenticators')}</h2><ul className="plain">{found.data.codes.map((item) => <li key={item.email} className="line"><span>{item.email}</span><strong className="figures large">{item.code}</strong></li>)}</ul></section> : null}
          {found.data.mail.length === 0 ? <Empty>{t('Jeszcze nic nie przyszło.', 'Nothing has come yet.')}</Empty> : found.data.mail.map((mail) => <article key={mail.id} className="card"><header className="line"><h2>{mail.subject}</h2><span className="quiet small">{moment(mail.at)}</span></header><p className="quiet">{t('do', 'to')} {mail.to}</p><p>{mail.body}</p>{mail.link ? <p><a className="button" href={mail.link}>{t('Otwórz link', 'Open the link')}</a></p> : null}</article>)}
        </>
      )}
    </main>
  );
}
