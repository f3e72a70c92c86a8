-- Look-ups that one member's page makes: who was merged into them, and the references that name them.
CREATE INDEX member_by_merged ON members.member (tenant_id, program_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX member_key_by_member ON members.member_key (tenant_id, program_id, member_id);
