-- How each analysed track sounds. Tempo and key repeat those of the analysis that are in force, a person's
-- corrections included, so that similar tracks are found and filtered in one scan of one table.
CREATE TABLE embeddings (
    track_id UUID PRIMARY KEY,
    version INTEGER NOT NULL,               -- of the embedding; only vectors of one version compare
    bpm FLOAT,
    key TINYINT,                            -- round the Camelot wheel: 1A is 0, 1B is 1, ... 12B is 23
    vector FLOAT[32] NOT NULL
);
