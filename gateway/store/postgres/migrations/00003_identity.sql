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

-- +goose Down
DROP TABLE review, feature_strong, feature, link, person;
