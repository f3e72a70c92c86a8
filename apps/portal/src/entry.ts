import { said, t } from '@premia/ui';

export type Entry = { id: string; booked_on: string; kind: string; unit: string; amount: string; mechanic: string | null; window: string | null; document: string | null; reason: string | null; name: { pl: string; en: string } | null };

const KINDS: Record<string, () => string> = {
  adjustment: () => t('Korekta ręczna', 'Manual correction'), write_off: () => t('Umorzenie', 'Written off'), transfer: () => t('Przekazanie punktów', 'Points moved'), expiry: () => t('Utrata ważności', 'Expired'), revival: () => t('Przywrócone po korekcie', 'Brought back by a correction'),
  capture: () => t('Wydane na nagrodę', 'Spent on a reward'), refund: () => t('Zwrot za nagrodę', 'Refund of a reward'),
};
/** What an entry is, in the member's words: the rule, else what was done. */
export const entryTitle = (entry: Entry): string => [entry.name ? said(entry.name) : KINDS[entry.kind]?.() ?? entry.reason ?? entry.kind, entry.document].filter((part) => part !== null && part !== '').join(' · ');
/** What was spent, or came back, is explained by its order. */
export const isOfOrder = (entry: Entry): boolean => entry.kind === 'capture' || entry.kind === 'refund';
/** Where an entry is explained. */
export const entryLink = (entry: Entry): string => (isOfOrder(entry) ? '/rewards/orders' : entry.mechanic === null ? '/activity' : `/activity?${new URLSearchParams({ mechanic: entry.mechanic, ...(entry.document !== null ? { document: entry.document } : { on: entry.window ?? entry.booked_on }) })}`);
