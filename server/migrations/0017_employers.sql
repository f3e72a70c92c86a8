-- An employer's word may be about one program only; without one it is about all of the tenant's.
ALTER TABLE members.employer_consent ADD COLUMN program_id bigint;
-- Days on which a person's employer had not agreed, where the program then lets nothing count (domain: BLOCK_EARN). They are among the gaps; kept apart so that the reason can be told.
ALTER TABLE members.member ADD COLUMN unagreed datemultirange NOT NULL DEFAULT '{}';
-- A file now says “block_payout” unless it says otherwise. Programs made before keep what they had, in words: the next file exported from them says so.
ALTER TABLE members.program NO FORCE ROW LEVEL SECURITY;
UPDATE members.program SET settings = settings || '{"employer_consent": "remind"}' WHERE NOT settings ? 'employer_consent';
ALTER TABLE members.program FORCE ROW LEVEL SECURITY;
