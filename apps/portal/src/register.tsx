import { useMutation, useQuery } from '@tanstack/react-query';
import { api, applyLook, locale, said, setLanguage, t, useLanguage, whatWentWrong } from '@premia/ui';
import { useEffect, useState } from 'react';
import { Failed, Loading } from './faces.tsx';

/** Asking to take part: who, and the code or tax number under which the partner knows them. An operator decides; the answer tells nothing. */
export function Register({ tenant, program }: { tenant: string; program: string }) {
  const language = useLanguage();
  const found = useQuery({ queryKey: ['register', tenant, program], retry: false, queryFn: () => api.readRegistration({ params: { tenant, program } }) });
  useEffect(() => { if (found.data) applyLook(found.data.look); }, [found.data]);
  const [asked, setAsked] = useState({ name: '', email: '', reference: '' });
  const send = useMutation({ mutationFn: () => api.registerSelf({ params: { tenant, program }, body: { ...asked, locale: locale() } }) });
  return (
    <main className="page narrow">
      <p className="brand">{found.data?.look.logo ? <img src={found.data.look.logo} alt="" className="logo" /> : 'Premia'}</p>
      {found.isPending ? <Loading /> : found.isError ? <><h1>{t('Rejestracja', 'Registration')}</h1><Failed error={found.error} /></> : send.isSuccess ? (
        <><h1>{t('Dziękujemy', 'Thank you')}</h1><p className="notice good" role="status">{t('Sprawdzimy zgłoszenie i wyślemy zaproszenie na podany adres.', 'We look at your request and send an invitation to the address you gave.')}</p></>
      ) : (
        <form className="stack" onSubmit={(event) => { event.preventDefault(); send.mutate(); }}>
          <h1>{said(found.data.name)}</h1>
          <p>{t('Poproś o dołączenie. Regulamin i zgody zobaczysz, zanim wejdziesz.', 'Ask to take part. You will see the terms and consents before you enter.')}</p>
          <label>{t('Imię i nazwisko', 'Name')}<input required maxLength={200} autoComplete="name" value={asked.name} onChange={(event) => setAsked({ ...asked, name: event.target.value })} /></label>
          <label>{t('E-mail', 'E-mail')}<input required type="email" autoComplete="email" value={asked.email} onChange={(event) => setAsked({ ...asked, email: event.target.value })} /></label>
          <label>{t('NIP firmy albo Twój kod u dystrybutora', 'Your company’s tax id, or your code at the distributor')}<input required maxLength={100} value={asked.reference} onChange={(event) => setAsked({ ...asked, reference: event.target.value })} /></label>
          {send.isError ? <p role="alert" className="negative">{whatWentWrong(send.error)}</p> : null}
          <button className="button wide" type="submit" disabled={send.isPending}>{t('Wyślij prośbę', 'Send the request')}</button>
        </form>
      )}
      <p className="foot"><button type="button" className="link" onClick={() => setLanguage(language === 'pl' ? 'en' : 'pl')}>{language === 'pl' ? 'English' : 'Polski'}</button></p>
    </main>
  );
}
