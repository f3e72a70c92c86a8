import { moment, t, whatWentWrong } from '@premia/ui';
import type { ReactNode } from 'react';

/** The faces a screen has while, and where, there is nothing to show. */
export const Loading = () => <div className="page" role="status" aria-live="polite"><span className="visually-hidden">{t('Wczytuję …', 'Loading …')}</span><div className="bone tall" /><div className="bone" /><div className="bone" /></div>;

export function Failed({ error, again }: { error: unknown; again?: () => void }) {
  return <div className="notice bad" role="alert"><p>{whatWentWrong(error)}</p>{again ? <button type="button" className="button second" onClick={again}>{t('Spróbuj jeszcze raz', 'Try again')}</button> : null}</div>;
}
export const Empty = ({ children }: { children: ReactNode }) => <p className="notice">{children}</p>;
export const KeptNotice = ({ at }: { at: string | null }) => (at === null ? null : <p className="notice" role="status">{t('Bez połączenia. Stan z ', 'No connection. As of ')}<strong>{moment(at)}</strong>.</p>);
