package testenv_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/testenv"
)

// command sends one inline command to the database that the URL names and returns the last line of the answer.
func command(t *testing.T, text, line string) string {
	t.Helper()
	u := parse(t, text)
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	db := strings.TrimPrefix(u.Path, "/")
	if db == "" {
		db = "0"
	}
	if _, err := fmt.Fprintf(c, "SELECT %s\r\n%s\r\nQUIT\r\n", db, line); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for s := bufio.NewScanner(c); s.Scan(); {
		lines = append(lines, s.Text())
	}
	if len(lines) < 3 || lines[0] != "+OK" {
		t.Fatalf("%s: answered %q", line, lines)
	}
	return lines[len(lines)-2]
}

func TestRedisGivesEveryTestItsOwnDatabaseOnOneServer(t *testing.T) {
	a, b := testenv.Redis(t), testenv.Redis(t)
	if got := command(t, a, "SET k v"); got != "+OK" {
		t.Fatalf("SET: %s", got)
	}
	if got := command(t, a, "GET k"); got != "v" {
		t.Errorf("GET: %s, want v", got)
	}
	if got := command(t, b, "EXISTS k"); got != ":0" {
		t.Error("two tests share a database")
	}
	if ua, ub := parse(t, a), parse(t, b); ua.Host != ub.Host {
		t.Errorf("%s and %s: want one server", a, b)
	}
}

func TestStartRedisComesBackEmpty(t *testing.T) {
	s := testenv.StartRedis(t)
	command(t, s.URL(), "SET k v")
	s.Stop(t)
	if c, err := net.Dial("tcp", s.Addr()); err == nil {
		c.Close()
		t.Fatal("the server still listens after stop")
	}
	s.Start(t)
	if got := command(t, s.URL(), "EXISTS k"); got != ":0" {
		t.Error("the server kept its data")
	}
}
