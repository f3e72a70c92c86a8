import { Readable } from 'node:stream';
import type { Phrase } from '@premia/kernel';
import { printPdf } from '../../platform/pdf.ts';

export type Guest = { name: string; code: string; link: string };

/** Welcome letters as one PDF, a page a person, in both languages: what it is, the code to type, and the same as a QR code. */
export async function welcomePack(program: Phrase, publicUrl: string, guests: readonly Guest[]): Promise<AsyncIterable<Buffer>> {
  const page = (guest: Guest, index: number): unknown[] => [
    { text: program.pl, fontSize: 22, bold: true, ...(index > 0 ? { pageBreak: 'before' } : {}) },
    { text: `\n${guest.name},\n\nzapraszamy do programu „${program.pl}”. Zeskanuj kod telefonem albo wejdź na ${publicUrl}/join i przepisz:`, fontSize: 12 },
    { text: `\n${guest.code}\n`, fontSize: 20, bold: true, characterSpacing: 1 },
    { qr: guest.link, fit: 150 },
    { text: '\nTo zaproszenie jest tylko dla Ciebie, działa raz i przez 14 dni. Przed wejściem przeczytasz regulamin; zgody marketingowe są dobrowolne.', fontSize: 11 },
    { text: `\n\n${program.en}`, fontSize: 14, bold: true },
    { text: `${guest.name}, you are invited. Scan the code, or go to ${publicUrl}/join and type the code above. It works once, for 14 days.`, fontSize: 11 },
  ];
  return Readable.from([await printPdf({ pageSize: 'A5', pageMargins: [40, 40, 40, 40], info: { title: program.pl }, content: guests.flatMap(page) })]);
}
