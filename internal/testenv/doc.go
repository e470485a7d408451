// Package testenv finds what a test needs from outside: the published test material, a PostgreSQL, a Redis.
//
// A need that is not met skips the test with one line that begins "needs"; where CI=true it fails the test instead, so
// that nothing is skipped unseen. Servers are private: a new folder, a free port on 127.0.0.1, no root rights, and
// durability as in production (PostgreSQL keeps fsync and synchronous_commit on).
//
// What servers write lies in a new folder of TMPDIR, which "make test" sets to one in memory where there is room. PostgreSQL
// syncs there too, which is soon done: a test that kills the server, or a writer, shows the same in memory as on a disk,
// because the system keeps what was written when a process dies. What a disk does at a power cut is shown by neither.
// Measurements ("make bench") leave TMPDIR alone and wait for the disk.
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
