package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config is a complete, checked configuration.
type Config struct {
	Listen       string         // host:port that serve listens on
	Data         string         // folder of the embedded store and the server's lock
	Auth         string         // "none": every request is trusted, on a loopback address only
	Institutions string         // folder with one folder per institution; empty: none are loaded from disk
	Zone         *time.Location // of times without an offset, where an institution says nothing else
	StoreURL     string         // postgres://…; empty: the embedded store in Data
	RedisURL     string         // redis://… or rediss://…; empty: no Redis
	Redis        Redis
	AllianceBase string // start of the alliance's own URLs, without a final slash
	LogLevel     slog.Level
	LogFormat    string // "text" or "json"
	FHIR         FHIR
	Search       Search
	Origins      []string // sites whose pages may use the FHIR endpoint from a browser: scheme://host[:port]
	Limits       Limits

	origins map[string]string
}

// Redis says how far a Redis is relied on.
type Redis struct {
	Timeout time.Duration // one call; a slower one counts as failed
	Expire  time.Duration // how long a value is kept
}

// FHIR says how the FHIR endpoint behaves where the specification leaves it open.
type FHIR struct {
	Base           string   // address that clients know the endpoint under, without a final slash; empty: what it listens on
	UpdateAsCreate bool     // clients may create under ids of their own
	Expunges       bool     // clients may erase resources for good
	DeletesMany    bool     // a conditional delete may mean more than one resource
	Profiles       Profiles // what errors by profiles do to a write
}

// Profiles says what errors by profiles do to what an institution writes: "refuse",
// "record" or "ignore".
type Profiles struct {
	Default string
	Of      map[string]string // institutions for which it is another
}

// For returns what holds for an institution.
func (p Profiles) For(institution string) string {
	if own, ok := p.Of[institution]; ok {
		return own
	}
	return p.Default
}

// Search says what searches there are, and bounds what one may ask for.
type Search struct {
	Content    bool  // resources are found by any of their words
	Conditions int   // parameters of one search
	Values     int   // separated by commas, over all parameters
	Value      int64 // bytes of one parameter with its value
	Chain      int   // references that a chain or _has follows
	Sort       int   // keys of _sort
	Includes   int   // _include and _revinclude together
	Filter     int   // conditions in one _filter or _text
	Codes      int   // that :in, :above and :below may stand for
	Hierarchy  int   // resources that :above and :below of a reference may mean
	Included   int   // resources that _include and _revinclude may add to a page
	Iterations int   // times that :iterate follows what was included
	Operands   int   // conditions and alternatives of one search, once all of the above stand for what they mean
	LastN      int   // Observations that one $lastn may look through
}

// Limits bound what one sender or client can make the gateway do.
type Limits struct {
	Record     int64         // bytes of one record
	Delivery   int64         // bytes of one upload or file, which may hold many records
	Body       int64         // bytes of one FHIR request body
	Bodies     int64         // bytes of the large FHIR request bodies that are worked on at once
	Depth      int           // nesting of one FHIR request body; what is stored is read with fhir.DefaultMaxDepth, so no more than that
	Page       int           // resources on a page, the highest _count
	Count      int           // resources on a page where the client does not say, no more than Page
	Entries    int           // entries of one batch or transaction
	Deletes    int           // resources that one conditional delete may mean
	Parameters int           // SearchParameters in effect
	Expunged   int           // resources that one $expunge may remove
	Inline     int64         // bytes of an attachment of a record that stays in its resource; a larger one becomes a Binary
	Attached   int64         // bytes of the Binaries of one Bundle that come with their content
	Folder     int64         // bytes of all files of an institution's folder that is pushed
	Workbook   int64         // bytes of one workbook, unzipped
	Time       time.Duration // work on one request
	Stall      time.Duration // how long a client may keep a request or its answer waiting
	Rate       int           // requests of one client in a minute, 0 for as many as it likes
	Drain      time.Duration // requests may take to end when the process is told to
	Cache      int64         // bytes of what a process without Redis keeps for speed
	Headroom   int64         // bytes of garbage that may pile up in the heap before they are collected; GOGC and GOMEMLIMIT are stronger
	Lease      time.Duration // how long a record waits for a process that took it up and died
}

// Sources is where settings come from. The zero value gives the defaults.
type Sources struct {
	File  string                   // path of the YAML file; empty: no file
	Env   func(name string) string // such as os.Getenv; an empty answer means unset
	Flags map[string]string        // key → value of the flag of the same name; an empty value means not given
}

// Load gathers the settings and checks them. Findings about the settings come back together, as Problems.
func Load(from Sources) (*Config, error) {
	values := map[string]value{}
	for _, s := range settings {
		values[s.key] = value{text: s.fallback}
	}
	var problems Problems
	if from.File != "" {
		text, err := readFile(from.File)
		if err != nil {
			return nil, err
		}
		found, bad := parse(from.File, text)
		problems = bad
		for key, v := range found {
			values[key] = v
		}
	}
	for _, s := range settings {
		if s.env != "" && from.Env != nil {
			if text := from.Env(s.env); text != "" {
				values[s.key] = value{text: text, origin: s.env}
			}
		}
		if text := from.Flags[s.key]; text != "" {
			values[s.key] = value{text: text, origin: "--" + s.key}
		}
	}

	c := &Config{origins: map[string]string{}}
	for _, s := range settings {
		v := values[s.key]
		c.origins[s.key] = v.origin
		if v.text == "" && s.fallback == "" && v.origin == "" {
			continue
		}
		if err := s.set(c, v); err != nil {
			problems = append(problems, Problem{Origin: v.origin, Key: s.key, Text: err.Error()})
		}
	}
	if len(problems) > 0 {
		return nil, problems // rules across settings mean something only when each is right by itself
	}
	for _, r := range rules {
		if key, text := r(c); text != "" {
			problems = append(problems, Problem{Origin: c.origins[key], Key: key, Text: text})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

// Setting is one setting as an operator may see it.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // file:line:col, environment variable, flag, or "default"
}

// Settings lists every setting in effect, in the order of the documentation, without passwords.
func (c *Config) Settings() []Setting {
	all := make([]Setting, len(settings))
	for i, s := range settings {
		origin := c.origins[s.key]
		if origin == "" {
			origin = "default"
		}
		all[i] = Setting{Key: s.key, Value: s.show(c), Origin: origin}
	}
	return all
}

// Problem is one thing that is wrong with a setting.
type Problem struct {
	Origin string `json:"origin"` // file:line:col, environment variable or flag; empty for a default
	Key    string `json:"key"`    // empty where the file cannot be read as settings
	Text   string `json:"text"`
}

// String is the problem in one line: where, which key, what, and what was expected.
func (p Problem) String() string {
	parts := []string{p.Origin, p.Key, p.Text}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// Problems is everything that is wrong with a configuration.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// maxFile bounds the configuration file; ours are a page long.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if info.Size() > maxFile {
		return nil, Problems{{Origin: path, Text: fmt.Sprintf("is %d bytes long, more than %d", info.Size(), maxFile)}}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return text, nil
}

// value is a setting's text and where it was written.
type value struct {
	text   string
	origin string
	dir    string // folder of the file it stands in; relative folders start there
}

func (v value) path() string {
	if v.dir == "" || filepath.IsAbs(v.text) {
		return filepath.Clean(v.text)
	}
	return filepath.Join(v.dir, v.text)
}

// redacted hides what a URL may hold of passwords.
func redacted(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil {
		return "(unreadable)"
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
		}
	}
	if len(query) > 0 {
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}

var errEmpty = errors.New("has no value")
