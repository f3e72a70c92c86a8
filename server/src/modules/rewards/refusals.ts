import { Refusal, phrase, type RefusalPlace } from '@premia/kernel';

type Told = { status: number; pl: string; en: string };
/** The closed list of "no" of rewards. Where several apply, ordering looks for them in this order. */
const TEXTS = {
  ordering_closed: { status: 409, pl: 'Zamawianie w tym programie jest teraz wstrzymane.', en: 'Ordering in this program is stopped now.' },
  member_cannot_order: { status: 409, pl: 'Zamawiać może tylko aktywny uczestnik.', en: 'Only an active member may order.' },
  terms_not_accepted: { status: 409, pl: 'Najpierw zaakceptuj aktualny regulamin.', en: 'Accept the current terms first.' },
  reward_not_found: { status: 404, pl: 'Nie ma takiej nagrody.', en: 'There is no such reward.' },
  reward_not_offered: { status: 409, pl: 'Ta nagroda nie jest teraz dostępna.', en: 'This reward is not on offer now.' },
  reward_not_for_you: { status: 409, pl: 'Ta nagroda jest dla innych uczestników.', en: 'This reward is for other members.' },
  amount_not_offered: { status: 422, pl: 'Tej kwoty nie można zamówić.', en: 'This amount cannot be ordered.' },
  address_missing: { status: 422, pl: 'Podaj adres dostawy.', en: 'Give an address for the delivery.' },
  account_missing: { status: 422, pl: 'Podaj numer konta, na które mamy przelać pieniądze.', en: 'Give the account to which the money should go.' },
  card_missing: { status: 422, pl: 'Nie masz jeszcze karty. Organizator ją wyda.', en: 'You have no card yet. The organizer will issue one.' },
  tax_profile_missing: { status: 422, pl: 'Do tej wypłaty potrzebujemy Twoich danych do podatku.', en: 'This payout needs your data for the tax office.' },
  company_does_not_pay: { status: 409, pl: 'Firma nie płaci ze swoich punktów za tę nagrodę.', en: 'The company does not pay for this reward from its own units.' },
  company_limit_reached: { status: 409, pl: 'Wykorzystano miesięczny limit, który wyznaczyła firma.', en: 'The monthly limit set by the company is used up.' },
  limit_reached: { status: 409, pl: 'Wykorzystano limit tej nagrody na ten okres.', en: 'The limit of this reward for the period is used up.' },
  out_of_stock: { status: 409, pl: 'Ta nagroda się skończyła.', en: 'This reward has run out.' },
  budget_used_up: { status: 409, pl: 'Pula pieniędzy na nagrody jest wyczerpana. Organizator został powiadomiony.', en: 'The money for rewards is used up. The organizer has been told.' },
  order_not_found: { status: 404, pl: 'Nie ma takiego zamówienia.', en: 'There is no such order.' },
  action_not_possible: { status: 409, pl: 'W tym stanie zamówienia nie da się tego zrobić.', en: 'This cannot be done in the order’s present state.' },
  second_person_needed: { status: 403, pl: 'Musi to zrobić inna osoba.', en: 'Another person must do this.' },
  tax_row_missing: { status: 409, pl: 'Żaden potwierdzony wiersz tabeli podatkowej nie pasuje do tej wypłaty.', en: 'No confirmed row of the tax table fits this payout.' },
  tax_row_ambiguous: { status: 409, pl: 'Do tej wypłaty pasuje więcej niż jeden wiersz tabeli podatkowej.', en: 'More than one row of the tax table fits this payout.' },
  tax_by_hand: { status: 409, pl: 'Nierezydent: podatek trzeba rozliczyć ręcznie.', en: 'Not a resident: the tax has to be settled by hand.' },
  tax_rule_not_found: { status: 404, pl: 'Nie ma takiego wiersza tabeli podatkowej.', en: 'There is no such row of the tax table.' },
  tax_form_not_found: { status: 404, pl: 'Nie ma takiej deklaracji.', en: 'There is no such form.' },
  code_known: { status: 409, pl: 'Ten kod już jest w puli.', en: 'This code is in the pool already.' },
  code_not_ready: { status: 409, pl: 'Kod nie jest gotowy do odczytania.', en: 'The code is not ready to be read.' },
  file_malformed: { status: 422, pl: 'Pliku nie da się przyjąć; nic z niego nie zapisano.', en: 'The file cannot be taken; nothing of it was saved.' },
  account_malformed: { status: 422, pl: 'To nie jest prawidłowy numer rachunku.', en: 'This is not a valid account number.' },
  card_malformed: { status: 422, pl: 'To wygląda na pełny numer karty. Podaj numer nadany przez dostawcę.', en: 'This looks like the number printed on a card. Give the provider’s own number.' },
  card_known: { status: 409, pl: 'Ta karta jest już wydana albo uczestnik ma już kartę.', en: 'This card is issued already, or the member has one.' },
  card_not_found: { status: 404, pl: 'Nie ma takiej karty.', en: 'There is no such card.' },
  profile_malformed: { status: 422, pl: 'Dane do podatku są niepełne.', en: 'The data for the tax office are not complete.' },
  nothing_to_pay: { status: 409, pl: 'Nie ma zatwierdzonych wypłat tego rodzaju.', en: 'There are no approved payouts of this kind.' },
  batch_not_found: { status: 404, pl: 'Nie ma takiej paczki.', en: 'There is no such batch.' },
  batch_not_open: { status: 409, pl: 'W tym stanie paczki nie da się tego zrobić.', en: 'This cannot be done in the batch’s present state.' },
  batch_changed: { status: 409, pl: 'Skład paczki zmienił się po jej przygotowaniu. Odrzuć ją i przygotuj nową.', en: 'What is in the batch has changed since it was made. Reject it and make a new one.' },
  text_not_encodable: { status: 422, pl: 'Tych znaków nie ma w kodowaniu banku.', en: 'The bank’s encoding does not have these characters.' },
  budget_not_found: { status: 404, pl: 'Nie ma takiego budżetu.', en: 'There is no such budget.' },
  settings_malformed: { status: 422, pl: 'Ustawienia są niepełne.', en: 'The settings are not complete.' },
} as const satisfies Record<string, Told>;
export type RewardRefusal = keyof typeof TEXTS;
/** With `detail`, which of them it is about. */
export const refuse = (code: RewardRefusal, detail?: { pl: string; en: string }, places: readonly RefusalPlace[] = []): Refusal => new Refusal(code, TEXTS[code].status, phrase(`${TEXTS[code].pl}${detail ? ` ${detail.pl}` : ''}`, `${TEXTS[code].en}${detail ? ` ${detail.en}` : ''}`), places);
