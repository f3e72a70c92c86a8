import { Refusal, phrase } from '@premia/kernel';

/** The closed list of "no" of the ledger, in the order in which they are looked for: the first that applies is the answer. */
export const LEDGER_REFUSALS = ['amount_not_positive', 'unit_not_found', 'same_member', 'reference_used', 'member_not_active', 'employer_consent_missing', 'below_smallest_redemption', 'balance_too_low', 'hold_not_found', 'hold_not_open', 'second_person_needed', 'adjustment_not_found', 'adjustment_not_open', 'debt_too_low'] as const;
export type LedgerRefusal = (typeof LEDGER_REFUSALS)[number];

const TEXTS: Record<LedgerRefusal, { status: number; pl: string; en: string }> = {
  amount_not_positive: { status: 422, pl: 'Kwota musi być dodatnia.', en: 'The amount must be above zero.' },
  unit_not_found: { status: 404, pl: 'Nie ma takiej jednostki.', en: 'There is no such unit.' },
  same_member: { status: 422, pl: 'Uczestnik nie może przekazać jednostek sobie.', en: 'A member cannot transfer units to themselves.' },
  reference_used: { status: 409, pl: 'Ten numer był już użyty do czegoś innego.', en: 'This reference was used for something else.' },
  member_not_active: { status: 409, pl: 'Uczestnik nie jest aktywny.', en: 'The member is not active.' },
  employer_consent_missing: { status: 409, pl: 'Brakuje zgody firmy, w której uczestnik pracuje: bez niej nie można wydawać punktów.', en: 'The company the member works for has not agreed: without that, units cannot be spent.' },
  below_smallest_redemption: { status: 422, pl: 'To mniej niż najmniejsza wymiana.', en: 'This is less than the smallest redemption.' },
  balance_too_low: { status: 422, pl: 'Za mało dostępnych jednostek.', en: 'There are not enough units available.' },
  hold_not_found: { status: 404, pl: 'Nie ma takiej blokady.', en: 'There is no such hold.' },
  hold_not_open: { status: 409, pl: 'Ta blokada jest już rozliczona.', en: 'This hold is settled already.' },
  second_person_needed: { status: 403, pl: 'Musi to zatwierdzić inna osoba.', en: 'Another person must approve this.' },
  adjustment_not_found: { status: 404, pl: 'Nie ma takiej korekty.', en: 'There is no such adjustment.' },
  debt_too_low: { status: 422, pl: 'Uczestnik nie ma tyle do odliczenia.', en: 'The member does not owe that much.' },
  adjustment_not_open: { status: 409, pl: 'Ta korekta jest już rozstrzygnięta.', en: 'This adjustment is decided already.' },
};
export const refuse = (code: LedgerRefusal): Refusal => new Refusal(code, TEXTS[code].status, phrase(TEXTS[code].pl, TEXTS[code].en));
