-- People: who signs in, what they may do and where, how they came in; what members agreed to and asked; mail in development.

-- Sign-in is better-auth's. A person is one in the installation, whatever tenants they work for, so these tables know no tenant; what a
-- person may do is in identity.role_grant, which does. Column names are the library's.
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO premia_app;
CREATE TABLE auth."user" (
  "id" text PRIMARY KEY, "name" text NOT NULL, "email" text NOT NULL UNIQUE, "emailVerified" boolean NOT NULL, "image" text,
  "createdAt" timestamptz NOT NULL, "updatedAt" timestamptz NOT NULL, "twoFactorEnabled" boolean, "locale" text
);
CREATE TABLE auth."session" (
  "id" text PRIMARY KEY, "expiresAt" timestamptz NOT NULL, "token" text NOT NULL UNIQUE, "createdAt" timestamptz NOT NULL, "updatedAt" timestamptz NOT NULL,
  "ipAddress" text, "userAgent" text, "userId" text NOT NULL REFERENCES auth."user" ("id") ON DELETE CASCADE,
  -- a second factor or a passkey was shown: what approvers need
  "strong" boolean NOT NULL DEFAULT false
);
CREATE INDEX ON auth."session" ("userId");
CREATE TABLE auth."account" (
  "id" text PRIMARY KEY, "accountId" text NOT NULL, "providerId" text NOT NULL, "userId" text NOT NULL REFERENCES auth."user" ("id") ON DELETE CASCADE,
  "accessToken" text, "refreshToken" text, "idToken" text, "accessTokenExpiresAt" timestamptz, "refreshTokenExpiresAt" timestamptz, "scope" text, "password" text,
  "createdAt" timestamptz NOT NULL, "updatedAt" timestamptz NOT NULL
);
CREATE INDEX ON auth."account" ("userId");
CREATE TABLE auth."verification" ("id" text PRIMARY KEY, "identifier" text NOT NULL, "value" text NOT NULL, "expiresAt" timestamptz NOT NULL, "createdAt" timestamptz NOT NULL, "updatedAt" timestamptz NOT NULL);
CREATE INDEX ON auth."verification" ("identifier");
CREATE TABLE auth."twoFactor" (
  "id" text PRIMARY KEY, "secret" text NOT NULL, "backupCodes" text NOT NULL, "userId" text NOT NULL REFERENCES auth."user" ("id") ON DELETE CASCADE,
  "verified" boolean, "failedVerificationCount" integer, "lockedUntil" timestamptz
);
CREATE INDEX ON auth."twoFactor" ("userId");
CREATE TABLE auth."passkey" (
  "id" text PRIMARY KEY, "name" text, "publicKey" text NOT NULL, "userId" text NOT NULL REFERENCES auth."user" ("id") ON DELETE CASCADE,
  "credentialID" text NOT NULL, "counter" integer NOT NULL, "deviceType" text NOT NULL, "backedUp" boolean NOT NULL, "transports" text, "createdAt" timestamptz, "aaguid" text
);
CREATE INDEX ON auth."passkey" ("userId");
CREATE INDEX ON auth."passkey" ("credentialID");

-- Tries of a password, counted before it is checked and whether or not the account exists: one count an account, wherever they come from.
CREATE TABLE auth.try_count (email_hash bytea PRIMARY KEY, tries int NOT NULL, since timestamptz NOT NULL);
-- A code of an authenticator is good once.
CREATE TABLE auth.used_code (user_id text NOT NULL, code_hash bytea NOT NULL, used_at timestamptz NOT NULL, PRIMARY KEY (user_id, code_hash));
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA auth TO premia_app;

-- What a person may do: everywhere in the tenant (no program), in one program, or as one member of it.
CREATE TABLE identity.role_grant (
  tenant_id bigint NOT NULL,
  grant_id bigint GENERATED ALWAYS AS IDENTITY,
  user_id text NOT NULL,
  role text NOT NULL,
  program text,
  member_id bigint,
  company text,
  granted_by text NOT NULL,
  granted_at timestamptz NOT NULL,
  ended_by text,
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, grant_id),
  CHECK ((role IN ('member', 'manager')) = (member_id IS NOT NULL)),
  CHECK (member_id IS NULL OR program IS NOT NULL)
);
CREATE UNIQUE INDEX ON identity.role_grant (tenant_id, user_id, role, COALESCE(program, ''), COALESCE(member_id, 0)) WHERE ended_at IS NULL;
CREATE INDEX ON identity.role_grant (user_id) WHERE ended_at IS NULL;
SELECT platform.guard('identity.role_grant', 'INSERT, UPDATE (ended_by, ended_at)');
CREATE POLICY owner_sees_all ON identity.role_grant TO premia_owner USING (true) WITH CHECK (true);

-- Before a tenant is chosen none is known: a person's own grants, by the id of their session's user.
CREATE FUNCTION identity.grants_of(person text) RETURNS TABLE (tenant_id bigint, tenant text, tenant_name text, role text, program text, member_id bigint, company text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT g.tenant_id, t.key, t.name, g.role, g.program, g.member_id, g.company FROM identity.role_grant AS g JOIN identity.tenant AS t ON t.tenant_id = g.tenant_id
  WHERE g.user_id = person AND g.ended_at IS NULL ORDER BY g.tenant_id, g.grant_id $$;
REVOKE ALL ON FUNCTION identity.grants_of(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.grants_of(text) TO premia_app;

CREATE TABLE identity.invitation (
  tenant_id bigint NOT NULL,
  invitation_id bigint GENERATED ALWAYS AS IDENTITY,
  email text NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  program text,
  member_id bigint,
  company text,
  locale text NOT NULL,
  code_hash bytea NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, invitation_id)
);
CREATE INDEX ON identity.invitation (code_hash);
SELECT platform.guard('identity.invitation', 'INSERT, UPDATE (accepted_at, revoked_at)');
CREATE POLICY owner_sees_all ON identity.invitation TO premia_owner USING (true) WITH CHECK (true);
-- Whoever holds the code was sent it: which tenant and invitation it is, while it is good.
CREATE FUNCTION identity.invitation_by_code(hash bytea, at timestamptz) RETURNS TABLE (tenant_id bigint, invitation_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT i.tenant_id, i.invitation_id FROM identity.invitation AS i WHERE i.code_hash = hash AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > at $$;
REVOKE ALL ON FUNCTION identity.invitation_by_code(bytea, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.invitation_by_code(bytea, timestamptz) TO premia_app;

-- How a tenant looks: logo and a few colours, for both applications.
CREATE TABLE identity.look (tenant_id bigint PRIMARY KEY, accent text NOT NULL, radius smallint NOT NULL, logo text, changed_by text NOT NULL, changed_at timestamptz NOT NULL);
SELECT platform.guard('identity.look', 'INSERT, UPDATE');

-- Mail that was not handed to a mail server: development and the demo. Tenant 0 is sign-in's own mail.
CREATE TABLE platform.mail (
  tenant_id bigint NOT NULL,
  mail_id bigint GENERATED ALWAYS AS IDENTITY,
  recipient text NOT NULL,
  subject text NOT NULL,
  body text NOT NULL,
  link text,
  sent_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, mail_id)
);
SELECT platform.guard('platform.mail', 'INSERT');

-- The terms of a program, by version. Published versions do not change.
CREATE TABLE members.terms (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, version int NOT NULL, effective_on date NOT NULL,
  -- whoever accepted an earlier version is asked again
  material boolean NOT NULL,
  body jsonb NOT NULL, published_by text NOT NULL, published_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, version)
);
SELECT platform.guard('members.terms', 'INSERT');
CREATE TABLE members.acceptance (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, member_id bigint NOT NULL, version int NOT NULL, user_id text NOT NULL, accepted_at timestamptz NOT NULL, evidence jsonb NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, version, user_id)
);
SELECT platform.guard('members.acceptance', 'INSERT');
-- Consents are said and taken back, one channel at a time; every word is kept with what was read.
CREATE TABLE members.consent (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, member_id bigint NOT NULL, consent_id bigint GENERATED ALWAYS AS IDENTITY,
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'phone', 'push')), given boolean NOT NULL, wording text NOT NULL, user_id text NOT NULL, at timestamptz NOT NULL, evidence jsonb NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, consent_id)
);
SELECT platform.guard('members.consent', 'INSERT');
-- A partner company's consent, as employer, that its people take part: who, in what, by which document.
CREATE TABLE members.employer_consent (
  tenant_id bigint NOT NULL, company text NOT NULL, employer_consent_id bigint GENERATED ALWAYS AS IDENTITY, given boolean NOT NULL, given_by text NOT NULL, scope text NOT NULL, document text NOT NULL,
  valid_from date NOT NULL, recorded_by text NOT NULL, recorded_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, company, employer_consent_id)
);
SELECT platform.guard('members.employer_consent', 'INSERT');

CREATE TABLE members.inquiry (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, inquiry_id bigint GENERATED ALWAYS AS IDENTITY, member_id bigint NOT NULL, subject text NOT NULL, document text, mechanic text,
  state text NOT NULL CHECK (state IN ('open', 'answered', 'closed')), opened_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, inquiry_id)
);
CREATE INDEX ON members.inquiry (tenant_id, program_id, member_id);
SELECT platform.guard('members.inquiry', 'INSERT, UPDATE (state, changed_at)');
CREATE TABLE members.inquiry_message (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, inquiry_id bigint NOT NULL, message_id bigint GENERATED ALWAYS AS IDENTITY, from_member boolean NOT NULL, author text NOT NULL, body text NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, inquiry_id, message_id)
);
SELECT platform.guard('members.inquiry_message', 'INSERT');
CREATE TABLE members.note (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, member_id bigint NOT NULL, note_id bigint GENERATED ALWAYS AS IDENTITY, author text NOT NULL, body text NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, note_id)
);
SELECT platform.guard('members.note', 'INSERT');

-- The console lists documents by day, newest first.
CREATE INDEX document_by_day ON facts.document (tenant_id, program_id, occurred_on, document_id);
