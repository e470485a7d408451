package rest

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

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

// unknown answers addresses and methods that are no interaction of ours.
func (h *Handler) unknown(r *request) error {
	if r.Request().Method == http.MethodGet || r.Request().Method == http.MethodHead {
		return fault.New(fault.NotFound, "no such address")
	}
	return &httpError{status: http.StatusMethodNotAllowed, error: fault.New(fault.Unsupported, "this interaction is not supported here")}
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
	if answer.Kind == fault.Internal {
		id := r.Response().Header().Get(echo.HeaderXRequestID)
		h.Log.LogAttrs(r.ctx, slog.LevelError, "request failed", slog.String("request", id),
			slog.String("method", r.Request().Method), slog.String("route", r.Path()), slog.String("error", err.Error()))
		issues[0].Text = "internal error, request " + id
	}
	if answer.Kind == fault.Busy || answer.Kind == fault.Unavailable {
		r.Response().Header().Set("Retry-After", "1")
	}
	if r.Response().Committed {
		return nil
	}
	return r.write(status, outcome(issues))
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
	return h.fail(&request{Context: c, ctx: c.Request().Context(), format: f}, err)
}

// outcome is the body of an OperationOutcome.
func outcome(issues []fhir.Issue) []byte { return fhir.Outcome("", issues).AppendJSON(nil) }
