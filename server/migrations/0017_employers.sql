-- An employer's word may be about one program only; without one it is about all of the tenant's.
ALTER TABLE members.employer_consent ADD COLUMN program_id bigint;
-- Days on which a person's employer had not agreed, where the program then lets nothing count (domain: BLOCK_EARN). They are among the gaps; kept apart so that the reason can be told.
ALTER TABLE members.member ADD COLUMN unagreed datemultirange NOT NULL DEFAULT '{}';
