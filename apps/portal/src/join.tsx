import { useMutation, useQuery } from '@tanstack/react-query';
import { api, applyLook, said, setLanguage, signInCall, t, useLanguage, whatWentWrong } from '@premia/ui';
import { useEffect, useState, type FormEvent } from 'react';
import { useSearchParams } from 'wouter';
import { Failed, Loading } from './faces.tsx';
import { CHANNELS, wordingOf } from './consents.ts';
import { TermsBody } from './terms.tsx';

/** Coming in by invitation: who, a password, the terms; each consent on its own, none ticked beforehand. */
export function Join() {
  const [query, setQuery] = useSearchParams();
  const language = useLanguage();
  const code = query.get('code') ?? '';
  const [typed, setTyped] = useState('');
  const found = useQuery({ queryKey: ['join', code], enabled: code !== '', retry: false, queryFn: () => api.readInvitation({ params: { code } }) });
  useEffect(() => { if (found.data) applyLook(found.data.look); }, [found.data]);
  const [name, setName] = useState<string | null>(null);
  const [password, setPassword] = useState('');
  const [accepts, setAccepts] = useState(false);
  const [ticked, setTicked] = useState<readonly string[]>([]);
  const join = useMutation({
    mutationFn: async () => {
      const invitation = found.data;
      const answer = await api.acceptInvitation({ params: { code }, body: { name: name ?? invitation?.name ?? '', consents: CHANNELS.filter((channel) => ticked.includes(channel)).map((channel) => ({ channel, wording: wordingOf(channel) })), ...(password === '' ? {} : { password }), ...(invitation?.terms ? { accepts: invitation.terms.version } : {}) } });
      const signedIn = password === '' ? { ok: false } : await signInCall('/sign-in/email', { email: answer.email, password });
      location.assign(signedIn.ok ? (invitation?.program && invitation.role.startsWith('m') ? '/' : '/console') : '/sign-in');
    },
  });
  const submit = (event: FormEvent): void => { event.preventDefault(); join.mutate(); };
  return (
    <main className="page narrow">
      <p className="brand">{found.data?.look.logo ? <img src={found.data.look.logo} alt={found.data.tenant} className="logo" /> : 'Premia'}</p>
      {code === '' ? (
        <form className="stack" onSubmit={(event) => { event.preventDefault(); setQuery({ code: typed.trim() }); }}>
          <h1>{t('Kod zaproszenia', 'Invitation code')}</h1>
          <label>{t('Przepisz kod z listu', 'Type the code from your letter')}<input autoCapitalize="characters" autoComplete="off" required value={typed} onChange={(event) => setTyped(event.target.value)} /></label>
          <button className="button wide" type="submit">{t('Dalej', 'Continue')}</button>
        </form>
      ) : found.isPending ? <Loading /> : found.isError ? <Failed error={found.error} /> : (
        <form className="stack" onSubmit={submit}>
          <h1>{found.data.program ? said(found.data.program.name) : found.data.tenant}</h1>
          <p>{t('Zaproszenie dla', 'An invitation for')} <strong>{found.data.email}</strong></p>
          <label>{t('Imię i nazwisko', 'Name')}<input autoComplete="name" required maxLength={200} value={name ?? found.data.name} onChange={(event) => setName(event.target.value)} /></label>
          {found.data.known ? <p className="notice">{t('Masz już konto: hasło zostaje to samo.', 'You have an account: your password stays as it is.')}</p> : <label>{t('Hasło, co najmniej 8 znaków', 'Password, at least 8 characters')}<input type="password" autoComplete="new-password" minLength={8} maxLength={128} required value={password} onChange={(event) => setPassword(event.target.value)} /></label>}
          {found.data.terms ? <fieldset><legend>{t('Regulamin', 'Terms')}</legend><TermsBody terms={found.data.terms} /><label className="tick"><input type="checkbox" required checked={accepts} onChange={(event) => setAccepts(event.target.checked)} /> {t('Akceptuję regulamin programu (wymagane).', 'I accept the terms of the program (required).')}</label></fieldset> : null}
          {found.data.role.startsWith('m') ? <fieldset><legend>{t('Zgody – każda osobno, żadna nie jest wymagana', 'Consents – each on its own, none is required')}</legend>{CHANNELS.map((channel) => <label key={channel} className="tick"><input type="checkbox" checked={ticked.includes(channel)} onChange={(event) => setTicked(event.target.checked ? [...ticked, channel] : ticked.filter((item) => item !== channel))} /> {wordingOf(channel)}</label>)}</fieldset> : null}
          {join.isError ? <p role="alert" className="negative">{whatWentWrong(join.error)}</p> : null}
          <button className="button wide" type="submit" disabled={join.isPending}>{t('Dołączam', 'Join')}</button>
        </form>
      )}
      <p className="foot"><button type="button" className="link" onClick={() => setLanguage(language === 'pl' ? 'en' : 'pl')}>{language === 'pl' ? 'English' : 'Polski'}</button></p>
    </main>
  );
}
