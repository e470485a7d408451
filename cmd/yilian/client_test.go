package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/server"
)

func TestACommandWaitsForAFolderThatIsHeldShortly(t *testing.T) {
	data := t.TempDir()
	hold := func() *server.Local {
		settings, err := config.Load(config.Sources{Flags: map[string]string{"data": data}})
		if err != nil {
			t.Fatal(err)
		}
		held, err := server.OpenLocal(t.Context(), server.Options{Config: settings, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	list := func(ctx context.Context) (int, string) {
		var stdout, stderr bytes.Buffer
		code := run(ctx, []string{"inbox", "list", "--data", data}, strings.NewReader(""), &stdout, &stderr)
		return code, stderr.String()
	}
	held := hold()
	time.AfterFunc(200*time.Millisecond, func() {
		if err := held.Close(); err != nil {
			t.Error(err)
		}
	})
	if code, text := list(t.Context()); code != exitDone || text != "no records\n" {
		t.Errorf("%d %s", code, text)
	}

	held = hold()
	defer held.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if code, _ := list(ctx); code != exitFindings {
		t.Errorf("told to end: %d", code)
	}
	if code, text := list(t.Context()); code != exitFindings || !strings.Contains(text, "the data folder is held by process") {
		t.Errorf("a folder that stays held: %d %s", code, text)
	}
}

func TestWaitingGoesOnUntilTheWorkEnded(t *testing.T) {
	const parts = console.PageLimit + 1
	asked := 0
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/console/inbox/d" {
			if asked++; asked < 3 {
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprint(w, `{"id":"d","institution":"clinic","state":"received"}`)
				return
			}
			fmt.Fprint(w, `{"id":"d","institution":"clinic","state":"split"}`)
			return
		}
		if r.URL.Path == "/console/institutions" {
			fmt.Fprint(w, `[{"id":"clinic"},{"id":"other","findings":[{"severity":"error"}]}]`)
			return
		}
		after, err := strconv.Atoi(r.URL.Query().Get("after"))
		limit, badLimit := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil || badLimit != nil || r.URL.Query().Get("delivery") != "d" {
			t.Errorf("asked for %s", r.URL)
		}
		var list []string
		for n := after + 1; n <= min(after+limit, parts); n++ {
			list = append(list, fmt.Sprintf(`{"id":"r%d","sequence":%d,"state":"committed"}`, n, n))
		}
		fmt.Fprintf(w, "[%s]", strings.Join(list, ","))
	}))
	defer gateway.Close()
	var got []string
	err := (&client{http: gateway.Client(), base: gateway.URL}).ended(t.Context(), "d", func(r console.Record) error {
		got = append(got, r.ID)
		return nil
	})
	if err != nil || asked != 3 || len(got) != parts || got[0] != "r1" || got[parts-1] != fmt.Sprint("r", parts) {
		t.Errorf("%d records after %d questions: %v", len(got), asked, err)
	}
}

func TestWaitingEndsForRecordsThatWaitForAFolder(t *testing.T) {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/console/institutions" {
			fmt.Fprint(w, `[{"id":"clinic","findings":[{"severity":"error"}]}]`)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"id":"d","institution":"clinic","state":"received"}`)
	}))
	defer gateway.Close()
	var got []console.Record
	err := (&client{http: gateway.Client(), base: gateway.URL}).ended(t.Context(), "d", func(r console.Record) error {
		got = append(got, r)
		return nil
	})
	if err != nil || len(got) != 1 || got[0].State != "received" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnAnswerThatIsNoneIsAFailure(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"a refusal", 403, `{"resourceType":"OperationOutcome","issue":[{"details":{"text":"not yours"}},{"details":{"text":"at all"}}]}`, "the gateway answered 403 Forbidden: not yours; at all"},
		{"a refusal as unprocessable", 422, `{"resourceType":"OperationOutcome","issue":[{"details":{"text":"too many"}}]}`, "the gateway answered 422 Unprocessable Entity: too many"},
		{"somebody else", 502, `<html>`, "the gateway answered 502 Bad Gateway"},
		{"something else", 200, `<html>`, "read the answer: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			}))
			defer gateway.Close()
			var into console.Record
			_, err := (&client{http: gateway.Client(), base: gateway.URL}).get(t.Context(), "/console/inbox/x", nil, &into)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}
