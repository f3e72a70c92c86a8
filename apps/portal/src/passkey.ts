import { signInCall } from '@premia/ui';

/** WebAuthn Level 3: the browser reads and writes the JSON forms itself. */
type Json = Record<string, unknown>;
const Credential = (): { parseRequestOptionsFromJSON(options: Json): PublicKeyCredentialRequestOptions; parseCreationOptionsFromJSON(options: Json): PublicKeyCredentialCreationOptions } => PublicKeyCredential as never;

/** Signs in with a passkey of this device. Answers whether it did. */
export async function signInWithPasskey(): Promise<boolean> {
  const options = await signInCall('/passkey/generate-authenticate-options');
  if (!options.ok) return false;
  const given = await navigator.credentials.get({ publicKey: Credential().parseRequestOptionsFromJSON(options.data) }).catch(() => null) as (PublicKeyCredential & { toJSON(): Json }) | null;
  return given !== null && (await signInCall('/passkey/verify-authentication', { response: given.toJSON() })).ok;
}

/** Adds a passkey of this device to the person who is signed in. */
export async function addPasskey(name: string): Promise<boolean> {
  const options = await signInCall('/passkey/generate-register-options');
  if (!options.ok) return false;
  const made = await navigator.credentials.create({ publicKey: Credential().parseCreationOptionsFromJSON(options.data) }).catch(() => null) as (PublicKeyCredential & { toJSON(): Json }) | null;
  return made !== null && (await signInCall('/passkey/verify-registration', { response: made.toJSON(), name })).ok;
}
