-- +goose Up

-- Every version of an institution's folder that was pushed. Its bytes are in the archive.
CREATE TABLE folder (
    institution INTEGER NOT NULL,
    number      INTEGER NOT NULL, -- gapless from 1
    version     TEXT    NOT NULL,
    digest      BLOB    NOT NULL,
    size        INTEGER NOT NULL,
    maps        TEXT    NOT NULL, -- JSON array
    pushed      INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    PRIMARY KEY (institution, number)
) WITHOUT ROWID;

-- Which version was in effect since when: the last row of an institution holds.
-- Number 0: none, but what stands outside of the store.
CREATE TABLE activation (
    change      INTEGER PRIMARY KEY,
    institution INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    since       INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    why         TEXT    NOT NULL
);
CREATE INDEX activation_institution ON activation (institution, change);

-- +goose Down
DROP TABLE activation;
DROP TABLE folder;
