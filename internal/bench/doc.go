// Package bench measures a server under load, beside the raw limit of the same run.
//
//	go test ──▶ TestServer: the client, its workers, the report
//	  ├─ child "serve": server.Run over an embedded store or PostgreSQL
//	  └─ child "echo":  an Echo handler that answers reads with the same bytes from memory
//
// All of it is bounded and on loopback; the children end when their standard input does. Everything is made here: the data
// (synthetic, from a seed), the loads and the client, which writes requests by hand so that it takes little of the machine
// it shares with the server. Only the import load needs the corpus.
//
// What a machine shared with others measures is noisy. So each figure has its raw limit of the same run beside it, and the
// processor time of server and database per request, which other programs disturb least.
//
// It has no code but tests: it starts servers and opens stores, which only tests may.
package bench
