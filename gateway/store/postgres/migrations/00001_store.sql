-- +goose Up

-- All text that a client may have written is bytea: it may hold any byte, and is
-- compared byte by byte, as other stores do.

-- Texts that repeat (types, parameters, code systems, owners, units) stand once,
-- and as small numbers everywhere else. 0 stands for the empty text. digest is the
-- first half of the text's SHA-256.
CREATE TABLE name (
    id     int4  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    text   bytea NOT NULL
);

-- The last time that was given to a transaction, microseconds. It only ever grows,
-- also by transactions that roll back.
CREATE SEQUENCE stamp AS int8;

-- The time of the calling transaction, microseconds since 1970, different from that
-- of all others: 16 microseconds are taken, so that 2^16 changes of the transaction
-- stand before those of any later one. Until its end the transaction holds a lock
-- that tells the time, and has it before the sequence tells that time is taken.
-- +goose StatementBegin
CREATE FUNCTION take_stamp() RETURNS int8 LANGUAGE plpgsql VOLATILE AS $$
DECLARE at int8;
BEGIN
    PERFORM pg_advisory_lock(6870641029387642157);
    SELECT greatest((extract(epoch FROM clock_timestamp()) * 1000000)::int8, s.last_value + 16) INTO at FROM stamp s;
    PERFORM pg_advisory_xact_lock((at >> 32)::int4, ((at & 4294967295) - 2147483648)::int4);
    PERFORM setval('stamp', at);
    PERFORM pg_advisory_unlock(6870641029387642157);
    RETURN at;
END $$;

-- The times of transactions that are not over yet, and behind them the last time
-- taken, which is read first: what is not later than it and not among the others is
-- visible to any statement that begins afterwards, or never will be.
--
-- To list the locks costs ten times the rest. Where no transaction of the cluster that
-- writes is open there is no need: who took a time had a number before, so when that
-- of the next one is all that a snapshot knows to be open, all that have one are over.
-- age() looks that number up once per transaction: at_first says that none was asked before.
CREATE FUNCTION open_stamps(at_first bool) RETURNS int8[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE last int8; seen pg_snapshot;
BEGIN
    SELECT s.last_value INTO last FROM stamp s;
    IF at_first AND pg_current_xact_id_if_assigned() IS NULL THEN
        seen := pg_current_snapshot();
        IF pg_snapshot_xmin(seen) = pg_snapshot_xmax(seen) AND age(pg_snapshot_xmax(seen)::xid) = 0 THEN
            RETURN ARRAY[last];
        END IF;
    END IF;
    RETURN ARRAY(SELECT (l.classid::int8 << 32) | ((l.objid::int8 + 2147483648) & 4294967295) AS at FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) ORDER BY at) || last;
END $$;

-- Ends a transaction in which a statement did not find all that it must.
CREATE FUNCTION found_all(n int8, expected int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF n <> expected THEN RAISE EXCEPTION SQLSTATE 'YL001'; END IF;
END $$;
-- +goose StatementEnd

-- One row per resource. It holds all index values of the current version, so that
-- any condition can be asked of the row alone and a new version knows what the old
-- one left in the index tables, which only lead to rows.
--
-- rid is the change of the first version, so it grows in order of creation. shard
-- is fixed at creation. self is the hash of id
-- that keys of references are made of.
--
-- at is the resource's date in index_key.
--
-- x: texts of the values. The first x_rows of them have rows in index_string, and
--    x_strings of those are not displays of codes. space is the system of a code or
--    identifier, or the type of a reference; form is identifier.type. A string has
--    there a hash of what was written, in two halves.
-- d: intervals of time. q: numbers and quantities; the first q_rows of them have
--    rows in index_number, and q_canonical of those are in base units.
-- A group joins components of a composite; a list of zeros only is NULL.
CREATE TABLE resource (
    rid       int8  PRIMARY KEY,
    change    int8  NOT NULL,
    updated   int8  NOT NULL,
    stamp_time     int8 NOT NULL, -- of the last writer, which may have had nothing new to say
    stamp_sequence int8 NOT NULL,
    self      int8  NOT NULL,
    at        int8  NOT NULL,
    shard     int4  NOT NULL,
    type      int4  NOT NULL,
    number    int4  NOT NULL,
    owner     int4  NOT NULL,
    x_strings   int4 NOT NULL,
    x_rows      int4 NOT NULL,
    q_canonical int4 NOT NULL,
    q_rows      int4 NOT NULL,
    deleted   bool  NOT NULL,
    id        bytea NOT NULL,
    patient   bytea NOT NULL,
    source    bytea NOT NULL,
    keys      int8[],   -- those of index_key
    x_pid     int4[],
    x_space   int4[],
    x_form    int4[],
    x_group   int4[],
    x_text    bytea[],
    d_pid     int4[],
    d_group   int4[],
    d_bounds  int8[],   -- low and high in turn
    q_pid     int4[],
    q_group   int4[],
    q_bounds  float8[], -- middle, low and high in turn
    q_units   int4[]    -- system, code and unit in turn; NULL when all are 0
);
CREATE UNIQUE INDEX resource_id ON resource (type, id);
CREATE INDEX resource_type ON resource (type, rid) WHERE NOT deleted;
CREATE INDEX resource_updated ON resource (type, updated, rid) WHERE NOT deleted;
CREATE INDEX resource_patient ON resource (patient, type, rid) WHERE NOT deleted AND patient <> '';
CREATE INDEX resource_source ON resource (type, substr(source, 1, 256)) WHERE NOT deleted AND source <> '';

-- Every version there ever was: the history of each resource and, read along its
-- key, what changed after what.
CREATE TABLE version (
    change    int8  PRIMARY KEY,
    rid       int8  NOT NULL,
    updated   int8  NOT NULL,
    stamp_time     int8 NOT NULL,
    stamp_sequence int8 NOT NULL,
    shard     int4  NOT NULL,
    number    int4  NOT NULL,
    owner     int4  NOT NULL,
    deleted   bool  NOT NULL,
    patient   bytea NOT NULL,
    source    bytea NOT NULL,
    blob      bytea,         -- digest, offset and length of archived bytes: 32, 8 and 8 bytes, big-endian
    body      bytea          -- see body.go
);
CREATE UNIQUE INDEX version_number ON version (rid, number);
CREATE INDEX version_blob ON version (substr(blob, 1, 32)) WHERE blob IS NOT NULL; -- which versions name archived bytes
ALTER TABLE version ALTER COLUMN body SET STORAGE EXTERNAL;

-- The rows of a transaction as they are sent: those of a table together, and those of
-- the index tables as arrays of plain values. was is the change that the row of a
-- resource must have to be replaced.
CREATE TYPE resource_row AS (
    rid int8, was int8, change int8, updated int8, stamp_time int8, stamp_sequence int8, self int8,
    shard int4, type int4, number int4, owner int4, deleted bool, id bytea, patient bytea, source bytea,
    at int8, x_strings int4, x_rows int4, q_canonical int4, q_rows int4,
    keys int8[], x_pid int4[], x_space int4[], x_form int4[], x_group int4[], x_text bytea[],
    d_pid int4[], d_group int4[], d_bounds int8[], q_pid int4[], q_group int4[], q_bounds float8[], q_units int4[]
);
CREATE TYPE version_row AS (
    change int8, rid int8, updated int8, stamp_time int8, stamp_sequence int8, shard int4, number int4, owner int4, deleted bool,
    patient bytea, source bytea, blob bytea, body bytea
);
CREATE TYPE word_row AS (rid int8, words int8[], grams int4[]);

-- What the bodies of a type have in common, for their compression.
CREATE TABLE dictionary (
    type  int4  PRIMARY KEY,
    bytes bytea NOT NULL
);

-- The ways to the resources. pid names type and parameter at once
-- ("Observation.code"); a suffix names a further form of the same values. A negative
-- one is what parameters of a type have in common: then the row of the resource says
-- which of them has the value.

-- Values that are asked for as they are: a keyed hash of the text, xor one of what it
-- stands under. The resources of an odd key come in the order of the date that
-- clients sort the type by: at is that date where the resource has one of at most a day, 1
-- where it has others, and 0 where it has none, or the key is even.
CREATE TABLE index_key (
    key int8 NOT NULL,
    at  int8 NOT NULL,
    rid int8 NOT NULL
);
CREATE INDEX index_key_key ON index_key (key, at, rid);

-- Values that are asked for by how they begin: the first 256 bytes.
CREATE TABLE index_string (
    rid  int8  NOT NULL,
    pid  int4  NOT NULL,
    text bytea NOT NULL
);
CREATE INDEX index_string_text ON index_string (pid, text, rid);

-- class 0: at most a minute long, 2: at most a day, so that bounds of low bound high; 1: everything else.
CREATE TABLE index_date (
    rid   int8 NOT NULL,
    low   int8 NOT NULL,
    pid   int4 NOT NULL,
    class int4 NOT NULL
);
CREATE INDEX index_date_low ON index_date (pid, class, low, rid);

CREATE TABLE index_number (
    rid   int8   NOT NULL,
    value float8 NOT NULL, -- the middle
    pid   int4   NOT NULL
);
CREATE INDEX index_number_value ON index_number (pid, value, rid);

-- Words of texts, and characters and pairs of characters of strings, as keyed
-- hashes. A word of several texts stands under all of them together. Hashes of strings
-- only lead to candidates, so they are short.
CREATE TABLE index_word (
    rid   int8 PRIMARY KEY,
    words int8[],
    grams int4[]
);
CREATE INDEX index_word_words ON index_word USING gin (words) WITH (gin_pending_list_limit = 512) WHERE words IS NOT NULL;
CREATE INDEX index_word_grams ON index_word USING gin (grams) WITH (gin_pending_list_limit = 512) WHERE grams IS NOT NULL;

-- References that came ahead of their target. target is a digest of type, system and value.
CREATE TABLE pending (
    target    bytea NOT NULL,
    type      bytea NOT NULL,
    system    bytea NOT NULL,
    value     bytea NOT NULL,
    from_type bytea NOT NULL,
    from_id   bytea NOT NULL,
    PRIMARY KEY (target, from_type, from_id)
);
CREATE INDEX pending_from ON pending (from_id, from_type);

-- How many resources there were when statistics were last gathered.
CREATE TABLE statistics (
    rows int8 NOT NULL
);
INSERT INTO statistics VALUES (0);

-- +goose Down
DROP TABLE statistics, pending, index_word, index_number, index_date, index_string, index_key, dictionary, version, resource, name;
DROP TYPE resource_row, version_row, word_row;
DROP SEQUENCE stamp;
DROP FUNCTION take_stamp, open_stamps, found_all;
