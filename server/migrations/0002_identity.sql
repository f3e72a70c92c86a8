CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO premia_app, premia_load;

CREATE TABLE identity.tenant (
  tenant_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL UNIQUE,
  name text NOT NULL,
  created_at timestamptz NOT NULL
);
SELECT platform.guard('identity.tenant', 'INSERT');

CREATE TABLE identity.api_key (
  tenant_id bigint NOT NULL,
  key_id bigint GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  prefix text NOT NULL,
  secret_hash bytea NOT NULL,
  permissions text[] NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, key_id),
  UNIQUE (secret_hash, tenant_id)
);
SELECT platform.guard('identity.api_key', 'INSERT, UPDATE (revoked_at)');

-- Before a key is known no tenant is known: the one look-up that crosses tenants, by the hash of a 256-bit secret.
CREATE FUNCTION identity.authenticate(hash bytea) RETURNS TABLE (tenant_id bigint, key_id bigint, name text, permissions text[])
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  RETURN QUERY SELECT k.tenant_id, k.key_id, k.name, k.permissions FROM identity.api_key AS k
    WHERE k.secret_hash = hash AND k.revoked_at IS NULL;
END $$;
REVOKE ALL ON FUNCTION identity.authenticate(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.authenticate(bytea) TO premia_app;

CREATE FUNCTION identity.tenant_by_key(wanted text) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$ SELECT tenant_id FROM identity.tenant WHERE key = wanted $$;
REVOKE ALL ON FUNCTION identity.tenant_by_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.tenant_by_key(text) TO premia_app;

CREATE FUNCTION identity.create_tenant(new_key text, new_name text, at timestamptz) RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO identity.tenant (key, name, created_at) VALUES (new_key, new_name, at) RETURNING tenant_id $$;
REVOKE ALL ON FUNCTION identity.create_tenant(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.create_tenant(text, text, timestamptz) TO premia_app;

-- FORCE makes the owner obey the policies too; these functions run as the owner and must see across tenants.
CREATE POLICY owner_sees_all ON identity.tenant TO premia_owner USING (true) WITH CHECK (true);
CREATE POLICY owner_sees_all ON identity.api_key TO premia_owner USING (true) WITH CHECK (true);

CREATE TABLE identity.audit (
  tenant_id bigint NOT NULL,
  audit_id bigint GENERATED ALWAYS AS IDENTITY,
  program_id bigint,
  at timestamptz NOT NULL,
  principal text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  before jsonb,
  after jsonb,
  request_id text,
  PRIMARY KEY (tenant_id, audit_id)
);
SELECT platform.guard('identity.audit', 'INSERT');
