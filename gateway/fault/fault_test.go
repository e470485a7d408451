package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
)

func TestKindsAnswerWithTheirStatusAndIssueCode(t *testing.T) {
	tests := []struct {
		kind   fault.Kind
		name   string
		status int
		code   string
	}{
		{fault.Internal, "internal", 500, "exception"},
		{fault.Invalid, "invalid", 400, "invalid"},
		{fault.NotFound, "not found", 404, "not-found"},
		{fault.Gone, "gone", 410, "deleted"},
		{fault.Conflict, "conflict", 409, "conflict"},
		{fault.Precondition, "precondition failed", 412, "conflict"},
		{fault.Unauthenticated, "unauthenticated", 401, "login"},
		{fault.Forbidden, "forbidden", 403, "forbidden"},
		{fault.Unsupported, "unsupported", 422, "not-supported"},
		{fault.TooCostly, "too costly", 422, "too-costly"},
		{fault.Busy, "busy", 429, "throttled"},
		{fault.Unavailable, "unavailable", 503, "transient"},
	}
	covered := map[fault.Kind]bool{}
	for _, tt := range tests {
		covered[tt.kind] = true
		if got := tt.kind.String(); got != tt.name {
			t.Errorf("kind %d is named %q, want %q", tt.kind, got, tt.name)
		}
		want := fault.Answer{Kind: tt.kind, Status: tt.status, Code: tt.code, Message: "m"}
		if tt.kind == fault.Internal {
			want.Message = "internal error"
		}
		if diff := cmp.Diff(want, fault.AnswerTo(fault.New(tt.kind, "m"))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
	for _, k := range fault.Kinds() {
		if !covered[k] {
			t.Errorf("kind %s has no row in this test", k)
		}
	}
}

func TestAnswerTo(t *testing.T) {
	notFound := fault.New(fault.NotFound, "Patient/1 is not known")
	tests := []struct {
		name string
		err  error
		want fault.Answer
	}{
		{"hides the text of an error nobody classified", io.ErrUnexpectedEOF,
			fault.Answer{Kind: fault.Internal, Status: 500, Code: "exception", Message: "internal error"}},
		{"hides the message and code of an internal error", fault.New(fault.Internal, "disk /dev/sdb").WithCode("no-store"),
			fault.Answer{Kind: fault.Internal, Status: 500, Code: "exception", Message: "internal error"}},
		{"takes a kind that does not exist for internal", fault.New(fault.Kind(200), "disk /dev/sdb"),
			fault.Answer{Kind: fault.Internal, Status: 500, Code: "exception", Message: "internal error"}},
		{"hides the cause", fault.Wrap(fault.Unavailable, errors.New("dial 10.0.0.1"), "the store is away"),
			fault.Answer{Kind: fault.Unavailable, Status: 503, Code: "transient", Message: "the store is away"}},
		{"finds a fault under context added on the way up", fmt.Errorf("reading: %w", notFound),
			fault.Answer{Kind: fault.NotFound, Status: 404, Code: "not-found", Message: "Patient/1 is not known"}},
		{"believes the outermost fault", fault.Wrap(fault.Invalid, notFound, "subject must exist"),
			fault.Answer{Kind: fault.Invalid, Status: 400, Code: "invalid", Message: "subject must exist"}},
		{"names the kind when there is no message", fault.New(fault.Busy, ""),
			fault.Answer{Kind: fault.Busy, Status: 429, Code: "throttled", Message: "busy"}},
		{"treats a passed deadline as unavailable", fmt.Errorf("search: %w", context.DeadlineExceeded),
			fault.Answer{Kind: fault.Unavailable, Status: 503, Code: "timeout", Message: "the request ended before it was answered"}},
		{"keeps the kind a passed deadline was given", fault.Wrap(fault.TooCostly, context.DeadlineExceeded, "narrow the search"),
			fault.Answer{Kind: fault.TooCostly, Status: 422, Code: "too-costly", Message: "narrow the search"}},
		{"keeps the kind's status for a finer code", fault.New(fault.Precondition, "m").WithCode("multiple-matches"),
			fault.Answer{Kind: fault.Precondition, Status: 412, Code: "multiple-matches", Message: "m"}},
		{"refuses readable but wrong content with 422", fault.New(fault.Invalid, "m").WithCode("processing"),
			fault.Answer{Kind: fault.Invalid, Status: 422, Code: "processing", Message: "m"}},
		{"refuses a body over its limit with 413", fault.New(fault.TooCostly, "m").WithCode("too-long"),
			fault.Answer{Kind: fault.TooCostly, Status: 413, Code: "too-long", Message: "m"}},
		{"answers 404 for a resource type it does not have", fault.New(fault.Unsupported, "m").WithCode("not-found"),
			fault.Answer{Kind: fault.Unsupported, Status: 404, Code: "not-found", Message: "m"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, fault.AnswerTo(tt.err)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestErrorTellsTheOperatorTheCause(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"message alone", fault.Newf(fault.Invalid, "_count %d is over %d", 5000, 1000), "_count 5000 is over 1000"},
		{"message and cause", fault.Wrap(fault.Unavailable, io.EOF, "the store is away"), "the store is away: EOF"},
		{"cause alone", fault.Wrap(fault.Busy, io.EOF, ""), "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if err := fault.Wrap(fault.Unavailable, io.EOF, "m"); !errors.Is(err, io.EOF) {
		t.Error("the cause cannot be found with errors.Is")
	}
}

func TestIs(t *testing.T) {
	if fault.Is(nil, fault.Internal) {
		t.Error("nil is an internal error")
	}
	if !fault.Is(io.EOF, fault.Internal) {
		t.Error("an unclassified error is not internal")
	}
	err := fmt.Errorf("reading: %w", fault.New(fault.Gone, "m"))
	if !fault.Is(err, fault.Gone) || fault.Is(err, fault.NotFound) {
		t.Errorf("kind of a wrapped Gone is %s", fault.KindOf(err))
	}
}

func TestWithCodeLeavesTheOriginalAlone(t *testing.T) {
	original := fault.New(fault.Invalid, "m")
	_ = original.WithCode("processing")
	if original.Code != "" {
		t.Errorf("original now has code %q", original.Code)
	}
}

// A sender repeats what is transient and nothing else.
func TestTransient(t *testing.T) {
	for _, k := range fault.Kinds() {
		want := slices.Contains([]fault.Kind{fault.Busy, fault.Unavailable}, k)
		if k.Transient() != want {
			t.Errorf("%s transient = %v, want %v", k, k.Transient(), want)
		}
	}
}

// The issue codes must be ones FHIR defines; the list is https://hl7.org/fhir/R4/valueset-issue-type.html.
func TestIssueCodesAreDefinedByFHIR(t *testing.T) {
	defined := strings.Fields(`invalid structure required value invariant security login unknown expired forbidden
		suppressed processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension
		too-costly business-rule conflict transient lock-error no-store exception timeout incomplete throttled
		informational`)
	for _, k := range fault.Kinds() {
		if !slices.Contains(defined, k.IssueCode()) {
			t.Errorf("%s has the issue code %q, which FHIR does not define", k, k.IssueCode())
		}
	}
}
