-- A sponsor's look: a program may have one of its own; without it, it looks like its organization.
CREATE TABLE identity.program_look (tenant_id bigint, program text, accent text NOT NULL, radius smallint NOT NULL, logo text, changed_by text NOT NULL, changed_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, program));
SELECT platform.guard('identity.program_look', 'INSERT, UPDATE, DELETE');
