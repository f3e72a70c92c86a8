import iconv from 'iconv-lite';
import { refuse } from '../refusals.ts';

export const ENCODINGS = ['utf-8', 'windows-1250', 'iso-8859-2', 'cp852'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Polish and other accented letters as plain ones: „Łódź” → „Lodz”. */
export const plainLetters = (text: string): string => text.replaceAll('ł', 'l').replaceAll('Ł', 'L').normalize('NFD').replace(/\p{M}/gu, '');

/** The bytes of a text. A character that the encoding does not have is refused by name: a bank would read another one. */
export function encode(text: string, encoding: Encoding): Buffer {
  const bytes = iconv.encode(text, encoding);
  const back = iconv.decode(bytes, encoding);
  if (back === text) return bytes;
  const [lost] = [...text].filter((char) => iconv.decode(iconv.encode(char, encoding), encoding) !== char);
  throw refuse('text_not_encodable', { pl: `Znak „${lost ?? '?'}”, kodowanie ${encoding}.`, en: `Character “${lost ?? '?'}”, encoding ${encoding}.` });
}
