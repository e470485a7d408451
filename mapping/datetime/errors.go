package datetime

// Error says why a text is not a date or time. It never holds the text: dates are patient data.
type Error struct {
	Kind Kind
}

// Kind is the reason for which a text is refused.
type Kind uint8

// The reasons.
const (
	Format     Kind = iota // no known form
	Impossible             // a day or an hour that does not exist, or a year outside 1583–2199
	Ambiguous              // several readings, e.g. a day and a month in unknown order or a year of two digits
)

func (k Kind) String() string {
	switch k {
	case Impossible:
		return "impossible"
	case Ambiguous:
		return "ambiguous"
	}
	return "format"
}

func (e *Error) Error() string {
	switch e.Kind {
	case Impossible:
		return "date or time does not exist: want a calendar date from 1583 to 2199 and an hour from 0 to 23"
	case Ambiguous:
		return "date is ambiguous: want a year of four digits first, e.g. 2024-05-01"
	}
	return "not a date or time: want a form such as 20240501, 20240501083000, 2024-05-01 08:30:00 or 2024年5月1日"
}

var (
	errFormat     error = &Error{Kind: Format}
	errImpossible error = &Error{Kind: Impossible}
	errAmbiguous  error = &Error{Kind: Ambiguous}
)
