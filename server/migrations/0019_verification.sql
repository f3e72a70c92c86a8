-- What each verification found: the screens show the last one, and a night's difference waits for somebody in the morning.
CREATE TABLE entitlements.verification (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, verification_id bigint GENERATED ALWAYS AS IDENTITY, verified_at timestamptz NOT NULL, verified_by text NOT NULL, differences int NOT NULL, result jsonb NOT NULL,
  PRIMARY KEY (tenant_id, program_id, verification_id)
);
SELECT platform.guard('entitlements.verification', 'INSERT');
