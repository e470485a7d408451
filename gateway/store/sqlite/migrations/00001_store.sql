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
    digests BLOB    NOT NULL -- of the index values by kind: what did not change is not rewritten
);
CREATE UNIQUE INDEX resource_id ON resource (type, id);
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

-- Index values of current versions. Each table is ordered by what searches ask
-- for; its second index answers what one resource holds. pid names type and
-- parameter at once ("Observation.code"); a suffix names a further form of the
-- same values (":text", ":exact", ":canonical", ":url", ":identifier"). grp joins
-- what one element gives the components of a composite parameter, 0 elsewhere.
CREATE TABLE index_token (
    pid    INTEGER NOT NULL,
    code   TEXT    NOT NULL,
    rid    INTEGER NOT NULL,
    system INTEGER NOT NULL,
    form   INTEGER NOT NULL, -- identifier.type, for :of-type
    grp    INTEGER NOT NULL,
    PRIMARY KEY (pid, code, rid, system, form, grp)
) WITHOUT ROWID;
CREATE INDEX index_token_rid ON index_token (rid, pid);

CREATE TABLE index_string (
    pid  INTEGER NOT NULL,
    text TEXT    NOT NULL,
    rid  INTEGER NOT NULL,
    grp  INTEGER NOT NULL,
    PRIMARY KEY (pid, text, rid, grp)
) WITHOUT ROWID;
CREATE INDEX index_string_rid ON index_string (rid, pid);

-- class 0: the resource's only value of the parameter, and at most a day long,
-- so that several bounds make one range; 1: everything else.
CREATE TABLE index_date (
    pid   INTEGER NOT NULL,
    class INTEGER NOT NULL,
    low   INTEGER NOT NULL,
    rid   INTEGER NOT NULL,
    high  INTEGER NOT NULL,
    grp   INTEGER NOT NULL,
    PRIMARY KEY (pid, class, low, rid, high, grp)
) WITHOUT ROWID;
CREATE INDEX index_date_rid ON index_date (rid, pid);

CREATE TABLE index_number (
    pid   INTEGER NOT NULL,
    value REAL    NOT NULL, -- the middle
    rid   INTEGER NOT NULL,
    low   REAL    NOT NULL,
    high  REAL    NOT NULL,
    grp   INTEGER NOT NULL,
    PRIMARY KEY (pid, value, rid, low, high, grp)
) WITHOUT ROWID;
CREATE INDEX index_number_rid ON index_number (rid, pid);

CREATE TABLE index_quantity (
    pid    INTEGER NOT NULL,
    value  REAL    NOT NULL,
    rid    INTEGER NOT NULL,
    low    REAL    NOT NULL,
    high   REAL    NOT NULL,
    system INTEGER NOT NULL,
    code   INTEGER NOT NULL,
    unit   INTEGER NOT NULL,
    grp    INTEGER NOT NULL,
    PRIMARY KEY (pid, value, rid, low, high, system, code, unit, grp)
) WITHOUT ROWID;
CREATE INDEX index_quantity_rid ON index_quantity (rid, pid);

CREATE TABLE index_reference (
    pid   INTEGER NOT NULL,
    key   TEXT    NOT NULL, -- id, url, or the value of an identifier
    rid   INTEGER NOT NULL,
    space INTEGER NOT NULL, -- type, 0, or the system of an identifier
    grp   INTEGER NOT NULL,
    PRIMARY KEY (pid, key, rid, space, grp)
) WITHOUT ROWID;
CREATE INDEX index_reference_rid ON index_reference (rid, pid);

CREATE TABLE index_uri (
    pid   INTEGER NOT NULL,
    value TEXT    NOT NULL,
    rid   INTEGER NOT NULL,
    grp   INTEGER NOT NULL,
    PRIMARY KEY (pid, value, rid, grp)
) WITHOUT ROWID;
CREATE INDEX index_uri_rid ON index_uri (rid, pid);

-- The words of the narrative (_text) and of all texts (_content), a space before
-- and behind each. They are looked through, not looked up: a row for every word
-- would double what a write costs, for searches that are rare.
CREATE TABLE index_text (
    rid   INTEGER NOT NULL,
    pid   INTEGER NOT NULL,
    terms TEXT    NOT NULL,
    PRIMARY KEY (rid, pid)
) WITHOUT ROWID;

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
DROP TABLE index_uri;
DROP TABLE index_reference;
DROP TABLE index_quantity;
DROP TABLE index_number;
DROP TABLE index_date;
DROP TABLE index_string;
DROP TABLE index_token;
DROP TABLE version;
DROP TABLE resource;
DROP TABLE name;
