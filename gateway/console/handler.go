package console

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/folder"
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

// Ingest is what the console needs of the work on records.
type Ingest interface {
	// Poke says that there may be something to do.
	Poke()
	// Wait returns when the work on a record, or on all records of a delivery, ended.
	Wait(ctx context.Context, id string) ([]store.Record, error)
}

// Members is what the console needs of the institutions.
type Members interface {
	List() []Member
	// Reload reads the institutions' folders again. When one does not load the
	// findings come back, as lines of file:line:col, and nothing changes.
	Reload(ctx context.Context) (findings []string, err error)
	// Push tries a folder as a start would, runs its cases, keeps it as the next
	// version and switches to it; or says why not, and nothing changes. Faults: Conflict
	// when another version is in effect than expected.
	Push(ctx context.Context, p Push) (Pushed, error)
	// Activate switches to a version that was pushed before. Faults: NotFound for one
	// that was not, Conflict as of Push, or when there is none to go back to.
	Activate(ctx context.Context, a Activate) (Activated, error)
}

// Authenticator says who asks.
type Authenticator interface {
	Viewer(r *http.Request) (interaction.Viewer, error)
}

// Config is what a Handler is made of.
type Config struct {
	Inbox   Inbox
	Ingest  Ingest
	Members Members
	Folders Folders
	Limits  folder.Limits // of what is pushed
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
	g.GET("/institutions/:id/versions", h.with(h.versions))
	g.POST("/institutions/:id/versions", h.with(h.push))
	g.GET("/institutions/:id/versions/:number", h.with(h.archive))
	g.POST("/institutions/:id/activate", h.with(h.activate))
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
