import { queries, setLanguage, signInCall, t, useLanguage } from '@premia/ui';
import { useEffect, useState, type FormEvent } from 'react';
import { useSearchParams } from 'wouter';
import { forgetKept } from './kept.ts';

/** Only a path of ours: a link in a mail must not lead elsewhere. */
const safe = (to: string | null): string => (to !== null && /^\/(?![/\\])[\w\-./?=&%]*$/.test(to) ? to : '/');
const enter = (to: string): void => { queries.clear(); location.assign(to); };

const Frame = ({ children, title }: { children: React.ReactNode; title: string }) => {
  const language = useLanguage();
  return <main className="page narrow"><p className="brand">Premia</p><h1>{title}</h1>{children}<p className="foot"><button type="button" className="link" onClick={() => setLanguage(language === 'pl' ? 'en' : 'pl')}>{language === 'pl' ? 'English' : 'Polski'}</button></p></main>;
};

/** Password or a link by mail or a passkey; then a code, where the person has an authenticator. */
export function SignIn() {
  const [query] = useSearchParams();
  const to = safe(query.get('to'));
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [step, setStep] = useState<'password' | 'code' | 'sent' | 'reset'>(query.get('step') === 'code' ? 'code' : 'password');
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => { forgetKept(); }, []);
  const run = (work: () => Promise<void>) => async (event?: FormEvent): Promise<void> => { event?.preventDefault(); setBusy(true); setProblem(''); try { await work(); } catch { setProblem(t('Nie ma połączenia. Spróbuj za chwilę.', 'No connection. Try again shortly.')); } setBusy(false); };
  const byPassword = run(async () => {
    const { ok, data } = await signInCall('/sign-in/email', { email, password });
    if (!ok) setProblem(t('Adres lub hasło się nie zgadza. Po 10 próbach hasło nie działa przez 15 minut – link działa zawsze.', 'The address or the password is wrong. After 10 tries a password does not work for 15 minutes – a link always does.'));
    else if (data['twoFactorRedirect'] === true) setStep('code');
    else enter(to);
  });
  const byCode = run(async () => { const { ok } = await signInCall('/two-factor/verify-totp', { code: code.replaceAll(' ', '') }); if (ok) enter(to); else setProblem(t('Ten kod nie pasuje albo był już użyty. Poczekaj na następny.', 'This code does not fit, or was used already. Wait for the next one.')); });
  const byLink = run(async () => { await signInCall('/sign-in/magic-link', { email, callbackURL: to }); setStep('sent'); });
  const byPasskey = run(async () => { const { signInWithPasskey } = await import('./passkey.ts'); if (await signInWithPasskey()) enter(to); else setProblem(t('Klucz dostępu nie zadziałał.', 'The passkey did not work.')); });
  const forgotten = run(async () => { await signInCall('/request-password-reset', { email }); setStep('reset'); });
  if (step === 'sent' || step === 'reset') return <Frame title={t('Sprawdź pocztę', 'Check your mail')}><p className="notice good" role="status">{t(`Jeśli ${email} ma tu konto, przed chwilą wysłaliśmy link. Działa krótko i tylko raz.`, `If ${email} has an account here, a link was sent a moment ago. It works for a short time, and once.`)}</p><p><button type="button" className="link" onClick={() => setStep('password')}>{t('Wróć', 'Back')}</button></p></Frame>;
  if (step === 'code') return (
    <Frame title={t('Kod z aplikacji', 'A code from your app')}>
      <form onSubmit={(event) => void byCode(event)} className="stack">
        <label>{t('Sześć cyfr z aplikacji uwierzytelniającej', 'Six digits of your authenticator app')}<input inputMode="numeric" autoComplete="one-time-code" pattern="[0-9 ]{6,7}" required autoFocus value={code} onChange={(event) => setCode(event.target.value)} /></label>
        {problem ? <p role="alert" className="negative">{problem}</p> : null}
        <button className="button wide" type="submit" disabled={busy}>{t('Wejdź', 'Enter')}</button>
      </form>
    </Frame>
  );
  return (
    <Frame title={t('Zaloguj się', 'Sign in')}>
      <form onSubmit={(event) => void byPassword(event)} className="stack">
        <label>{t('E-mail', 'E-mail')}<input type="email" name="email" autoComplete="username webauthn" required value={email} onChange={(event) => setEmail(event.target.value)} /></label>
        <label>{t('Hasło', 'Password')}<input type="password" name="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} /></label>
        {problem ? <p role="alert" className="negative">{problem}</p> : null}
        <button className="button wide" type="submit" disabled={busy || password === ''}>{t('Zaloguj się', 'Sign in')}</button>
      </form>
      <div className="stack">
        <button type="button" className="button second wide" disabled={busy || !email.includes('@')} onClick={() => void byLink()}>{t('Wyślij mi link do wejścia', 'Send me a link to sign in')}</button>
        {'PublicKeyCredential' in window ? <button type="button" className="button second wide" disabled={busy} onClick={() => void byPasskey()}>{t('Użyj klucza dostępu', 'Use a passkey')}</button> : null}
        <button type="button" className="link" disabled={busy || !email.includes('@')} onClick={() => void forgotten()}>{t('Nie pamiętam hasła', 'I forgot my password')}</button>
        <p className="quiet small">{t('Link i nowe hasło wyślemy na adres wpisany wyżej. Masz kod zaproszenia?', 'A link or a new password goes to the address above. Do you have an invitation code?')} <a href="/join">{t('Dołącz', 'Join')}</a></p>
      </div>
    </Frame>
  );
}

/** Where a link from a mail lands: a tap, so that a mail scanner that opens links does not use it up. */
export function LinkPage() {
  const [query] = useSearchParams();
  const failed = query.get('error') !== null;
  const token = query.get('token') ?? '';
  const to = safe(query.get('to'));
  if (failed) return <Frame title={t('Ten link już nie działa', 'This link no longer works')}><p>{t('Link działa raz i przez 15 minut. Poproś o nowy.', 'A link works once and for 15 minutes. Ask for a new one.')}</p><p><a className="button" href="/sign-in">{t('Poproś o nowy link', 'Ask for a new link')}</a></p></Frame>;
  return <Frame title={t('Prawie gotowe', 'Almost there')}><p>{t('Kliknij, żeby wejść.', 'Press to enter.')}</p><p><a className="button wide" href={`/api/auth/magic-link/verify?${new URLSearchParams({ token, callbackURL: to, errorCallbackURL: '/link' })}`}>{t('Wejdź', 'Enter')}</a></p></Frame>;
}

export function NewPassword() {
  const [query] = useSearchParams();
  const [password, setPassword] = useState('');
  const [state, setState] = useState<'asking' | 'done' | 'failed' | 'common'>('asking');
  const save = async (event: FormEvent): Promise<void> => { event.preventDefault(); const { ok, data } = await signInCall('/reset-password', { newPassword: password, token: query.get('token') ?? '' }); setState(ok ? 'done' : data['code'] === 'PASSWORD_COMMON' ? 'common' : 'failed'); };
  if (state === 'done') return <Frame title={t('Hasło zmienione', 'Password changed')}><p className="notice good" role="status">{t('Wszystkie sesje zostały zakończone. Zaloguj się nowym hasłem.', 'All sessions have ended. Sign in with the new password.')}</p><p><a className="button wide" href="/sign-in">{t('Zaloguj się', 'Sign in')}</a></p></Frame>;
  return (
    <Frame title={t('Nowe hasło', 'A new password')}>
      <form className="stack" onSubmit={(event) => void save(event)}>
        <label>{t('Hasło, co najmniej 8 znaków', 'Password, at least 8 characters')}<input type="password" autoComplete="new-password" minLength={8} maxLength={128} required value={password} onChange={(event) => setPassword(event.target.value)} /></label>
        {state === 'common' ? <p role="alert" className="negative">{t('To hasło jest na liście najczęściej zgadywanych. Wymyśl inne.', 'This password is among those that are guessed first. Think of another.')}</p> : null}
        {state === 'failed' ? <p role="alert" className="negative">{t('Ten link już nie działa. Poproś o nowy.', 'This link no longer works. Ask for a new one.')} <a href="/sign-in">{t('Zaloguj się', 'Sign in')}</a></p> : null}
        <button className="button wide" type="submit">{t('Zapisz hasło', 'Save the password')}</button>
      </form>
    </Frame>
  );
}
