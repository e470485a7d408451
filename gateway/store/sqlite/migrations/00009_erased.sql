-- +goose Up

-- 1: bytes of records within were overwritten, so that they are not those of the digest any more.
ALTER TABLE archive ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;

-- Which records name archived bytes.
CREATE INDEX record_digest ON record (substr(digest, 1, 8));

-- +goose Down
DROP INDEX record_digest;
ALTER TABLE archive DROP COLUMN cut;
