package fault

import (
	"context"
	"errors"
	"fmt"
)

// Error is a failure of a known kind. It is immutable once made.
type Error struct {
	// Kind decides the HTTP status, and the issue code where Code is empty.
	Kind Kind
	// Code is a FHIR issue type finer than the kind's own, such as "multiple-matches"; empty means the kind's.
	Code string
	// Message is the whole text a client sees. Clients never see the Message of an Internal error.
	Message string

	cause error
}

// New returns an error of the kind whose message is meant for the client.
func New(kind Kind, message string) *Error {
	return &Error{Kind: kind, Message: message}
}

// Newf is New with a formatted message. It does not wrap: a cause belongs in Wrap, where no client sees it.
func Newf(kind Kind, format string, args ...any) *Error {
	return New(kind, fmt.Sprintf(format, args...))
}

// Wrap gives the cause a kind and a message for the client. The cause's own text is for logs only; whatever kind the
// cause had before no longer counts.
func Wrap(kind Kind, cause error, message string) *Error {
	return &Error{Kind: kind, Message: message, cause: cause}
}

// WithCode returns a copy of the error that carries a finer FHIR issue type, which may also refine the HTTP status.
func (e *Error) WithCode(code string) *Error {
	c := *e
	c.Code = code
	return &c
}

// Error is the text for logs: the message, then the cause.
func (e *Error) Error() string {
	switch {
	case e.cause == nil:
		return e.Message
	case e.Message == "":
		return e.cause.Error()
	}
	return e.Message + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the outermost fault in the error's chain. Errors nobody gave a kind, and nil, are Internal;
// a context that ended is Unavailable.
func KindOf(err error) Kind { return find(err).Kind }

// Is reports whether the error is a failure of the kind; nil is no failure.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Answer is what a client may learn of an error.
type Answer struct {
	Kind    Kind
	Status  int    // HTTP status
	Code    string // FHIR issue type
	Message string
}

// AnswerTo returns what a client may learn of the error. An Internal error's own text stays behind; the caller adds the
// request id by which an operator finds it.
func AnswerTo(err error) Answer {
	e := find(err)
	kind := e.Kind.known()
	a := Answer{Kind: kind, Status: kind.HTTPStatus(), Code: kind.IssueCode(), Message: e.Message}
	if kind == Internal {
		a.Message = "internal error"
		return a
	}
	if e.Code != "" {
		a.Code = e.Code
		a.Status = refinedStatus(kind, e.Code)
	}
	if a.Message == "" {
		a.Message = kind.String()
	}
	return a
}

func find(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e) && e != nil:
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{Kind: Unavailable, Code: "timeout", Message: "the request ended before it was answered", cause: err}
	}
	return &Error{Kind: Internal, cause: err}
}
