-- Statuses: queued, downloading, processing, completed, failed, cancelled.
CREATE TABLE jobs_now (
    id UUID PRIMARY KEY,
    kind VARCHAR NOT NULL,
    queue VARCHAR NOT NULL,
    track_id UUID,
    batch_id UUID,                          -- jobs that a person asked for together
    arguments JSON NOT NULL,
    status VARCHAR NOT NULL,
    progress INTEGER NOT NULL,              -- 0-100
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    priority INTEGER NOT NULL,              -- lower is sooner
    unique_key VARCHAR,                     -- names the work: one active job for each
    active_key VARCHAR UNIQUE,              -- the same while the job is active, NULL once it has ended
    service VARCHAR,                        -- the external service it calls
    needs UUID[] NOT NULL,                  -- jobs that must be completed first
    blockers INTEGER NOT NULL,              -- how many of these are not
    created_at TIMESTAMPTZ NOT NULL,
    scheduled_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    heartbeat_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    holder VARCHAR,                         -- host:pid:start of the runner
    error VARCHAR
);
INSERT INTO jobs_now BY NAME
    SELECT id, kind, queue, track_id, NULL AS batch_id, arguments, status, progress, attempt, max_attempts, priority,
           unique_key, active_key, NULL AS service, needs,
           (SELECT count(*) FROM jobs n WHERE list_contains(j.needs, n.id) AND n.status <> 'completed') AS blockers,
           created_at, scheduled_at, started_at, heartbeat_at, ended_at, holder, error
    FROM jobs j;
DROP TABLE jobs;
ALTER TABLE jobs_now RENAME TO jobs;

-- The circuit breaker of each external service that failed lately; a service that works has no row.
CREATE TABLE breakers (
    service VARCHAR PRIMARY KEY,
    failures INTEGER NOT NULL,              -- in a row
    opened_at TIMESTAMPTZ                   -- when the last failure opened it
);
