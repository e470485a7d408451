-- +goose Up

-- How many transactions expunged something: who keeps copies lets go of them when it grows.
CREATE TABLE erasure (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
);

-- +goose Down
DROP TABLE erasure;
