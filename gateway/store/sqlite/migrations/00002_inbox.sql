-- +goose Up

-- Bytes as they came, once per content, in parts: part n of archive a has id
-- a * 2^20 + n.
CREATE TABLE archive (
    id     INTEGER PRIMARY KEY,
    digest BLOB    NOT NULL UNIQUE,
    size   INTEGER NOT NULL
);
CREATE TABLE archive_part (
    id    INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
);

CREATE TABLE record (
    sequence    INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    institution INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    format      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    control     TEXT    NOT NULL,
    sum         BLOB    NOT NULL, -- SHA-256 of the record's own bytes; empty without a control id
    type        TEXT    NOT NULL,
    digest      BLOB    NOT NULL,
    offset      INTEGER NOT NULL,
    length      INTEGER NOT NULL,
    place       TEXT    NOT NULL, -- of a workbook's row: sheet!row
    key         TEXT    NOT NULL,
    hash        TEXT    NOT NULL,
    parent      TEXT    NOT NULL,
    lanes       TEXT    NOT NULL, -- JSON array
    received    INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    answer      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    map         TEXT    NOT NULL,
    attempts    INTEGER NOT NULL,
    finished    INTEGER NOT NULL,
    expanded    INTEGER NOT NULL
);
CREATE UNIQUE INDEX record_control ON record (institution, source, control, sum) WHERE control <> '';
CREATE INDEX record_institution ON record (institution, state);
CREATE INDEX record_state ON record (state);
CREATE INDEX record_parent ON record (parent) WHERE parent <> '';

-- Records that wait or are being worked on, in line. place is sequence * 2^24,
-- plus 1, 2, 3 … for the records of a delivery, which stand where it stood.
-- waits counts the lanes in which another stands before this one.
CREATE TABLE work (
    place       INTEGER PRIMARY KEY,
    sequence    INTEGER NOT NULL UNIQUE,
    institution INTEGER NOT NULL,
    delivery    INTEGER NOT NULL,
    waits       INTEGER NOT NULL,
    holder      TEXT    NOT NULL,
    lease       INTEGER NOT NULL -- 0: free
);
CREATE INDEX work_ready ON work (institution, place) WHERE waits = 0 AND lease = 0;
CREATE INDEX work_lease ON work (lease) WHERE lease > 0;
CREATE INDEX work_delivery ON work (institution, place) WHERE delivery = 1;

CREATE TABLE lane (
    institution INTEGER NOT NULL,
    lane        TEXT    NOT NULL,
    place       INTEGER NOT NULL,
    PRIMARY KEY (institution, lane, place)
) WITHOUT ROWID;

-- The hash of the last applied state of a table row.
CREATE TABLE applied (
    institution INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    hash        TEXT    NOT NULL,
    PRIMARY KEY (institution, key)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE applied;
DROP TABLE lane;
DROP TABLE work;
DROP TABLE record;
DROP TABLE archive_part;
DROP TABLE archive;
