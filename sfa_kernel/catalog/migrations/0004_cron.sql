CREATE TABLE cron (
    name VARCHAR PRIMARY KEY,
    schedule VARCHAR NOT NULL,              -- five fields: minute, hour, day of month, month, day of week; UTC
    kind VARCHAR NOT NULL,                  -- of the job it enqueues
    arguments JSON NOT NULL,
    enabled BOOLEAN NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    last_at TIMESTAMPTZ,
    last_job UUID
);

-- What comes with the house is written here, once: whoever changes or removes it has the last word.
INSERT INTO cron VALUES (
    'storage cleanup', '0 3 * * *', 'cleanup', '{}', true,
    date_trunc('day', now() - INTERVAL 3 HOURS) + INTERVAL 27 HOURS, NULL, NULL
);
