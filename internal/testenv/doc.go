// Package testenv finds what a test needs from outside: the published test material, a PostgreSQL, a Redis.
//
// A need that is not met skips the test with one line that begins "needs"; where CI=true it fails the test instead, so
// that nothing is skipped unseen. Servers are private: a new folder, a free port on 127.0.0.1, no root rights, and
// durability as in production (PostgreSQL keeps fsync and synchronous_commit on).
//
// Who ends a server:
//
//	test binary ──starts──▶ server
//	     │                    ▲
//	     └─pipe──▶ watchdog ──┘  signals the server's process id and removes its folder when the pipe closes
//
// The pipe closes when the test binary ends in whatever way, kill -9 included. Only processes started here are signalled,
// never by name. The package itself speaks neither SQL nor Redis, so that importing it links no driver.
package testenv
