-- +goose Up
CREATE TABLE person (
    id     bytea PRIMARY KEY,
    "into" bytea NOT NULL,
    since  int8  NOT NULL,
    merged int8  NOT NULL
);

-- until 0: the link holds. Ended links are history. id only keeps their order.
CREATE TABLE link (
    id          int8  GENERATED ALWAYS AS IDENTITY,
    since       int8  NOT NULL,
    until       int8  NOT NULL,
    person      bytea NOT NULL,
    patient     bytea NOT NULL,
    institution bytea NOT NULL,
    rule        bytea NOT NULL,
    reason      bytea NOT NULL,
    PRIMARY KEY (patient, id)
);
CREATE UNIQUE INDEX link_living ON link (patient) WHERE until = 0;
CREATE INDEX link_person ON link (person) WHERE until = 0;

CREATE TABLE feature (
    patient bytea PRIMARY KEY,
    body    bytea NOT NULL -- JSON of store.Features
);
-- strong is a digest of system and value.
CREATE TABLE feature_strong (
    strong  bytea NOT NULL,
    patient bytea NOT NULL,
    PRIMARY KEY (strong, patient)
);
CREATE INDEX feature_strong_patient ON feature_strong (patient);

CREATE TABLE review (
    id         int8  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    since      int8  NOT NULL,
    patient_a  bytea NOT NULL,
    patient_b  bytea NOT NULL,
    rule       bytea NOT NULL,
    reason     bytea NOT NULL,
    resolution bytea NOT NULL
);
CREATE UNIQUE INDEX review_pair ON review (patient_a, patient_b, rule);
CREATE INDEX review_open ON review (id) WHERE resolution = '';

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

-- +goose Down
DROP TABLE activation, folder, secret, review, feature_strong, feature, link, person;
