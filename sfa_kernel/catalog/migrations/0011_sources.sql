-- A track's sound may stay where a person keeps it; then it has no file in the library.
ALTER TABLE tracks ALTER COLUMN file DROP NOT NULL;
ALTER TABLE tracks ADD COLUMN original VARCHAR;     -- absolute path of the file that stays where it is
ALTER TABLE tracks ADD COLUMN isrc VARCHAR;         -- International Standard Recording Code

-- Files that were looked at outside of the library, so that nobody looks twice.
CREATE TABLE origins (
    path VARCHAR PRIMARY KEY,
    bytes BIGINT NOT NULL,
    modified BIGINT NOT NULL,               -- ns since 1970
    track_id UUID,                          -- what it became
    problem VARCHAR,                        -- why it became nothing
    seen_at TIMESTAMPTZ NOT NULL
);

-- Folders that were imported, and whether to watch them.
CREATE TABLE folders (
    id UUID PRIMARY KEY,
    path VARCHAR NOT NULL UNIQUE,
    watched BOOLEAN NOT NULL,
    reference BOOLEAN NOT NULL,             -- originals stay where they are; else they are copied
    stages JSON NOT NULL,                   -- what is done with new songs
    added_at TIMESTAMPTZ NOT NULL,
    scanned_at TIMESTAMPTZ,
    problem VARCHAR,                        -- why it could not be read when it was last looked at
    confined BOOLEAN NOT NULL               -- a page named it: links that lead out of where pages may look are left out
);

-- Songs as others name them: a service, or a playlist file. One is here once it has a track.
CREATE TABLE songs (
    id UUID PRIMARY KEY,
    service VARCHAR NOT NULL,               -- 'spotify' or 'file'
    key VARCHAR NOT NULL,                   -- its id at the service; of a file its path
    title VARCHAR NOT NULL,
    artist VARCHAR NOT NULL,
    album VARCHAR NOT NULL,
    year INTEGER,
    track_number INTEGER,
    duration DOUBLE,                        -- s
    isrc VARCHAR,
    cover_url VARCHAR,
    url VARCHAR,
    track_id UUID,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (service, key)
);

CREATE TABLE playlists (
    id UUID PRIMARY KEY,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,                  -- 'own', 'imported' or 'smart'
    service VARCHAR,                        -- where it was imported from: 'spotify' or 'file'
    key VARCHAR,                            -- its id there
    url VARCHAR,
    owner VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    snapshot VARCHAR,                       -- which version of it the service had
    filter JSON,                            -- what a smart one is made of
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ                  -- set while a removal can be undone
);

CREATE TABLE playlist_entries (
    id UUID PRIMARY KEY,
    playlist_id UUID NOT NULL,
    position INTEGER NOT NULL,              -- from 0
    track_id UUID,                          -- a track of the library, or else
    song_id UUID,                           -- a song that somebody else names
    added_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ                  -- set while a removal can be undone
);
CREATE INDEX playlist_entries_playlist ON playlist_entries (playlist_id);

-- What a service last said of a link: a preview, and what need not be asked again.
CREATE TABLE lookups (
    key VARCHAR PRIMARY KEY,                -- 'spotify:playlist:ID', 'spotify:me:playlists', ...
    snapshot VARCHAR,
    document JSON NOT NULL,
    fetched_at TIMESTAMPTZ NOT NULL
);

-- What people have switched on or off in a library.
CREATE TABLE preferences (name VARCHAR PRIMARY KEY, value JSON NOT NULL, changed_at TIMESTAMPTZ NOT NULL);
