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

-- Replaces a person's references by a pseudonym and their words by nothing, wherever they are kept beside the books. `codes` are theirs and
-- may look like any number, so they are looked for only where a reference stands; `names` (name, e-mail, tax number) are looked for in all
-- texts, as whole words. Runs as the owner, inside the tenant of the transaction: policies hold for it too.
CREATE FUNCTION members.erase(of_program bigint, of_member bigint, old_references text[], codes text[], names text[], pseudonym text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  tenant bigint := platform.tenant();
  new_reference text := 'code:' || pseudonym;
  plain text := '([\\.^$*+?()\[\]{}|-])';
  any_name text := '\m(' || COALESCE((SELECT string_agg(regexp_replace(n, plain, '\\\1', 'g'), '|') FROM unnest(names) AS n WHERE length(n) > 2), '$.') || ')\M';
  any_code text := '(' || (SELECT string_agg(regexp_replace(c, plain, '\\\1', 'g'), '|') FROM unnest(codes) AS c) || ')';
  -- "member": "code:17850", and the like
  referring text := '("(?:member|into|subject|buyer|seller|rep|ref|code|reference)": ?")((?:code:)?)' || any_code || '"';
  listed text := '"((?:code:)?)' || any_code || '"';
BEGIN
  IF tenant IS NULL THEN RAISE EXCEPTION 'no tenant'; END IF;
  DELETE FROM members.person WHERE program_id = of_program AND member_id = of_member;
  DELETE FROM members.member_key WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.member SET code = pseudonym WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.member SET code = pseudonym || '-' || member_id WHERE program_id = of_program AND merged_into = of_member;
  INSERT INTO members.member_key (tenant_id, program_id, reference, member_id) VALUES (tenant, of_program, new_reference, of_member);
  UPDATE members.consent SET evidence = '{}' WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.acceptance SET evidence = '{}' WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.inquiry SET subject = '–', document = NULL WHERE program_id = of_program AND member_id = of_member;
  UPDATE members.inquiry_message SET body = '–' WHERE program_id = of_program AND inquiry_id IN (SELECT inquiry_id FROM members.inquiry WHERE program_id = of_program AND member_id = of_member);
  DELETE FROM members.note WHERE program_id = of_program AND member_id = of_member;
  DELETE FROM members.registration WHERE program_id = of_program AND (email = ANY(names) OR reference = ANY(codes || names));
  UPDATE identity.invitation SET email = '–', name = '–', code_hash = sha256(''), revoked_at = COALESCE(revoked_at, now()) WHERE member_id = of_member OR email = ANY(names);
  UPDATE facts.line SET buyer = CASE WHEN buyer = ANY(old_references) THEN new_reference ELSE buyer END, seller = CASE WHEN seller = ANY(old_references) THEN new_reference ELSE seller END, rep = CASE WHEN rep = ANY(old_references) THEN new_reference ELSE rep END,
    shares = (SELECT jsonb_agg(CASE WHEN s ->> 'ref' = ANY(old_references) THEN jsonb_set(s, '{ref}', to_jsonb(new_reference)) ELSE s END) FROM jsonb_array_elements(shares) AS s)
    WHERE program_id = of_program AND (buyer = ANY(old_references) OR seller = ANY(old_references) OR rep = ANY(old_references) OR EXISTS (SELECT 1 FROM jsonb_array_elements(shares) AS s WHERE s ->> 'ref' = ANY(old_references)));
  UPDATE facts.fact SET partner = new_reference WHERE program_id = of_program AND partner = ANY(old_references);
  UPDATE facts.conflict SET sent = regexp_replace(regexp_replace(sent::text, referring, '\1\2' || pseudonym || '"', 'g'), any_name, pseudonym, 'gi')::jsonb WHERE program_id = of_program AND (sent::text ~ referring OR sent::text ~* any_name);
  UPDATE members.segment SET rule = regexp_replace(rule::text, listed, '"\1' || pseudonym || '"', 'g')::jsonb WHERE program_id = of_program AND rule::text ~ listed;
  UPDATE members.program SET settings = jsonb_set(settings, '{segments}', regexp_replace((settings -> 'segments')::text, listed, '"\1' || pseudonym || '"', 'g')::jsonb) WHERE program_id = of_program AND (settings -> 'segments')::text ~ listed;
  -- A reason is free text and names people in any form of their names: where the change is about them it goes whole, in the audit too.
  UPDATE identity.audit SET before = NULL, after = '{"erased": true}' WHERE before::text ~ referring OR after::text ~ referring OR before::text ~* any_name OR after::text ~* any_name
    OR subject IN (SELECT 'recalculation:' || recalculation_id FROM entitlements.recalculation WHERE program_id = of_program AND (change::text ~ referring OR change::text ~* any_name OR reason ~* any_name));
  UPDATE entitlements.recalculation SET reason = '–' WHERE program_id = of_program AND (change::text ~ referring OR change::text ~* any_name OR reason ~* any_name);
  UPDATE entitlements.recalculation SET change = regexp_replace(regexp_replace(change::text, referring, '\1\2' || pseudonym || '"', 'g'), any_name, pseudonym, 'gi')::jsonb, preview = regexp_replace(preview::text, referring, '\1\2' || pseudonym || '"', 'g')::jsonb
    WHERE program_id = of_program AND (change::text ~ referring OR change::text ~* any_name OR preview::text ~ referring);
  UPDATE platform.outbox SET payload = regexp_replace(regexp_replace(payload::text, referring, '\1\2' || pseudonym || '"', 'g'), any_name, pseudonym, 'gi')::jsonb WHERE payload::text ~ referring OR payload::text ~* any_name;
  DELETE FROM platform.idempotency WHERE body ~ referring OR body ~* any_name OR route ~ ('/members/(code(:|%3A))?' || any_code || '([/? ]|$)') OR route ~* any_name;
  DELETE FROM platform.mail WHERE recipient = ANY(names) OR body ~* any_name;
  UPDATE staging.staged_row SET raw = '', buyer = CASE WHEN buyer = ANY(old_references) THEN new_reference ELSE buyer END, seller = CASE WHEN seller = ANY(old_references) THEN new_reference ELSE seller END, rep = CASE WHEN rep = ANY(old_references) THEN new_reference ELSE rep END, shares = NULL,
    problem = CASE WHEN problem IS NULL THEN NULL ELSE problem || '{"value": "–"}' END
    WHERE tenant_id = tenant AND program_id = of_program AND (raw ~* any_name OR buyer = ANY(old_references) OR seller = ANY(old_references) OR rep = ANY(old_references) OR (problem IS NOT NULL AND raw ~ ('(^|[;,|\t"])' || any_code || '($|[;,|\t"])')));
END $$;
REVOKE ALL ON FUNCTION members.erase(bigint, bigint, text[], text[], text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION members.erase(bigint, bigint, text[], text[], text[], text) TO premia_app;
