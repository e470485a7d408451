-- +goose Up

-- How many transactions expunged something: who keeps copies lets go of them when it grows.
CREATE TABLE erasure (
    id     int4 PRIMARY KEY CHECK (id = 1),
    number int8 NOT NULL
);

-- +goose Down
DROP TABLE erasure;
