-- +goose Up

-- Bytes of records within were overwritten, so that they are not what came any more.
ALTER TABLE archive_part ADD COLUMN cut bool NOT NULL DEFAULT false;

-- Which records name archived bytes.
CREATE INDEX record_digest ON record USING hash (digest);

-- +goose Down
DROP INDEX record_digest;
ALTER TABLE archive_part DROP COLUMN cut;
