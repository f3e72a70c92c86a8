/** Which accounts may meet, as [debit, credit]. The table is the law; the database checks it too, and a test compares them. */
export const ALLOWED_PAIRS = [
  ['issued', 'wallet'], ['wallet', 'issued'], // grant, takeback
  ['debt', 'wallet'], ['wallet', 'debt'], // what a correction took after it was spent, and its settling
  ['wallet', 'held'], ['held', 'wallet'], // hold, release
  ['held', 'spent'], ['spent', 'wallet'], // capture, refund
  ['wallet', 'expired'], ['expired', 'wallet'], // expiry and its reversal
  ['adjusted', 'wallet'], ['wallet', 'adjusted'], // a person's correction
  ['adjusted', 'debt'], // a debt written off
  ['wallet', 'wallet'], // a gate opened: into an ungated lot
  ['wallet', 'clearing'], ['clearing', 'wallet'], // between members, always in pairs
] as const;
