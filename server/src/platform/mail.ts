import { sql } from 'kysely';
import { createTransport } from 'nodemailer';
import { instant, type Context } from './context.ts';
import { rows } from './database.ts';

export type Mail = { to: string; subject: string; body: string; link?: string };
export type Mailer = (context: Context, mail: Mail) => Promise<void>;

/** Hands mail to the server of SMTP_URL; without one it goes to the mailbox page, where development and the demo read it. */
export function makeMailer(smtpUrl: string | undefined, from: string): Mailer {
  if (smtpUrl === undefined) return keepMail;
  const transport = createTransport(smtpUrl);
  return async (_context, mail) => { await transport.sendMail({ from, to: mail.to, subject: mail.subject, text: mail.link === undefined ? mail.body : `${mail.body}\n\n${mail.link}\n` }); };
}

const keepMail: Mailer = (context, mail) => context.transaction(async (tx) => {
  await sql`INSERT INTO platform.mail (tenant_id, recipient, subject, body, link, sent_at) VALUES (${context.tenantId}, ${mail.to}, ${mail.subject}, ${mail.body}, ${mail.link ?? null}, ${instant(context)})`.execute(tx);
});

export type KeptMail = { mail_id: bigint; recipient: string; subject: string; body: string; link: string | null; sent_at: Date };

/** What was caught instead of sent, newest first. */
export const listMail = (context: Context, limit = 50): Promise<KeptMail[]> =>
  context.transaction((tx) => rows<KeptMail>(tx, sql`SELECT mail_id, recipient, subject, body, link, sent_at FROM platform.mail ORDER BY mail_id DESC LIMIT ${limit}`));
