-- +goose Up

-- What all processes agree on, and how often it changed.
CREATE TABLE state (
    name    TEXT    PRIMARY KEY,
    number  INTEGER NOT NULL,
    content BLOB    NOT NULL
) WITHOUT ROWID;

-- Which versions name archived bytes.
CREATE INDEX version_blob ON version (substr(blob, 1, 32)) WHERE blob IS NOT NULL;

-- +goose Down
DROP INDEX version_blob;
DROP TABLE state;
