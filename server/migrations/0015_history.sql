-- Jobs that failed and are tried again, or were given up: this tenant's, and those that are no tenant's own. An operator sees what stands still, and why.
CREATE FUNCTION platform.failed_jobs() RETURNS TABLE (job_id bigint, task text, program text, tries int, tries_max int, next_try timestamptz, error text) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  RETURN QUERY SELECT j.id, t.identifier, j.payload ->> 'program', j.attempts::int, j.max_attempts::int, CASE WHEN j.attempts < j.max_attempts THEN j.run_at END, left(split_part(j.last_error, E'\n', 1), 300)
    FROM graphile_worker._private_jobs AS j JOIN graphile_worker._private_tasks AS t ON t.id = j.task_id
    WHERE j.last_error IS NOT NULL AND j.locked_at IS NULL AND COALESCE(j.payload ->> 'tenant', platform.tenant()::text) = platform.tenant()::text ORDER BY j.id;
END $$;
REVOKE ALL ON FUNCTION platform.failed_jobs() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.failed_jobs() TO premia_app;

-- When a target was set: its history is read by people. Those set before this have no time.
ALTER TABLE mechanics.target ADD COLUMN recorded_at timestamptz;

-- Named periods follow the program's file: one of the future may still move or go. What lies over recorded sales changes by a recalculation only.
GRANT UPDATE (name, ends_on), DELETE ON mechanics.period TO premia_app;
