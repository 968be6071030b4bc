CREATE TABLE webhooks (
    id UUID PRIMARY KEY,
    url VARCHAR NOT NULL,
    events VARCHAR[] NOT NULL,              -- what it is told
    active BOOLEAN NOT NULL,                -- false once its receiver has said that it is gone
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE deliveries (
    id UUID PRIMARY KEY,                    -- the receiver sees it, the same with each attempt
    webhook_id UUID NOT NULL,
    event VARCHAR NOT NULL,
    data JSON NOT NULL,
    job_id UUID NOT NULL,                   -- the newest job that delivers it
    created_at TIMESTAMPTZ NOT NULL,        -- when the event happened
    delivered_at TIMESTAMPTZ
);

CREATE TABLE delivery_attempts (
    delivery_id UUID NOT NULL,
    number INTEGER NOT NULL,                -- from 1
    ended_at TIMESTAMPTZ NOT NULL,
    seconds DOUBLE NOT NULL,
    response_status INTEGER,                -- NULL when nobody answered
    error VARCHAR                           -- NULL when it was delivered
);
