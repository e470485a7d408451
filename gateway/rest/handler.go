package rest

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/interaction"
)

// Authenticator says who asks. It returns a fault of kind Unauthenticated for
// nobody it knows.
type Authenticator interface {
	Viewer(r *http.Request) (interaction.Viewer, error)
}

// Config is what a Handler is made of.
type Config struct {
	Engine *interaction.Engine
	Auth   Authenticator
	Log    *slog.Logger
	// Path is where the endpoint is mounted, "/fhir".
	Path string
	// Origins are the sites whose pages may use the endpoint from a browser.
	Origins []string
	// Body bounds a request's body, in bytes; 0: fhir.DefaultMaxBytes.
	Body int64
	// Bodies bounds the large bodies that are worked on at once, in bytes of all of them;
	// no less than Body.
	Bodies int64
	// Depth bounds the nesting of a request's body; 0: fhir.DefaultMaxDepth.
	Depth int
}

// Handler serves the FHIR endpoint.
type Handler struct {
	Config
	entries *echo.Echo // the same routes, for the entries of Bundles
	turns   *semaphore.Weighted
}

// New returns a handler over c.
func New(c Config) *Handler {
	if c.Body == 0 {
		c.Body = fhir.DefaultMaxBytes
	}
	c.Bodies = max(c.Bodies, c.Body)
	h := &Handler{Config: c, entries: echo.New(), turns: semaphore.NewWeighted(c.Bodies)}
	h.entries.HTTPErrorHandler = func(err error, c echo.Context) { _ = h.Fail(c, err) }
	h.routes(h.entries.Group(h.Path))
	return h
}

// reading are the methods of interactions that change nothing.
var reading = []string{http.MethodGet, http.MethodHead}

// Register adds the routes to e, below Path.
func (h *Handler) Register(e *echo.Echo) { h.routes(e.Group(h.Path)) }

// routes adds the routes to g. The endpoint itself has more than what a Bundle may
// hold as entries.
func (h *Handler) routes(g *echo.Group) {
	g.Any("", h.answer(h.unknown))
	g.Any("/*", h.answer(h.unknown))
	g.Match(reading, "/metadata", h.answer(h.metadata))
	g.POST("", h.authenticated(h.bundle))
	g.POST("/", h.authenticated(h.bundle))
	g.Match(reading, "", h.authenticated(h.searchAll))
	g.Match(reading, "/", h.authenticated(h.searchAll))
	g.POST("/_search", h.authenticated(h.searchAll))
	g.Match(reading, "/_history", h.authenticated(h.history))
	for _, path := range []string{"/:type", "/:type/"} {
		g.Match(reading, path, h.authenticated(h.searchType))
		g.POST(path, ofBinary(h.binary(h.createBinary), h.authenticated(h.create)))
		g.PUT(path, h.authenticated(h.updateIf))
		g.PATCH(path, h.authenticated(h.patchIf))
		g.DELETE(path, h.authenticated(h.deleteIf))
	}
	g.POST("/:type/_search", h.authenticated(h.searchType))
	g.Match(reading, "/:type/_history", h.authenticated(h.history))
	g.Match(reading, "/:type/:id", ofBinary(h.binary(h.readBinary), h.authenticated(h.read)))
	g.PUT("/:type/:id", ofBinary(h.binary(h.updateBinary), h.authenticated(h.update)))
	g.PATCH("/:type/:id", h.authenticated(h.patch))
	g.DELETE("/:type/:id", h.authenticated(h.delete))
	g.Match(reading, "/:type/:id/_history", h.authenticated(h.history))
	g.Match(reading, "/:type/:id/_history/:version", ofBinary(h.binary(h.vreadBinary), h.authenticated(h.vread)))
	g.Match(reading, "/:type/:id/:within", h.authenticated(h.searchWithin))
	g.POST("/:type/:id/:within/_search", h.authenticated(h.searchWithin))
	g.POST("/:type/:id/_search", h.authenticated(h.searchWithin))
	h.operations(g)
	g.Match(reading, reindexPath, h.authenticated(h.reindexing))
}

// request is one request with what every interaction needs of it.
type request struct {
	echo.Context
	ctx    context.Context
	viewer interaction.Viewer
	format format
	turn   int64 // bytes of a large body, which waited for its turn
}

// typ returns the resource type of the path, refusing names that are none.
func (h *Handler) typ(r *request) (string, error) {
	name := r.Param("type")
	if !h.Engine.Definitions.IsResource(name) {
		return "", h.misplaced(r, unknownType())
	}
	return name, nil
}

// answer wraps a handler of public requests: faults become outcomes.
func (h *Handler) answer(fn func(*request) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		f, err := h.negotiate(c.Request())
		r := &request{Context: c, ctx: c.Request().Context(), format: f}
		defer h.leave(r)
		h.admit(r)
		if err == nil {
			err = fn(r)
		}
		if err != nil {
			return h.fail(r, err)
		}
		return nil
	}
}

// authenticated wraps a handler that needs to know who asks.
func (h *Handler) authenticated(fn func(*request) error) echo.HandlerFunc {
	return h.answer(func(r *request) error {
		viewer, err := h.who(r.Request())
		if err != nil {
			return err
		}
		r.viewer = viewer
		return fn(r)
	})
}

// base is the address of the endpoint, as the engine knows it.
func (h *Handler) base() string { return strings.TrimSuffix(h.Engine.FHIRBase, "/") }
