import type { Phrase } from '@premia/kernel';

export const KINDS = ['goods', 'voucher', 'prepaid', 'transfer', 'code', 'event', 'training', 'support', 'charity'] as const;
export type Kind = (typeof KINDS)[number];
export const STATES = ['requested', 'awaiting_payment', 'approved', 'batched', 'exported', 'sent', 'issued', 'shipped', 'delivered', 'rejected', 'cancelled', 'failed', 'returned'] as const;
export type State = (typeof STATES)[number];
export const ACTIONS = ['approve', 'ask_payment', 'pay', 'reject', 'cancel', 'recall', 'batch', 'unbatch', 'export', 'send', 'issue', 'ship', 'deliver', 'fail', 'return'] as const;
export type Action = (typeof ACTIONS)[number];

/** How a kind of reward gets to its member: money, a code, a parcel, or something that simply happens. */
export type Rail = 'money' | 'code' | 'parcel' | 'service';
const RAILS: Record<Kind, Rail> = { transfer: 'money', prepaid: 'money', voucher: 'code', code: 'code', goods: 'parcel', event: 'service', training: 'service', support: 'service', charity: 'service' };
export const railOf = (kind: Kind): Rail => RAILS[kind];

type Moves = Partial<Record<State, Partial<Record<Action, State>>>>;
/** Before anything is given, an item is asked for, paid towards, approved – or turned down, or taken back by the member. */
const BEFORE: Moves = {
  requested: { approve: 'approved', ask_payment: 'awaiting_payment', reject: 'rejected', cancel: 'cancelled' },
  awaiting_payment: { pay: 'approved', reject: 'rejected', cancel: 'cancelled', recall: 'requested' },
  approved: { reject: 'rejected', cancel: 'cancelled', recall: 'requested' },
};
const AFTER: Record<Rail, Moves> = {
  // What is in a batch or at the provider is no longer the member's to cancel: it may be paid already.
  money: { approved: { batch: 'batched', send: 'sent' }, batched: { unbatch: 'approved', recall: 'requested', export: 'exported' }, exported: { deliver: 'delivered', fail: 'failed' }, sent: { deliver: 'delivered', fail: 'failed' }, delivered: { return: 'returned' } },
  code: { approved: { issue: 'issued' }, issued: { return: 'returned' } },
  parcel: { approved: { ship: 'shipped' }, shipped: { deliver: 'delivered', return: 'returned' }, delivered: { return: 'returned' } },
  service: { approved: { deliver: 'delivered' }, delivered: { return: 'returned' } },
};

/** The state an action leads to, or null where it may not be done. The whole machine is in these two tables; tests/golden/order-machine.test.ts prints them all. */
export const next = (kind: Kind, state: State, action: Action): State | null => BEFORE[state]?.[action] ?? AFTER[railOf(kind)][state]?.[action] ?? null;

/** What a state means for the units of the item: still held, spent, or back with the member. */
export type Units = 'held' | 'spent' | 'back';
const UNITS: Record<State, Units> = { requested: 'held', awaiting_payment: 'held', approved: 'held', batched: 'held', exported: 'held', sent: 'held', issued: 'spent', shipped: 'spent', delivered: 'spent', rejected: 'back', cancelled: 'back', failed: 'back', returned: 'back' };
export const unitsIn = (state: State): Units => UNITS[state];

/** What a member reads about a state of an order. */
export const STATE_WORDS: Record<State, Phrase> = {
  requested: { pl: 'czeka na zatwierdzenie', en: 'waiting for approval' }, awaiting_payment: { pl: 'czeka na Twoją dopłatę', en: 'waiting for your payment' }, approved: { pl: 'zatwierdzone', en: 'approved' }, batched: { pl: 'przygotowane do wypłaty', en: 'prepared for payment' }, exported: { pl: 'przekazane do wypłaty', en: 'handed over for payment' },
  sent: { pl: 'u dostawcy', en: 'with the provider' }, issued: { pl: 'kod gotowy', en: 'code ready' }, shipped: { pl: 'wysłane', en: 'shipped' }, delivered: { pl: 'zrealizowane', en: 'done' }, rejected: { pl: 'odrzucone, punkty wróciły', en: 'turned down, points returned' }, cancelled: { pl: 'anulowane, punkty wróciły', en: 'cancelled, points returned' },
  failed: { pl: 'nie udało się, punkty wróciły', en: 'failed, points returned' }, returned: { pl: 'zwrócone, punkty wróciły', en: 'returned, points returned' },
};
