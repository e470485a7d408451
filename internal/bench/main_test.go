package bench_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
)

// What a child is, and what it works on.
const (
	childRole  = "YILIAN_BENCH_CHILD" // "serve" or "echo"
	childData  = "YILIAN_BENCH_DATA"  // folder of the store; file with the answers of echo
	childStore = "YILIAN_BENCH_STORE" // URL of PostgreSQL
)

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(childRole) {
	case "serve":
		err = serve()
	case "echo":
		err = echoAnswers(os.Getenv(childData))
	default:
		flag.Parse()
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve is the server that is measured. A line on standard input is the file into which it writes a profile of its
// processor time from then on, an empty line ends that, and the end of input ends the server.
func serve() error {
	env := map[string]string{"YILIAN_AUTH": "none", "YILIAN_STORE_URL": os.Getenv(childStore)}
	c, err := config.Load(config.Sources{
		Flags: map[string]string{"listen": "127.0.0.1:0", "data": os.Getenv(childData)},
		Env:   func(name string) string { return env[name] },
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer stop()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			profile(lines.Text())
		}
	}()
	return server.Run(ctx, server.Options{
		Config:  c,
		Log:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Started: func(address string) { fmt.Println(address) },
	})
}

func profile(path string) {
	pprof.StopCPUProfile()
	if path = strings.TrimSpace(path); path == "" {
		fmt.Println("profile ended")
		return
	}
	f, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	fmt.Println("profile", err)
}

// untilInputEnds ends with its parent, however that ends.
func untilInputEnds() { _, _ = io.Copy(io.Discard, os.Stdin) }
