-- +goose Up

-- How many transactions expunged something: who keeps copies lets go of them when it grows.
CREATE TABLE erasure (
    number INTEGER NOT NULL
);
INSERT INTO erasure VALUES (0);

-- +goose Down
DROP TABLE erasure;
