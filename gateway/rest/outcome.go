package rest

import (
	"cmp"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

// httpError is a fault whose status is HTTP's own business, such as 405.
type httpError struct {
	status int
	error
}

func (e *httpError) Unwrap() error { return e.error }

func unknownType() error {
	return fault.New(fault.Unsupported, "not a resource type of FHIR R4").WithCode("not-found")
}

// fail answers an error with an OperationOutcome. An error that nobody gave a
// kind is logged with the request's id, and the client gets the id alone.
func (h *Handler) fail(r *request, err error) error {
	answer := fault.AnswerTo(err)
	status := answer.Status
	var own *httpError
	if errors.As(err, &own) {
		status = own.status
	}
	var refused *interaction.Refused
	issues := []fhir.Issue{{Severity: fhir.Error, Code: fhir.IssueType(answer.Code), Text: answer.Message}}
	if errors.As(err, &refused) && len(refused.Issues) > 0 {
		issues = refused.Issues
	}
	if r.Response().Committed { // most often the client left
		h.Log.LogAttrs(r.ctx, slog.LevelDebug, "answer broken off", slog.String("request", r.Response().Header().Get(echo.HeaderXRequestID)),
			slog.String("route", r.Path()), slog.String("error", err.Error()))
		return nil
	}
	if answer.Kind == fault.Internal {
		id := r.Response().Header().Get(echo.HeaderXRequestID)
		h.Log.LogAttrs(r.ctx, slog.LevelError, "request failed", slog.String("request", id),
			slog.String("method", r.Request().Method), slog.String("route", r.Path()), slog.String("error", err.Error()))
		issues[0].Text = "internal error, request " + id
	}
	if answer.Kind == fault.Busy || answer.Kind == fault.Unavailable {
		if r.Response().Header().Get("Retry-After") == "" {
			r.Response().Header().Set("Retry-After", "1")
		}
	}
	if status == http.StatusMethodNotAllowed && r.Response().Header().Get("Allow") == "" {
		r.allow(h.otherwise(r))
	}
	if status == http.StatusUnsupportedMediaType && r.Request().Method == http.MethodPatch {
		r.acceptPatch()
	}
	r.Response().Header().Set("Content-Language", spoken(r.Request()))
	r.Response().Header().Add("Vary", "Accept-Language")
	return r.write(status, r.outcome(issues))
}

// Fail answers an error of a request outside of the FHIR endpoint, and what Echo
// itself refuses, the same way.
func (h *Handler) Fail(c echo.Context, err error) error {
	var own *echo.HTTPError
	if errors.As(err, &own) {
		kind := fault.Invalid
		if own.Code == http.StatusNotFound {
			kind = fault.NotFound
		} else if own.Code >= http.StatusInternalServerError {
			kind = fault.Unavailable
		}
		err = &httpError{status: own.Code, error: fault.New(kind, http.StatusText(own.Code))}
	}
	f, _ := h.negotiate(c.Request())
	r := &request{Context: c, ctx: c.Request().Context(), format: f}
	if own != nil && own.Code == http.StatusMethodNotAllowed && strings.HasPrefix(c.Request().URL.Path, h.Path) {
		if allowed := h.allowed(c.Request().URL.Path); len(allowed) > 0 { // Echo counts those that only say no
			r.allow(allowed)
		}
	}
	return h.fail(r, err)
}

// outcome is the body of an OperationOutcome in the language of the client.
func (r *request) outcome(issues []fhir.Issue) []byte {
	language := spoken(r.Request())
	if language == fhir.Chinese {
		issues = slices.Clone(issues)
		for i := range issues {
			issues[i].Chinese = cmp.Or(issues[i].Chinese, chinese(issues[i].Text))
		}
	}
	return fhir.OutcomeIn(language, "", issues).AppendJSON(nil)
}

//go:embed messages.txt
var messagesFile string

var phrases = fhir.ReadMessages(messagesFile)

var digits = regexp.MustCompile(`[0-9]+`)

// chinese translates a text, numbers in it counting as details; without a translation
// it is the text.
func chinese(text string) string {
	if said := phrases.Say(text); said.Chinese != text {
		return said.Chinese
	}
	var numbers []any
	phrase := digits.ReplaceAllStringFunc(text, func(n string) string {
		numbers = append(numbers, n)
		return "{" + strconv.Itoa(len(numbers)) + "}"
	})
	if len(numbers) == 0 || len(numbers) > 9 {
		return text
	}
	return phrases.Say(phrase, numbers...).Chinese
}

// maxLanguages bounds the header Accept-Language; a longer one is not read.
const maxLanguages = 256

// spoken is the language in which the client wants to read findings: the one it wants
// most of those there are, English if it wants none of them.
func spoken(r *http.Request) string {
	header := strings.Join(r.Header.Values("Accept-Language"), ",")
	if len(header) > maxLanguages {
		return "en"
	}
	wanted, _, err := language.ParseAcceptLanguage(header) // the best first
	if err != nil {
		return "en"
	}
	for _, tag := range wanted {
		switch base, _ := tag.Base(); base.String() {
		case "zh":
			return fhir.Chinese
		case "en":
			return "en"
		}
	}
	return "en"
}
