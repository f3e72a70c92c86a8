-- Whoever asks to take part, where a program lets them: matched by a code or tax number, decided by an operator.
CREATE TABLE members.registration (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, registration_id bigint GENERATED ALWAYS AS IDENTITY,
  email text NOT NULL, name text NOT NULL, reference text NOT NULL, locale text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'refused')), asked_at timestamptz NOT NULL, decided_by text, decided_at timestamptz,
  PRIMARY KEY (tenant_id, program_id, registration_id)
);
CREATE UNIQUE INDEX ON members.registration (tenant_id, program_id, email) WHERE state = 'open';
SELECT platform.guard('members.registration', 'INSERT, UPDATE (state, decided_by, decided_at)');
