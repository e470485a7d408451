package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/gateway/store"
)

// gatewayFlags are the flags of commands that ask the gateway of a data folder,
// which may not be running.
type gatewayFlags struct {
	configFlags
	Demo bool `help:"Where no server runs: know the demo alliance, as \"serve --demo\" does."`
}

// client asks the gateway of a data folder.
type client struct {
	http  *http.Client
	base  string
	local *server.Local // nil when a server answers
}

// patience is how long a folder may be held by a process that does not answer: a
// server that starts or ends, or another command.
const patience = 3 * time.Second

// connect finds the gateway of the data folder: the server that holds the folder, or
// the folder itself when none does. A mapping.Error says which institution's folder
// does not load.
func (f gatewayFlags) connect(ctx context.Context, out *output, settings *config.Config) (*client, error) {
	log := slog.New(slog.NewTextHandler(out.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	options := server.Options{Config: settings, Demo: f.Demo, Log: log, Version: built().Version}
	for deadline := time.Now().Add(patience); ; {
		local, err := server.OpenLocal(ctx, options) // the folder's lock knows better than its address file
		if err == nil {
			return &client{http: &http.Client{Transport: local}, base: "http://localhost", local: local}, nil
		}
		if !fault.Is(err, fault.Busy) {
			return nil, err
		}
		if address := server.Address(settings.Data); address != "" && answers(ctx, address) {
			return &client{http: http.DefaultClient, base: "http://" + address}, nil
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// answers reports whether a server listens at the address.
func answers(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// close gives the folder back.
func (c *client) close() error {
	if c.local == nil {
		return nil
	}
	return c.local.Close()
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 30

// get reads the JSON at a path.
func (c *client) get(ctx context.Context, path string, query url.Values, answer any) (status int, err error) {
	return c.json(ctx, http.MethodGet, path, query, nil, answer)
}

// post sends JSON to a path.
func (c *client) post(ctx context.Context, path string, body, answer any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	return c.json(ctx, http.MethodPost, path, nil, text, answer)
}

func (c *client) json(ctx context.Context, method, path string, query url.Values, body []byte, answer any) (status int, err error) {
	response, err := c.do(ctx, method, path, query, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	return response.StatusCode, decode(response, answer)
}

// recordPath is where the console shows a record.
func recordPath(id string) string { return "/console/inbox/" + url.PathEscape(id) }

// do sends a request to a path, escaped as in a URL. The caller closes the body of
// the response.
func (c *client) do(ctx context.Context, method, path string, query url.Values, media string, body io.Reader) (*http.Response, error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", media)
	response, err := c.http.Do(request)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = fmt.Errorf("ask the server at %s: %w", strings.TrimPrefix(c.base, "http://"), wrapped.Err) // without the address in quotes
	}
	return response, err
}

// decode reads a JSON answer and closes it. A refusal is an error; an answer of its
// own kind may be unprocessable too, as folders that do not load.
func decode(response *http.Response, answer any) error {
	defer response.Body.Close()
	text, err := readAnswer(response)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		refused, why := refusal(response.Status, text)
		if refused || response.StatusCode != http.StatusUnprocessableEntity {
			return why
		}
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

func readAnswer(response *http.Response) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return text, nil
}

// body reads an answer that is not JSON, and closes it.
func body(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	text, err := readAnswer(response)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		_, why := refusal(response.Status, text)
		return nil, why
	}
	return text, nil
}

// refusal is an OperationOutcome as an error; ok is false for anything else.
func refusal(status string, text []byte) (ok bool, why error) {
	n, err := fhir.Parse(text, fhir.Limits{})
	if err != nil || n.ResourceType() != "OperationOutcome" {
		return false, fmt.Errorf("the gateway answered %s", status)
	}
	var lines []string
	for _, i := range n.Get("issue").Items() {
		lines = append(lines, i.Path("details", "text").Text())
	}
	return true, fmt.Errorf("the gateway answered %s: %s", status, strings.Join(lines, "; "))
}

// ended waits until the work on a record has ended, and calls each for what became
// of it: for a delivery, of all records in it, in their order. Where no server
// works on the folder, this process does from now on.
func (c *client) ended(ctx context.Context, id string, each func(console.Record) error) error {
	if c.local != nil {
		c.local.Work()
	}
	var r console.Record
	for status := http.StatusAccepted; status == http.StatusAccepted; {
		var err error
		r = console.Record{}
		if status, err = c.get(ctx, recordPath(id), url.Values{"wait": {"1"}}, &r); err != nil {
			return err
		}
		if status == http.StatusAccepted {
			waits, err := c.waits(ctx, r.Institution)
			if err != nil {
				return err
			}
			if waits { // until its institution's folder is mended
				return each(r)
			}
		}
	}
	if r.State != store.Split {
		return each(r)
	}
	return c.records(ctx, url.Values{"delivery": {id}}, 0, 0, each)
}

// waits reports whether an institution's records wait for a folder that loads.
func (c *client) waits(ctx context.Context, institution string) (bool, error) {
	var members []console.Member
	if _, err := c.get(ctx, "/console/institutions", nil, &members); err != nil {
		return false, err
	}
	for _, m := range members {
		if m.ID == institution {
			return len(m.Findings) > 0, nil
		}
	}
	return false, nil
}
