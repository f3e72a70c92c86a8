import { t } from '@premia/ui';
import { State } from './parts.tsx';

type Tone = 'good' | 'bad' | 'care' | 'plain';
/** States of a piece of an order, as those say who work with it. */
export const ORDER_STATES: Record<string, () => [Tone, string]> = {
  requested: () => ['care', t('do zatwierdzenia', 'to approve')], awaiting_payment: () => ['care', t('czeka na dopłatę', 'awaits payment')], approved: () => ['plain', t('zatwierdzone', 'approved')], batched: () => ['plain', t('w paczce', 'in a batch')], exported: () => ['plain', t('wyeksportowane', 'exported')], sent: () => ['plain', t('u dostawcy', 'with the provider')],
  issued: () => ['good', t('kod wydany', 'code issued')], shipped: () => ['good', t('wysłane', 'shipped')], delivered: () => ['good', t('zrealizowane', 'done')], rejected: () => ['bad', t('odrzucone', 'rejected')], cancelled: () => ['bad', t('anulowane', 'cancelled')], failed: () => ['bad', t('nieudane', 'failed')], returned: () => ['bad', t('zwrócone', 'returned')],
};
export const OrderState = ({ state }: { state: string }) => { const [tone, word] = ORDER_STATES[state]?.() ?? ['plain', state]; return <State tone={tone}>{word}</State>; };

export const KINDS: Record<string, () => string> = {
  goods: () => t('towar', 'goods'), voucher: () => t('bon', 'voucher'), prepaid: () => t('karta przedpłacona', 'prepaid card'), transfer: () => t('przelew', 'bank transfer'), code: () => t('kod rabatowy', 'discount code'), event: () => t('wydarzenie', 'event'), training: () => t('szkolenie', 'training'), support: () => t('wsparcie', 'support'), charity: () => t('dobroczynność', 'charity'),
};
export const kindWord = (kind: string): string => KINDS[kind]?.() ?? kind;
export const kindOptions = (): { value: string; label: string }[] => Object.entries(KINDS).map(([value, word]) => ({ value, label: word() }));

export const BATCH_STATES: Record<string, () => [Tone, string]> = { proposed: () => ['care', t('do zatwierdzenia', 'to approve')], approved: () => ['care', t('do eksportu', 'to export')], exported: () => ['care', t('czeka na status', 'awaits its status')], closed: () => ['good', t('rozliczona', 'settled')], cancelled: () => ['bad', t('odrzucona', 'given up')] };
export const BatchState = ({ state }: { state: string }) => { const [tone, word] = BATCH_STATES[state]?.() ?? ['plain', state]; return <State tone={tone}>{word}</State>; };
export const FORMATS: Record<string, string> = { topup: 'CSV (karty / cards)', elixir0: 'Elixir-0', pain001: 'pain.001' };

/** Hands a file to the browser. */
export async function download(url: string, name: string, headers: Record<string, string>): Promise<void> {
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(String(answer.status));
  const made = URL.createObjectURL(await answer.blob());
  Object.assign(document.createElement('a'), { href: made, download: name }).click();
  URL.revokeObjectURL(made);
}
