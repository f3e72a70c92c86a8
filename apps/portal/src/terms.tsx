import { day, said, setLanguage, t, useLanguage, whatWentWrong } from '@premia/ui';
import { useState } from 'react';

export type TermsText = { version: number; effective_on: string; material: boolean; body: { pl: string; en: string } };
export const TermsBody = ({ terms }: { terms: TermsText }) => <div className="terms" tabIndex={0} role="region" aria-label={t('Treść regulaminu', 'Text of the terms')}>{said(terms.body).split('\n').map((line, index) => (line.trim() === '' ? null : <p key={index}>{line}</p>))}</div>;

/** A new version of the terms stands in front of everything until it is accepted. */
export function Terms({ due, accept, busy, error }: { due: TermsText; accept: () => void; busy: boolean; error: unknown }) {
  const [read, setRead] = useState(false);
  const language = useLanguage();
  return (
    <section className="card">
      <h1>{t('Regulamin programu', 'Terms of the program')}</h1>
      <p className="quiet">{t('Wersja', 'Version')} {due.version}, {t('obowiązuje od', 'in force from')} {day(due.effective_on)}</p>
      <TermsBody terms={due} />
      <label className="tick"><input type="checkbox" checked={read} onChange={(event) => setRead(event.target.checked)} /> {t('Akceptuję regulamin programu.', 'I accept the terms of the program.')}</label>
      {error ? <p role="alert" className="negative">{whatWentWrong(error)}</p> : null}
      <p className="actions"><button type="button" className="button" disabled={!read || busy} onClick={accept}>{t('Akceptuję i wchodzę', 'Accept and enter')}</button>
        <button type="button" className="button second" onClick={() => setLanguage(language === 'pl' ? 'en' : 'pl')}>{language === 'pl' ? 'English' : 'Polski'}</button></p>
    </section>
  );
}
