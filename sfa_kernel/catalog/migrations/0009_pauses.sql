-- Batches of jobs that a person has paused: what of them runs is finished, what waits goes on waiting.
CREATE TABLE paused_batches (
    batch_id UUID PRIMARY KEY,
    paused_at TIMESTAMPTZ NOT NULL
);
