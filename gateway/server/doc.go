// Package server puts one process together by hand: configuration, store, search,
// interactions, institutions, ingest, HTTP. It decides nothing that a part could
// decide, and owns the process's life: start, readiness, and an end in order.
package server
