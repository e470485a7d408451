package fault

// Kind says what sort of failure an error is, and with it what the client should do next.
type Kind uint8

// The kinds. An error nobody classified is Internal, which is why that is the zero value.
const (
	Internal        Kind = iota // a bug or damage here; nothing the client can mend
	Invalid                     // the request or its content breaks a rule
	NotFound                    // not there, or not for this viewer: both look the same
	Gone                        // was there and is deleted
	Conflict                    // contradicts what is stored, such as an older version or a taken key
	Precondition                // If-Match, If-None-Exist or another condition does not hold
	Unauthenticated             // nobody known is asking
	Forbidden                   // known, and lacks the scope
	Unsupported                 // valid FHIR that this server does not do
	TooCostly                   // over a limit of size or work; ask for less
	Busy                        // too many requests now; try again
	Unavailable                 // a server behind this one is away; try again
)

// The table: one row per kind. 405, 406 and 415 are about HTTP alone and stay in gateway/rest.
var kinds = [...]struct {
	name   string
	status int
	code   string
}{
	Internal:        {"internal", 500, "exception"},
	Invalid:         {"invalid", 400, "invalid"},
	NotFound:        {"not found", 404, "not-found"},
	Gone:            {"gone", 410, "deleted"},
	Conflict:        {"conflict", 409, "conflict"},
	Precondition:    {"precondition failed", 412, "conflict"},
	Unauthenticated: {"unauthenticated", 401, "login"},
	Forbidden:       {"forbidden", 403, "forbidden"},
	Unsupported:     {"unsupported", 422, "not-supported"},
	TooCostly:       {"too costly", 422, "too-costly"},
	Busy:            {"busy", 429, "throttled"},
	Unavailable:     {"unavailable", 503, "transient"},
}

// Issue types that answer with another status than their kind does: a request that could be read but whose content must
// not be stored is 422, not 400; a body over its limit is 413.
var refined = map[Kind]map[string]int{
	Invalid: {
		"processing":    422,
		"invariant":     422,
		"business-rule": 422,
	},
	TooCostly: {
		"too-long": 413,
	},
	Unsupported: {
		"not-found": 404, // a resource type this server does not have
	},
}

// String names the kind in logs.
func (k Kind) String() string { return kinds[k.known()].name }

// HTTPStatus returns the status a failure of this kind answers with.
func (k Kind) HTTPStatus() int { return kinds[k.known()].status }

// IssueCode returns the FHIR issue type of the kind.
func (k Kind) IssueCode() string { return kinds[k.known()].code }

// Transient reports whether the same request can succeed later without being changed.
func (k Kind) Transient() bool { return k == Busy || k == Unavailable }

// Kinds lists every kind, for tests and documentation that go through all of them.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

func (k Kind) known() Kind {
	if int(k) >= len(kinds) {
		return Internal
	}
	return k
}

func refinedStatus(k Kind, code string) int {
	if s, ok := refined[k][code]; ok {
		return s
	}
	return k.HTTPStatus()
}
