-- Files that were made for people to take away; a cleanup removes them when they are older than jobs are kept.
CREATE TABLE exports (
    id UUID PRIMARY KEY,
    job_id UUID NOT NULL UNIQUE,            -- that made it
    track_id UUID,                          -- NULL when it is of several
    track_ids UUID[] NOT NULL,              -- all that it is of
    kind VARCHAR NOT NULL,                  -- 'stem', 'stems', 'stem.mp4' or 'analysis'
    name VARCHAR NOT NULL,                  -- what a person gets to see
    file VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    content_hash VARCHAR NOT NULL,          -- SHA-256
    created_at TIMESTAMPTZ NOT NULL
);
