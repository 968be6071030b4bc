-- A cue may be one of a deck's eight hot cues, and it may be a loop.
ALTER TABLE cues ADD COLUMN slot INTEGER;       -- 1-8
ALTER TABLE cues ADD COLUMN "end" DOUBLE;       -- s; NULL when it is a point

-- Hot cues that were overwritten or cleared, as they were: the last one of a slot can be brought back.
CREATE TABLE former_hot_cues (
    id UUID NOT NULL,
    track_id UUID NOT NULL,
    time DOUBLE NOT NULL,                       -- s
    type VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    color VARCHAR NOT NULL,
    confidence DOUBLE NOT NULL,
    reason VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    slot INTEGER NOT NULL,
    "end" DOUBLE,
    removed_at TIMESTAMPTZ NOT NULL
);

-- Timed changes of controls: what was played, to be played or rendered again.
CREATE TABLE scripts (
    id UUID PRIMARY KEY,
    name VARCHAR NOT NULL,
    document JSON NOT NULL,
    duration DOUBLE NOT NULL,                   -- s
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ                      -- set while a removal can be undone
);

-- Settings of controls that a person keeps under a name.
CREATE TABLE presets (
    owner VARCHAR NOT NULL,                     -- name of the person
    kind VARCHAR NOT NULL,                      -- 'eq', 'effects', 'layout' or 'mapping'
    name VARCHAR NOT NULL,
    value JSON NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (owner, kind, name)
);
