-- What a cloud service last said of the account; a service that was never asked has no row.
CREATE TABLE quotas (
    service VARCHAR PRIMARY KEY,            -- by the name of its engine: 'lalal'
    minutes_left DOUBLE,
    checked_at TIMESTAMPTZ,                 -- when it said so
    voice_packs JSON                        -- list of its voices; NULL when it was not asked for them
);
