import { createRequire } from 'node:module';

/** pdfmake is CommonJS without types; this is what we use of it. It may fetch nothing, and read nothing but its own fonts. */
type Engine = { setUrlAccessPolicy(allowed: (url: string) => boolean): void; setLocalAccessPolicy(allowed: (path: string) => boolean): void; setFonts(fonts: unknown): void; createPdf(document: unknown): { getBuffer(): Promise<Uint8Array> } };
const load = createRequire(import.meta.url);
const engine = load('pdfmake') as Engine;
engine.setUrlAccessPolicy(() => false);
engine.setLocalAccessPolicy((path) => path.includes('pdfmake'));
engine.setFonts(load('pdfmake/fonts/Roboto.js'));

/** A document of pdfmake's as PDF. */
export const printPdf = async (document: unknown): Promise<Buffer> => Buffer.from(await engine.createPdf(document).getBuffer());
