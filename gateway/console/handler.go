package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// Inbox is what the console needs of the store.
type Inbox interface {
	Record(ctx context.Context, id string) (store.Record, error)
	Records(ctx context.Context, f store.RecordFilter) ([]store.Record, error)
	Replay(ctx context.Context, ids []string) (int, error)
	CountRecords(ctx context.Context, institution string) (map[store.RecordState]int, error)
	Content(ctx context.Context, digest string, offset, length int64) ([]byte, error)
}

// Members is what the console needs of ingest.
type Members interface {
	List() []Member
	// Reload reads the institutions' folders again. When one does not load the
	// findings come back, as lines of file:line:col, and nothing changes.
	Reload(ctx context.Context) (findings []string, err error)
	// Poke tells ingest that there may be something to do.
	Poke()
}

// Member is one institution, as the console shows it.
type Member struct {
	ID      string                    `json:"id"`
	Name    string                    `json:"name"`
	Version string                    `json:"version"` // of its folder
	Maps    []string                  `json:"maps"`
	Records map[store.RecordState]int `json:"records"`
}

// Authenticator says who asks.
type Authenticator interface {
	Viewer(r *http.Request) (interaction.Viewer, error)
}

// Config is what a Handler is made of.
type Config struct {
	Inbox   Inbox
	Members Members
	Auth    Authenticator
	Fail    func(c echo.Context, err error) error
}

// Handler serves the console.
type Handler struct{ Config }

// New returns a handler over c.
func New(c Config) *Handler { return &Handler{c} }

// Register adds the routes to e.
func (h *Handler) Register(e *echo.Echo) {
	g := e.Group("/console")
	g.GET("/inbox", h.with(h.list))
	g.GET("/inbox/:id", h.with(h.show))
	g.GET("/inbox/:id/content", h.with(h.content))
	g.POST("/inbox/replay", h.with(h.replay))
	g.GET("/institutions", h.with(h.institutions))
	g.POST("/institutions/reload", h.with(h.reload))
}

func (h *Handler) with(fn func(echo.Context, interaction.Viewer) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		viewer, err := h.Auth.Viewer(c.Request())
		if err == nil {
			err = fn(c, viewer)
		}
		if err != nil {
			return h.Fail(c, err)
		}
		return nil
	}
}

// Record is one record of the inbox, as the console shows it.
type Record struct {
	ID          string            `json:"id"`
	Sequence    int64             `json:"sequence"`
	Institution string            `json:"institution"`
	Source      string            `json:"source"`
	Format      string            `json:"format"`
	Type        string            `json:"type,omitempty"`
	File        string            `json:"file,omitempty"`
	Control     string            `json:"control,omitempty"`
	Parent      string            `json:"delivery,omitempty"`
	Offset      int64             `json:"offset"`
	Length      int64             `json:"length"`
	Digest      string            `json:"sha256"`
	Received    time.Time         `json:"received"`
	State       store.RecordState `json:"state"`
	Answer      string            `json:"answer,omitempty"`
	Map         string            `json:"map,omitempty"`
	Attempts    int               `json:"attempts,omitempty"`
	Finished    *time.Time        `json:"finished,omitempty"`
	Issues      []Issue           `json:"issues,omitempty"`
}

// Issue is a finding about a record: never its data.
type Issue struct {
	Severity string `json:"severity"`
	ID       string `json:"id"`
	Origin   string `json:"origin,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Element  string `json:"element,omitempty"`
	Text     string `json:"text"`
}

func recordOf(r store.Record) Record {
	out := Record{
		ID: r.ID, Sequence: r.Sequence, Institution: r.Institution, Source: r.Source, Format: r.Format, Type: r.Type,
		File: r.Name, Control: r.Control, Parent: r.Parent, Offset: r.Offset, Length: r.Length, Digest: r.Digest,
		Received: r.Received, State: r.State, Answer: r.Answer, Map: r.Map, Attempts: r.Attempts,
	}
	if !r.Finished.IsZero() {
		out.Finished = &r.Finished
	}
	for _, i := range interaction.Issues(r.Reason) {
		out.Issues = append(out.Issues, Issue{
			Severity: string(i.Severity), ID: i.ID, Origin: i.Origin, Line: i.Line, Column: i.Column,
			Element: i.Expression, Text: i.Text,
		})
	}
	return out
}

// listLimit bounds one page of the list.
const listLimit = 1000

func (h *Handler) list(c echo.Context, v interaction.Viewer) error {
	f := store.RecordFilter{
		Institution: c.QueryParam("institution"), State: store.RecordState(c.QueryParam("state")),
		Parent: c.QueryParam("delivery"), Limit: 100,
	}
	if !v.Everything {
		if f.Institution != "" && f.Institution != v.Institution {
			return fault.New(fault.Forbidden, "the client sees the records of its own institution")
		}
		f.Institution = v.Institution
	}
	if text := c.QueryParam("after"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return fault.New(fault.Invalid, "after is not a sequence number")
		}
		f.After = n
	}
	if text := c.QueryParam("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fault.New(fault.Invalid, "limit is not a positive number")
		}
		f.Limit = min(n, listLimit)
	}
	records, err := h.Inbox.Records(c.Request().Context(), f)
	if err != nil {
		return err
	}
	list := make([]Record, len(records))
	for i, r := range records {
		list[i] = recordOf(r)
	}
	return c.JSON(http.StatusOK, list)
}

// record reads one record that the viewer may see.
func (h *Handler) record(c echo.Context, v interaction.Viewer) (store.Record, error) {
	r, err := h.Inbox.Record(c.Request().Context(), c.Param("id"))
	if fault.Is(err, fault.NotFound) || err == nil && !v.Everything && r.Institution != v.Institution {
		return store.Record{}, fault.New(fault.NotFound, "no such record")
	}
	return r, err
}

func (h *Handler) show(c echo.Context, v interaction.Viewer) error {
	r, err := h.record(c, v)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, recordOf(r))
}

func (h *Handler) content(c echo.Context, v interaction.Viewer) error {
	r, err := h.record(c, v)
	if err != nil {
		return err
	}
	text, err := h.Inbox.Content(c.Request().Context(), r.Digest, r.Offset, r.Length)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, text)
}

// ReplayRequest names what to run again: records, or all quarantined ones of an
// institution.
type ReplayRequest struct {
	IDs         []string `json:"ids,omitempty"`
	Institution string   `json:"institution,omitempty"`
}

// ReplayAnswer says how many records were put back into line.
type ReplayAnswer struct {
	Replayed int `json:"replayed"`
}

func (h *Handler) replay(c echo.Context, v interaction.Viewer) error {
	var asked ReplayRequest
	if err := json.NewDecoder(http.MaxBytesReader(c.Response(), c.Request().Body, 1<<20)).Decode(&asked); err != nil {
		return fault.Wrap(fault.Invalid, err, "the body is not JSON of a replay")
	}
	ctx := c.Request().Context()
	var n int
	var err error
	switch {
	case len(asked.IDs) > 0:
		n, err = h.replayThese(ctx, v, asked.IDs)
	case asked.Institution == "":
		return fault.New(fault.Invalid, "name records or an institution")
	case !v.Everything && asked.Institution != v.Institution:
		return fault.New(fault.Forbidden, "the client replays the records of its own institution")
	default:
		n, err = h.replayAll(ctx, asked.Institution)
	}
	if err != nil {
		return err
	}
	h.Members.Poke()
	return c.JSON(http.StatusOK, ReplayAnswer{n})
}

func (h *Handler) replayThese(ctx context.Context, v interaction.Viewer, ids []string) (int, error) {
	for _, id := range ids {
		r, err := h.Inbox.Record(ctx, id)
		if fault.Is(err, fault.NotFound) || err == nil && !v.Everything && r.Institution != v.Institution {
			return 0, fault.New(fault.NotFound, "no such record")
		}
		if err != nil {
			return 0, err
		}
	}
	return h.Inbox.Replay(ctx, ids)
}

// replayAll puts all quarantined records of an institution back into line, those
// that were there when it began.
func (h *Handler) replayAll(ctx context.Context, institution string) (int, error) {
	var ids []string
	after := int64(0)
	for {
		page, err := h.Inbox.Records(ctx, store.RecordFilter{Institution: institution, State: store.Quarantined, After: after, Limit: listLimit})
		if err != nil {
			return 0, err
		}
		if len(page) == 0 {
			return h.Inbox.Replay(ctx, ids)
		}
		for _, r := range page {
			ids = append(ids, r.ID)
		}
		after = page[len(page)-1].Sequence
	}
}

func (h *Handler) institutions(c echo.Context, v interaction.Viewer) error {
	list := []Member{}
	for _, m := range h.Members.List() {
		if !v.Everything && m.ID != v.Institution {
			continue
		}
		counts, err := h.Inbox.CountRecords(c.Request().Context(), m.ID)
		if err != nil {
			return err
		}
		m.Records = counts
		list = append(list, m)
	}
	return c.JSON(http.StatusOK, list)
}

// ReloadAnswer says whether the folders were loaded; if not, why.
type ReloadAnswer struct {
	Loaded   bool     `json:"loaded"`
	Findings []string `json:"findings,omitempty"`
}

func (h *Handler) reload(c echo.Context, v interaction.Viewer) error {
	if !v.Everything {
		return fault.New(fault.Forbidden, "reloading the folders is for the whole alliance")
	}
	findings, err := h.Members.Reload(c.Request().Context())
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return c.JSON(http.StatusUnprocessableEntity, ReloadAnswer{Findings: findings})
	}
	return c.JSON(http.StatusOK, ReloadAnswer{Loaded: true})
}
