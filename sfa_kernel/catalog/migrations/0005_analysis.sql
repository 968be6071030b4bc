-- Of an analysis the columns hold what is in force, a person's corrections included; `file` holds what the machine
-- found. What an older version made has none of the new values until it is made again.
ALTER TABLE analyses ADD COLUMN curves VARCHAR;                 -- npz: what was measured over time
ALTER TABLE analyses ADD COLUMN bpm_alternative DOUBLE;
ALTER TABLE analyses ADD COLUMN beat_confidence DOUBLE;
ALTER TABLE analyses ADD COLUMN downbeat_confidence DOUBLE;
ALTER TABLE analyses ADD COLUMN beats_per_bar INTEGER;
ALTER TABLE analyses ADD COLUMN grid_kind VARCHAR;              -- 'constant', 'piecewise', 'free' or 'none'
ALTER TABLE analyses ADD COLUMN swing DOUBLE;                   -- 0.5 is straight, 0.667 triplets
ALTER TABLE analyses ADD COLUMN key_alternative VARCHAR;
ALTER TABLE analyses ADD COLUMN open_key VARCHAR;
ALTER TABLE analyses ADD COLUMN tuning_cents DOUBLE;            -- from A4 = 440 Hz
ALTER TABLE analyses ADD COLUMN momentary_max DOUBLE;           -- LUFS
ALTER TABLE analyses ADD COLUMN short_term_max DOUBLE;          -- LUFS
ALTER TABLE analyses ADD COLUMN rms DOUBLE;                     -- dBFS
ALTER TABLE analyses ADD COLUMN crest DOUBLE;                   -- dB
ALTER TABLE analyses ADD COLUMN danceability DOUBLE;            -- 0-1

-- What a person has put right; applied in order of time to whatever the machine finds.
CREATE TABLE corrections (
    id UUID PRIMARY KEY,
    track_id UUID NOT NULL,
    kind VARCHAR NOT NULL,                  -- 'grid', 'key' or 'sections'
    value JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,        -- rises within a track
    undone_at TIMESTAMPTZ                   -- NULL while it is in force
);

CREATE TABLE loops (
    id UUID PRIMARY KEY,
    track_id UUID NOT NULL,
    source VARCHAR NOT NULL,                -- 'mix' or the name of a stem
    "start" DOUBLE NOT NULL,                -- s
    "end" DOUBLE NOT NULL,                  -- s
    bars INTEGER NOT NULL,
    score DOUBLE NOT NULL,                  -- 0-1: how little the seam is heard
    reason VARCHAR NOT NULL
);

-- Automatic cues that a person took away: they do not come back unless they are asked for.
CREATE TABLE removed_cues (
    track_id UUID NOT NULL,
    time DOUBLE NOT NULL,                   -- s
    type VARCHAR NOT NULL
);
