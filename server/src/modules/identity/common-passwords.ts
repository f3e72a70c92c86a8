/** The passwords that are guessed first; read when one is set for the first time, since they are 49,000. */
let common: Promise<ReadonlySet<string>> | undefined;

/** Whether a new password is among those that everybody tries (NIST SP 800-63B, 5.1.1.2). Upper and lower case are one. */
export async function isCommonPassword(password: string): Promise<boolean> {
  common ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common'].map(String)));
  return (await common).has(password.toLowerCase());
}
