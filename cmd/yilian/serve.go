package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
)

type serveCommand struct {
	configFlags
	Listen string `help:"Address to listen on; default 127.0.0.1:8080, or what the configuration says." placeholder:"HOST:PORT"`
	Demo   bool   `help:"Load the demo alliance: three hospitals and what they send."`
}

func (serveCommand) Help() string {
	return `Serves FHIR below /fhir, takes records at POST /ingest/{institution}, and tells how it is at /healthz, /readyz and /metrics.
Ends in order on SIGINT and SIGTERM. A flag goes before an environment variable (YILIAN_AUTH, YILIAN_STORE_URL,
YILIAN_REDIS_URL), that before the configuration file.

Prints the address on standard output when requests are answered, and logs to standard error. With --json the address is an
object, {"address": "http://127.0.0.1:8080"}, and each line of the log is one too.`
}

func (c serveCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load(c.Listen)
	if err != nil {
		return err
	}
	return server.Run(ctx, server.Options{
		Config:  settings,
		Demo:    c.Demo,
		Log:     logger(out, settings),
		Version: built().Version,
		Started: func(address string) {
			if out.json {
				_ = out.print(map[string]string{"address": "http://" + address}) // nobody reading it does not stop the server
				return
			}
			fmt.Fprintf(out.out, "listening on http://%s\n", address)
		},
	})
}

func logger(out *output, c *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if out.json || c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out.err, options))
	}
	return slog.New(slog.NewTextHandler(out.err, options))
}
