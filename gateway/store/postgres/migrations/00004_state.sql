-- +goose Up

CREATE TABLE secret (
    name  bytea PRIMARY KEY,
    bytes bytea NOT NULL
);

-- Every version of an institution's folder that was pushed. Its bytes are in the archive.
CREATE TABLE folder (
    institution int4  NOT NULL,
    number      int8  NOT NULL, -- gapless from 1
    size        int8  NOT NULL,
    pushed      int8  NOT NULL,
    version     bytea NOT NULL,
    digest      bytea NOT NULL,
    maps        bytea NOT NULL, -- JSON array
    author      bytea NOT NULL,
    note        bytea NOT NULL,
    PRIMARY KEY (institution, number)
);

-- Which version was in effect since when: the last row of an institution holds.
-- Number 0: none, but what stands outside of the store.
CREATE TABLE activation (
    change      int8  PRIMARY KEY,
    number      int8  NOT NULL,
    since       int8  NOT NULL,
    institution int4  NOT NULL,
    author      bytea NOT NULL,
    why         bytea NOT NULL
);
CREATE INDEX activation_institution ON activation (institution, change);

-- How many transactions expunged something: who keeps copies lets go of them when it grows.
CREATE TABLE erasure (
    id     int4 PRIMARY KEY CHECK (id = 1),
    number int8 NOT NULL
);

-- What all processes agree on, and how often it changed.
CREATE TABLE state (
    number  int8  NOT NULL,
    name    bytea PRIMARY KEY,
    content bytea NOT NULL
);

-- +goose StatementBegin
-- Ends a transaction that rests on a state with another number than it has. Who holds a
-- state shares a lock, who sets it has the lock alone; what is looked at is what stands
-- when the lock was had, as each query of a volatile function looks anew.
CREATE FUNCTION hold_state(lock int8, of bytea, expected int8) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock);
    IF coalesce((SELECT s.number FROM state s WHERE s.name = of), 0) <> expected THEN
        RAISE EXCEPTION SQLSTATE 'YL002';
    END IF;
END $$;

CREATE FUNCTION set_state(lock int8, of bytea, expected int8, becomes bytea) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(lock);
    IF coalesce((SELECT s.number FROM state s WHERE s.name = of), 0) <> expected THEN
        RAISE EXCEPTION SQLSTATE 'YL002';
    END IF;
    IF becomes IS NULL THEN
        DELETE FROM state s WHERE s.name = of;
    ELSIF expected = 0 THEN
        INSERT INTO state (name, number, content) VALUES (of, 1, becomes);
    ELSE
        UPDATE state s SET number = expected + 1, content = becomes WHERE s.name = of;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION hold_state, set_state;
DROP TABLE state, erasure, activation, folder, secret;
