-- +goose Up

-- Texts that repeat (types, parameters, code systems, owners, units) stand once,
-- and as small numbers everywhere else. 0 stands for the empty text.
CREATE TABLE name (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

-- One row per resource, narrow, because every search reads it; its body is in
-- the version that its change points at. rid is the change of the first version,
-- so it grows in order of creation. shard is fixed at creation.
CREATE TABLE resource (
    rid     INTEGER PRIMARY KEY,
    shard   INTEGER NOT NULL,
    type    INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    change  INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    owner   INTEGER NOT NULL,
    patient TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    stamp_time     INTEGER NOT NULL, -- of the last writer, which may have had nothing new to say
    stamp_sequence INTEGER NOT NULL,
    held    BLOB    NOT NULL -- all index values of the current version, see held.go
);
-- One row per type and id, which the writer sees to. It leads to the current version without the row.
CREATE INDEX resource_id ON resource (type, id, change, stamp_time, stamp_sequence);
CREATE INDEX resource_type ON resource (type) WHERE deleted = 0;
CREATE INDEX resource_updated ON resource (type, updated) WHERE deleted = 0;
CREATE INDEX resource_patient ON resource (patient, type) WHERE deleted = 0 AND patient <> '';
CREATE INDEX resource_source ON resource (type, source) WHERE deleted = 0 AND source <> '';

-- Every version there ever was, in the order of commits: the history of each
-- resource and, read along its key, what changed after what.
CREATE TABLE version (
    change         INTEGER PRIMARY KEY,
    rid            INTEGER NOT NULL,
    shard          INTEGER NOT NULL,
    number         INTEGER NOT NULL,
    updated        INTEGER NOT NULL,
    deleted        INTEGER NOT NULL,
    owner          INTEGER NOT NULL,
    patient        TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    stamp_time     INTEGER NOT NULL,
    stamp_sequence INTEGER NOT NULL,
    blob           BLOB,             -- digest, offset and length of archived bytes: 32, 8 and 8 bytes, big-endian
    body           BLOB
);
CREATE UNIQUE INDEX version_number ON version (rid, number);

-- What leads to current versions, each row once and the table its only index. pid
-- names type and parameter at once ("Observation.code"); a suffix names a further
-- form of the same values (":text", ":exact", ":canonical", ":url", ":identifier").
-- Whether a resource fulfils a condition is asked of what it holds.

-- Values that are asked for as they are: a keyed hash of pid and text; what tells much
-- is hashed with the type, not with its parameter. at is the date by which clients sort
-- the type, of references, of codes and of what tells much; else 0. See order.go.
CREATE TABLE index_key (
    key INTEGER NOT NULL,
    at  INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (key, at, rid)
) WITHOUT ROWID;

-- Values that are asked for by how they begin: their first 256 bytes.
CREATE TABLE index_string (
    pid  INTEGER NOT NULL,
    text TEXT    NOT NULL,
    rid  INTEGER NOT NULL,
    PRIMARY KEY (pid, text, rid)
) WITHOUT ROWID;

-- class 0: the resource's only value of the parameter, and at most a day long,
-- so that several bounds make one range; 1: everything else.
CREATE TABLE index_date (
    pid   INTEGER NOT NULL,
    class INTEGER NOT NULL,
    low   INTEGER NOT NULL,
    rid   INTEGER NOT NULL,
    PRIMARY KEY (pid, class, low, rid)
) WITHOUT ROWID;

-- Numbers and quantities by their middle; quantities of all parameters of a type together.
CREATE TABLE index_number (
    pid   INTEGER NOT NULL,
    value REAL    NOT NULL,
    rid   INTEGER NOT NULL,
    PRIMARY KEY (pid, value, rid)
) WITHOUT ROWID;

-- The words of the narrative (_text) and of all texts (_content), a space before
-- and behind each. They are looked through, not looked up: a row for every word
-- would double what a write costs, for searches that are rare.
CREATE TABLE index_text (
    rid   INTEGER NOT NULL,
    pid   INTEGER NOT NULL,
    terms TEXT    NOT NULL,
    PRIMARY KEY (rid, pid)
) WITHOUT ROWID;

-- Neighbouring characters of strings, for what looks inside of them: candidates only.
CREATE VIRTUAL TABLE index_gram USING fts5 (
    grams, content = '', contentless_delete = 1, detail = 'none', tokenize = "ascii"
);

-- The last change, and its time, when something was expunged last.
CREATE TABLE counter (
    change  INTEGER NOT NULL,
    updated INTEGER NOT NULL
);
INSERT INTO counter VALUES (0, 0);

-- References that came ahead of their target.
CREATE TABLE pending (
    type      TEXT NOT NULL,
    system    TEXT NOT NULL,
    value     TEXT NOT NULL,
    from_type TEXT NOT NULL,
    from_id   TEXT NOT NULL,
    PRIMARY KEY (type, system, value, from_type, from_id)
) WITHOUT ROWID;
CREATE INDEX pending_from ON pending (from_type, from_id);

-- +goose Down
DROP TABLE pending;
DROP TABLE index_text;
DROP TABLE counter;
DROP TABLE index_gram;
DROP TABLE index_number;
DROP TABLE index_date;
DROP TABLE index_string;
DROP TABLE index_key;
DROP TABLE version;
DROP TABLE resource;
DROP TABLE name;
