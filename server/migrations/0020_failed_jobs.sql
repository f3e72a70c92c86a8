-- The words of a job that goes through all tenants may be about another's data: an operator sees that it failed, and its words stay in the server's log.
CREATE OR REPLACE FUNCTION platform.failed_jobs() RETURNS TABLE (job_id bigint, task text, program text, tries int, tries_max int, next_try timestamptz, error text) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  RETURN QUERY SELECT j.id, t.identifier, j.payload ->> 'program', j.attempts::int, j.max_attempts::int, CASE WHEN j.attempts < j.max_attempts THEN j.run_at END, CASE WHEN j.payload ->> 'tenant' IS NULL THEN '' ELSE left(split_part(j.last_error, E'\n', 1), 300) END
    FROM graphile_worker._private_jobs AS j JOIN graphile_worker._private_tasks AS t ON t.id = j.task_id
    WHERE j.last_error IS NOT NULL AND j.locked_at IS NULL AND COALESCE(j.payload ->> 'tenant', platform.tenant()::text) = platform.tenant()::text ORDER BY j.id;
END $$;
