/** A sentence in both languages of the product. */
export type Phrase = { readonly pl: string; readonly en: string };
export type Locale = keyof Phrase;
export const LOCALES: readonly Locale[] = ['pl', 'en'];

/** Where and why something in the input was refused. `pointer` is a JSON pointer or `line 12, column net`. */
export type RefusalPlace = { pointer: string; code: string; message: Phrase };

/**
 * A designed "no": it has a stable code, an HTTP status and a text in the reader's language. It is never a bug.
 * Whoever catches it may show it as it is.
 */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  readonly phrase: Phrase;
  readonly places: readonly RefusalPlace[];
  constructor(code: string, status: number, phrase: Phrase, places: readonly RefusalPlace[] = []) {
    super(`${code}: ${phrase.en}${places.length > 0 ? ` (${places.map((p) => `${p.pointer}: ${p.message.en}`).join('; ')})` : ''}`);
    this.name = 'Refusal';
    this.code = code;
    this.status = status;
    this.phrase = phrase;
    this.places = places;
  }
}

export const phrase = (pl: string, en: string): Phrase => ({ pl, en });
