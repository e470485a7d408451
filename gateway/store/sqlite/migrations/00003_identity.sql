-- +goose Up
CREATE TABLE person (
    id     TEXT PRIMARY KEY,
    "into" TEXT    NOT NULL,
    since  INTEGER NOT NULL,
    merged INTEGER NOT NULL
) WITHOUT ROWID;

-- until 0: the link holds. Ended links are history.
CREATE TABLE link (
    id          INTEGER PRIMARY KEY,
    person      TEXT    NOT NULL,
    patient     TEXT    NOT NULL,
    institution TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL
);
CREATE UNIQUE INDEX link_living ON link (patient) WHERE until = 0;
CREATE INDEX link_person ON link (person) WHERE until = 0;
CREATE INDEX link_patient ON link (patient);

CREATE TABLE feature (
    patient TEXT PRIMARY KEY,
    body    BLOB NOT NULL -- JSON of store.Features
) WITHOUT ROWID;
CREATE TABLE feature_strong (
    system  TEXT NOT NULL,
    value   TEXT NOT NULL,
    patient TEXT NOT NULL,
    PRIMARY KEY (system, value, patient)
) WITHOUT ROWID;

CREATE TABLE review (
    id         INTEGER PRIMARY KEY,
    patient_a  TEXT    NOT NULL,
    patient_b  TEXT    NOT NULL,
    rule       TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    resolution TEXT    NOT NULL
);
CREATE UNIQUE INDEX review_pair ON review (patient_a, patient_b, rule);
CREATE INDEX review_open ON review (id) WHERE resolution = '';

-- +goose Down
DROP TABLE review;
DROP TABLE feature_strong;
DROP TABLE feature;
DROP TABLE link;
DROP TABLE person;
