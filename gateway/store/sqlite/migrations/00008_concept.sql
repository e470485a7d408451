-- +goose Up

-- Imports of code systems. state: 0 is being imported, 1 whole, 2 is being removed.
CREATE TABLE code_system (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    url      TEXT    NOT NULL,
    version  TEXT    NOT NULL,
    state    INTEGER NOT NULL,
    concepts INTEGER NOT NULL,
    imported INTEGER NOT NULL,
    about    BLOB    NOT NULL
);
CREATE UNIQUE INDEX code_system_whole ON code_system (url, version) WHERE state = 1;

-- id is the code system's << 32 | position.
CREATE TABLE concept (
    id      INTEGER PRIMARY KEY,
    key     BLOB    NOT NULL,
    code    BLOB    NOT NULL,
    display BLOB    NOT NULL,
    parent  BLOB    NOT NULL,
    flags   INTEGER NOT NULL,
    text    BLOB    NOT NULL,
    details BLOB    NOT NULL
);
CREATE UNIQUE INDEX concept_key ON concept (id >> 32, key);

-- Which concept lies just below which; both are ids of concepts.
CREATE TABLE concept_link (
    parent INTEGER NOT NULL,
    child  INTEGER NOT NULL,
    PRIMARY KEY (parent, child)
) WITHOUT ROWID;
CREATE INDEX concept_link_child ON concept_link (child, parent);

-- +goose Down
DROP TABLE concept_link;
DROP TABLE concept;
DROP TABLE code_system;
