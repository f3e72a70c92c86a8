-- Erasing a person: what names them goes, what rules and books need stays under a pseudonym.

-- The key under which an installation remembers, without knowing, whom it has erased.
CREATE TABLE members.erasure_key (tenant_id bigint PRIMARY KEY, key text NOT NULL);
SELECT platform.guard('members.erasure_key', 'INSERT');
-- References of the erased, hashed with that key: a source that names them again makes nobody.
CREATE TABLE members.tombstone (
  tenant_id bigint NOT NULL, program_id bigint NOT NULL, reference_hash bytea NOT NULL, erased_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, reference_hash)
);
SELECT platform.guard('members.tombstone', 'INSERT');

CREATE FUNCTION members.reference_hash(tenant bigint, reference text) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(convert_to(k.key || ':' || reference, 'UTF8')) FROM members.erasure_key AS k WHERE k.tenant_id = tenant
$$;
GRANT EXECUTE ON FUNCTION members.reference_hash(bigint, text) TO premia_app;

-- Replaces a person's references by a pseudonym and their words by nothing, wherever they are kept beside the books. `names` are texts
-- that name them: name, e-mail, tax number, code. Runs as the owner, inside the tenant of the transaction: policies hold for it too.
CREATE FUNCTION members.erase(of_program bigint, of_member bigint, old_references text[], names text[], pseudonym text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  tenant bigint := platform.tenant();
  new_reference text := 'code:' || pseudonym;
  mentions text := (SELECT string_agg(regexp_replace(n, '([\\.^$*+?()\[\]{}|-])', '\\\1', 'g'), '|') FROM unnest(names) AS n WHERE length(n) > 2);
BEGIN
  IF tenant IS NULL THEN RAISE EXCEPTION 'no tenant'; END IF;
  DELETE FROM members.person WHERE program_id = of_program AND member_id = of_member;
  DELETE FROM members.member_key WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.member SET code = pseudonym WHERE program_id = of_program AND member_id = of_member;
  INSERT INTO members.member_key (tenant_id, program_id, reference, member_id) VALUES (tenant, of_program, new_reference, of_member);
  UPDATE members.consent SET evidence = '{}' WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.acceptance SET evidence = '{}' WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.inquiry SET subject = '–', document = NULL WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.inquiry_message SET body = '–' WHERE program_id = of_program AND inquiry_id IN (SELECT inquiry_id FROM members.inquiry WHERE program_id = of_program AND member_id = of_member);
  DELETE FROM members.note WHERE program_id = of_program AND member_id = of_member;
  UPDATE identity.invitation SET email = '–', name = '–', code_hash = sha256(''), revoked_at = COALESCE(revoked_at, now()) WHERE member_id = of_member OR email = ANY(names);
  UPDATE facts.line SET buyer = CASE WHEN buyer = ANY(old_references) THEN new_reference ELSE buyer END, seller = CASE WHEN seller = ANY(old_references) THEN new_reference ELSE seller END, rep = CASE WHEN rep = ANY(old_references) THEN new_reference ELSE rep END,
    shares = (SELECT jsonb_agg(CASE WHEN s ->> 'ref' = ANY(old_references) THEN jsonb_set(s, '{ref}', to_jsonb(new_reference)) ELSE s END) FROM jsonb_array_elements(shares) AS s)
    WHERE program_id = of_program AND (buyer = ANY(old_references) OR seller = ANY(old_references) OR rep = ANY(old_references) OR EXISTS (SELECT 1 FROM jsonb_array_elements(shares) AS s WHERE s ->> 'ref' = ANY(old_references)));
  UPDATE facts.fact SET partner = new_reference WHERE program_id = of_program AND partner = ANY(old_references);
  IF mentions IS NOT NULL THEN
    UPDATE facts.conflict SET sent = regexp_replace(sent::text, mentions, pseudonym, 'gi')::jsonb WHERE program_id = of_program AND sent::text ~* mentions;
    -- A reason is free text and names people in any form of their names: where the change is about them it goes whole, in the audit too.
    UPDATE identity.audit SET before = NULL, after = '{"erased": true}' WHERE before::text ~* mentions OR after::text ~* mentions
      OR subject IN (SELECT 'recalculation:' || recalculation_id FROM entitlements.recalculation WHERE program_id = of_program AND (change::text ~* mentions OR preview::text ~* mentions OR reason ~* mentions));
    UPDATE entitlements.recalculation SET change = regexp_replace(change::text, mentions, pseudonym, 'gi')::jsonb, preview = regexp_replace(preview::text, mentions, pseudonym, 'gi')::jsonb, reason = '–' WHERE program_id = of_program AND (change::text ~* mentions OR preview::text ~* mentions OR reason ~* mentions);
    DELETE FROM platform.idempotency WHERE body ~* mentions OR route ~* mentions;
    UPDATE platform.outbox SET payload = regexp_replace(payload::text, mentions, pseudonym, 'gi')::jsonb WHERE payload::text ~* mentions;
    DELETE FROM platform.mail WHERE recipient ~* mentions OR body ~* mentions;
    UPDATE staging.staged_row SET raw = '', buyer = CASE WHEN buyer = ANY(old_references) THEN new_reference ELSE buyer END, seller = CASE WHEN seller = ANY(old_references) THEN new_reference ELSE seller END, rep = CASE WHEN rep = ANY(old_references) THEN new_reference ELSE rep END, shares = NULL,
      problem = CASE WHEN problem IS NULL THEN NULL ELSE problem || '{"value": "–"}' END WHERE tenant_id = tenant AND program_id = of_program AND (raw ~* mentions OR buyer = ANY(old_references) OR seller = ANY(old_references) OR rep = ANY(old_references));
  END IF;
END $$;
REVOKE ALL ON FUNCTION members.erase(bigint, bigint, text[], text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION members.erase(bigint, bigint, text[], text[], text) TO premia_app;
