CREATE TABLE migrations (number INTEGER PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL);

CREATE TABLE tracks (
    id UUID PRIMARY KEY,
    content_hash VARCHAR NOT NULL UNIQUE,   -- SHA-256 of the file's bytes
    title VARCHAR NOT NULL,
    artist VARCHAR NOT NULL,
    album VARCHAR NOT NULL,
    genre VARCHAR NOT NULL,
    year INTEGER,
    search VARCHAR NOT NULL,                -- title, artist, album, genre; lower case, no accents
    source_path VARCHAR NOT NULL,           -- where it was added from
    file VARCHAR NOT NULL,                  -- relative to the storage root, as all files here
    cover VARCHAR,
    format VARCHAR NOT NULL,
    codec VARCHAR NOT NULL,
    sample_rate INTEGER NOT NULL,           -- Hz
    channels INTEGER NOT NULL,
    duration DOUBLE NOT NULL,               -- s
    bytes BIGINT NOT NULL,
    added_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ                  -- set while a removal can be undone
);

CREATE TABLE analyses (
    track_id UUID PRIMARY KEY,
    version INTEGER NOT NULL,
    bpm DOUBLE,
    bpm_confidence DOUBLE,
    key VARCHAR,
    key_confidence DOUBLE,
    camelot VARCHAR,
    lufs DOUBLE,
    lra DOUBLE,                             -- LU
    true_peak DOUBLE,                       -- dBTP
    energy INTEGER,                         -- 1-10
    file VARCHAR NOT NULL,                  -- JSON: beats, sections, energy curve, ...
    waveform VARCHAR NOT NULL,              -- npz pyramid
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE separations (
    id UUID PRIMARY KEY,
    track_id UUID NOT NULL,
    engine VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    residual_db DOUBLE NOT NULL,            -- mix minus the sum of stems, relative to the mix
    levels VARCHAR NOT NULL,                -- npz: RMS of each stem, 10 Hz
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (track_id, engine, model)
);

CREATE TABLE stems (
    id UUID PRIMARY KEY,
    separation_id UUID NOT NULL,
    track_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    waveform VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    UNIQUE (separation_id, name)
);

CREATE TABLE cues (
    id UUID PRIMARY KEY,
    track_id UUID NOT NULL,
    time DOUBLE NOT NULL,                   -- s
    type VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    color VARCHAR NOT NULL,
    confidence DOUBLE NOT NULL,
    reason VARCHAR NOT NULL,
    origin VARCHAR NOT NULL                 -- 'auto' or 'person'; only 'auto' is ever replaced
);

CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    kind VARCHAR NOT NULL,
    queue VARCHAR NOT NULL,
    track_id UUID,
    arguments JSON NOT NULL,
    status VARCHAR NOT NULL,
    progress INTEGER NOT NULL,              -- 0-100
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    priority INTEGER NOT NULL,              -- lower is sooner
    unique_key VARCHAR,                     -- names the work: one active job for each
    active_key VARCHAR UNIQUE,              -- the same while the job is active, NULL once it has ended
    needs UUID[] NOT NULL,                  -- jobs that must be completed first
    created_at TIMESTAMPTZ NOT NULL,
    scheduled_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    heartbeat_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    holder VARCHAR,                         -- host:pid of the runner
    error VARCHAR
);
CREATE INDEX jobs_status ON jobs (status);
