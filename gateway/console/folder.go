package console

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
)

// Folders is what the console needs of the store to show the versions of an
// institution's folder.
type Folders interface {
	ListFolders(ctx context.Context, institution string, before int64, limit int) ([]store.Folder, error)
	Activations(ctx context.Context, institution string, before int64, limit int) ([]store.Activation, error)
	FolderContent(ctx context.Context, institution string, number int64) ([]byte, error)
}

// Push is a folder that is to be the next version of an institution's.
type Push struct {
	Institution string
	Archive     []byte // as package folder reads it
	Note        string
	Untested    bool // its cases are not run
	By          string
	Expected    int64 // number of the version in effect, or store.AnyFolder
}

// Pushed tells what became of a Push. It was pushed, or nothing is new in it, or
// findings say why not.
type Pushed struct {
	Institution string    `json:"institution"`
	Number      int64     `json:"number,omitempty"`
	Version     string    `json:"version,omitempty"`
	Pushed      bool      `json:"pushed"`
	Unchanged   bool      `json:"unchanged"` // equal to the version in effect
	Cases       int       `json:"cases"`     // that passed
	Findings    []Finding `json:"findings"`
}

// Activate names the version of an institution's folder that is to be in effect.
type Activate struct {
	Institution string
	Number      *int64 // nil: the one before that in effect; 0: the folder outside of the store
	Why         string
	By          string
	Expected    int64 // number of the version in effect, or store.AnyFolder
}

// Activated tells what became of an Activate.
type Activated struct {
	Institution string    `json:"institution"`
	Number      int64     `json:"number"`
	Version     string    `json:"version,omitempty"`
	From        string    `json:"from,omitempty"`
	Activated   bool      `json:"activated"`
	Unchanged   bool      `json:"unchanged"` // it was in effect already
	Findings    []Finding `json:"findings"`
}

// Finding is what is wrong or doubtful in a file of a folder.
type Finding struct {
	Severity string `json:"severity"` // "error" or "warning"
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Text     string `json:"text"`
}

// FindingsOf writes findings as the console does.
func FindingsOf(list []mapping.Finding) []Finding {
	out := make([]Finding, len(list))
	for i, f := range list {
		out[i] = Finding{Severity: "error", File: f.File, Line: f.Line, Column: f.Column, Text: f.Text}
		if f.Warning {
			out[i].Severity = "warning"
		}
	}
	return out
}

// String writes a finding as a compiler does.
func (f Finding) String() string {
	return mapping.Finding{File: f.File, Line: f.Line, Column: f.Column, Warning: f.Severity == "warning", Text: f.Text}.String()
}

func hasErrors(list []Finding) bool {
	return slices.ContainsFunc(list, func(f Finding) bool { return f.Severity == "error" })
}

// Versions is a page of what was pushed of an institution, and what was in effect
// since when, both newest first.
type Versions struct {
	Institution string       `json:"institution"`
	Active      int64        `json:"active"` // number in effect; 0: none, but a folder outside of the store
	Versions    []Version    `json:"versions"`
	Activations []Activation `json:"activations"` // with the first page
}

// Version is one pushed version of a folder.
type Version struct {
	Number  int64     `json:"number"`
	Version string    `json:"version"`
	Active  bool      `json:"active"`
	Pushed  time.Time `json:"pushed"`
	By      string    `json:"by"`
	Note    string    `json:"note,omitempty"`
	Bytes   int64     `json:"bytes"`
	Digest  string    `json:"sha256"`
	Maps    []string  `json:"maps"` // name@version, as a Provenance names them
}

// Activation says which version was in effect since when.
type Activation struct {
	Number int64     `json:"number"`
	Since  time.Time `json:"since"`
	By     string    `json:"by"`
	Why    string    `json:"why,omitempty"`
}

// Limits of what is said about a version.
const (
	MaxNote = 500 // letters of a note
	// pushTime bounds the work on one push: its cases run.
	pushTime = 10 * time.Minute
)

// PushRoute is where a folder is pushed; requests to it bound their own time.
const PushRoute = "/console/institutions/:id/versions"

// mayChange reports whether the viewer may change the maps of an institution.
func mayChange(v interaction.Viewer, institution string) bool {
	return v.Everything || v.Institution != "" && v.Institution == institution
}

func (h *Handler) push(c echo.Context, v interaction.Viewer) error {
	p := Push{Institution: c.Param("id"), By: v.Client, Untested: c.QueryParam("untested") != ""}
	if !mayChange(v, p.Institution) {
		return fault.New(fault.Forbidden, "the client pushes the folder of its own institution")
	}
	var err error
	if p.Note, err = note(c.QueryParam("note")); err != nil {
		return err
	}
	if p.Expected, err = expected(c.QueryParam("expected")); err != nil {
		return err
	}
	limit := h.Limits.Archive()
	p.Archive, err = io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.Newf(fault.TooCostly, "the archive is over %d bytes", limit).WithCode("too-long")
	case err != nil:
		return fault.Wrap(fault.Invalid, err, "the body could not be read")
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), pushTime)
	defer cancel()
	answer, err := h.Members.Push(ctx, p)
	if err != nil {
		return err
	}
	return c.JSON(statusOf(answer.Findings), answer)
}

func statusOf(findings []Finding) int {
	if hasErrors(findings) {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// note checks what somebody says about a version.
func note(text string) (string, error) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > MaxNote {
		return "", fault.Newf(fault.Invalid, "the note has more than %d letters", MaxNote).WithCode("too-long")
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", fault.New(fault.Invalid, "the note is more than a line of text")
	}
	return text, nil
}

// expected reads which version somebody expects to be in effect; "" is any.
func expected(text string) (int64, error) {
	if text == "" {
		return store.AnyFolder, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "expected is not the number of a version")
	}
	return n, nil
}

// ActivateRequest is the body that puts a version into effect.
type ActivateRequest struct {
	Number   *int64 `json:"number,omitempty"` // none: the version before; 0: the folder outside of the store
	Why      string `json:"why,omitempty"`
	Expected *int64 `json:"expected,omitempty"` // in effect now; none: any
}

func (h *Handler) activate(c echo.Context, v interaction.Viewer) error {
	a := Activate{Institution: c.Param("id"), By: v.Client, Expected: store.AnyFolder}
	if !mayChange(v, a.Institution) {
		return fault.New(fault.Forbidden, "the client puts versions of its own institution into effect")
	}
	var asked ActivateRequest
	if err := readJSON(http.MaxBytesReader(c.Response(), c.Request().Body, maxJSON), &asked, "a version to put into effect"); err != nil {
		return err
	}
	var err error
	if a.Why, err = note(asked.Why); err != nil {
		return err
	}
	if a.Number = asked.Number; a.Number != nil && *a.Number < 0 {
		return fault.New(fault.Invalid, "the number is not one of a version")
	}
	if asked.Expected != nil {
		if a.Expected = *asked.Expected; a.Expected < 0 {
			return fault.New(fault.Invalid, "expected is not the number of a version")
		}
	}
	answer, err := h.Members.Activate(c.Request().Context(), a)
	if err != nil {
		return err
	}
	return c.JSON(statusOf(answer.Findings), answer)
}

var errInstitution = fault.New(fault.NotFound, "no such institution")

func (h *Handler) versions(c echo.Context, v interaction.Viewer) error {
	ctx, id := c.Request().Context(), c.Param("id")
	if !mayChange(v, id) {
		return errInstitution
	}
	before, limit, err := page(c)
	if err != nil {
		return err
	}
	active, err := h.Folders.Activations(ctx, id, 0, PageLimit)
	if err != nil {
		return err
	}
	members := h.Members.List()
	at := slices.IndexFunc(members, func(m Member) bool { return m.ID == id })
	if len(active) == 0 && at < 0 {
		return errInstitution
	}
	list, err := h.Folders.ListFolders(ctx, id, before, limit)
	if err != nil {
		return err
	}
	out := Versions{Institution: id, Versions: []Version{}, Activations: []Activation{}}
	if len(active) > 0 {
		out.Active = active[0].Number
	}
	for _, f := range list {
		shown := Version{
			Number: f.Number, Version: f.Version, Active: f.Number == out.Active, Pushed: f.Pushed, By: f.By, Note: f.Note,
			Bytes: f.Size, Digest: f.Digest, Maps: slices.Clone(f.Maps),
		}
		if shown.Active && at >= 0 && members[at].Number == f.Number {
			for _, running := range members[at].Running { // another program may have other built-in maps
				if !slices.Contains(shown.Maps, running) {
					shown.Maps = append(shown.Maps, running)
				}
			}
		}
		if shown.Maps == nil {
			shown.Maps = []string{}
		}
		out.Versions = append(out.Versions, shown)
	}
	if before == 0 {
		for _, a := range active {
			out.Activations = append(out.Activations, Activation{Number: a.Number, Since: a.Since, By: a.By, Why: a.Why})
		}
	}
	return c.JSON(http.StatusOK, out)
}

// page reads which versions are asked for: below a number, so many at most.
func page(c echo.Context) (before int64, limit int, err error) {
	limit = 100
	if text := c.QueryParam("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return 0, 0, fault.New(fault.Invalid, "before is not the number of a version")
		}
	}
	if text := c.QueryParam("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return 0, 0, fault.New(fault.Invalid, "limit is not a positive number")
		}
	}
	return before, min(limit, PageLimit), nil
}

func (h *Handler) archive(c echo.Context, v interaction.Viewer) error {
	id := c.Param("id")
	number, err := strconv.ParseInt(c.Param("number"), 10, 64)
	if err != nil || number < 1 || !mayChange(v, id) {
		return fault.New(fault.NotFound, "no such version of the institution's folder was pushed")
	}
	text, err := h.Folders.FolderContent(c.Request().Context(), id, number)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+strconv.FormatInt(number, 10)+`.tar"`)
	return c.Blob(http.StatusOK, "application/x-tar", text)
}
