import { Refusal, phrase } from '@premia/kernel';

/** The closed list of "no" of the ledger, in the order in which they are looked for: the first that applies is the answer. */
export const LEDGER_REFUSALS = ['amount_not_positive', 'unit_not_found', 'member_not_active', 'below_smallest_redemption', 'balance_too_low', 'hold_not_found', 'hold_not_open', 'second_person_needed', 'adjustment_not_open'] as const;
export type LedgerRefusal = (typeof LEDGER_REFUSALS)[number];

const TEXTS: Record<LedgerRefusal, { status: number; pl: string; en: string }> = {
  amount_not_positive: { status: 422, pl: 'Kwota musi być dodatnia.', en: 'The amount must be above zero.' },
  unit_not_found: { status: 404, pl: 'Nie ma takiej jednostki.', en: 'There is no such unit.' },
  member_not_active: { status: 409, pl: 'Uczestnik nie jest aktywny.', en: 'The member is not active.' },
  below_smallest_redemption: { status: 422, pl: 'To mniej niż najmniejsza wymiana.', en: 'This is less than the smallest redemption.' },
  balance_too_low: { status: 422, pl: 'Za mało dostępnych jednostek.', en: 'There are not enough units available.' },
  hold_not_found: { status: 404, pl: 'Nie ma takiej blokady.', en: 'There is no such hold.' },
  hold_not_open: { status: 409, pl: 'Ta blokada jest już rozliczona.', en: 'This hold is settled already.' },
  second_person_needed: { status: 403, pl: 'Musi to zatwierdzić inna osoba.', en: 'Another person must approve this.' },
  adjustment_not_open: { status: 409, pl: 'Ta korekta jest już rozstrzygnięta.', en: 'This adjustment is decided already.' },
};
export const refuse = (code: LedgerRefusal): Refusal => new Refusal(code, TEXTS[code].status, phrase(TEXTS[code].pl, TEXTS[code].en));
