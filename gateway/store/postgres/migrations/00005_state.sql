-- +goose Up

-- What all processes agree on, and how often it changed.
CREATE TABLE state (
    number  int8  NOT NULL,
    name    bytea PRIMARY KEY,
    content bytea NOT NULL
);

-- Which versions name archived bytes.
CREATE INDEX version_blob ON version (substr(blob, 1, 32)) WHERE blob IS NOT NULL;

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
DROP INDEX version_blob;
DROP TABLE state;
