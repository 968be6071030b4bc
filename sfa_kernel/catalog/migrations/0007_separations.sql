-- A set of stems is what one request made: the same request twice is one set.
CREATE TABLE separations_now (
    id UUID PRIMARY KEY,
    track_id UUID NOT NULL,
    request VARCHAR NOT NULL,               -- JSON: engine, model, stems, region, settings
    engine VARCHAR NOT NULL,
    model VARCHAR NOT NULL,                 -- empty when the engine has but one
    settings JSON NOT NULL,
    "start" DOUBLE,                         -- s; NULL with "end" for the whole song, else it is a preview
    "end" DOUBLE,                           -- s
    device VARCHAR NOT NULL,                -- 'cpu', 'cuda:0', 'lalal.ai'; empty when nobody noted it
    seconds DOUBLE,                         -- that it took
    minutes DOUBLE,                         -- that a service billed
    residual_db DOUBLE NOT NULL,            -- mix minus the sum of stems, relative to the mix
    report JSON,                            -- how good it is; NULL when nobody measured it
    levels VARCHAR NOT NULL,                -- npz: RMS of each stem, 10 Hz
    chosen BOOLEAN NOT NULL,                -- a person wants this one; else the newest of the whole song is in use
    created_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ                  -- set while a removal can be undone
);
INSERT INTO separations_now BY NAME
    SELECT id, track_id,
           '{"engine":"' || engine || '","model":"","region":null,"settings":{},' ||
           '"stems":["vocals","drums","bass","other"]}' AS request,
           engine, model, '{}' AS settings, NULL AS "start", NULL AS "end", '' AS device, NULL AS seconds,
           NULL AS minutes, residual_db, NULL AS report, levels, false AS chosen, created_at, NULL AS removed_at
    FROM separations;
DROP TABLE separations;
ALTER TABLE separations_now RENAME TO separations;
