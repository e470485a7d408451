package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// setting is one key: what it is when nobody sets it, how its text is checked and stored, how it is shown.
type setting struct {
	key      string
	fallback string
	env      string
	set      func(*Config, value) error
	show     func(*Config) string
}

// settings lists every key there is, in the order of the documentation.
var settings = []setting{
	{key: "listen", fallback: "127.0.0.1:8080",
		set:  func(c *Config, v value) (err error) { c.Listen, err = parseListen(v.text); return err },
		show: func(c *Config) string { return c.Listen }},
	{key: "data", fallback: "./yilian-data",
		set:  func(c *Config, v value) (err error) { c.Data, err = parseFolder(v); return err },
		show: func(c *Config) string { return c.Data }},
	{key: "auth", fallback: "none", env: "YILIAN_AUTH",
		set:  func(c *Config, v value) (err error) { c.Auth, err = oneOf(v.text, "none"); return err },
		show: func(c *Config) string { return c.Auth }},
	{key: "institutions",
		set:  func(c *Config, v value) (err error) { c.Institutions, err = parseFolder(v); return err },
		show: func(c *Config) string { return c.Institutions }},
	{key: "timezone", fallback: "+08:00",
		set:  func(c *Config, v value) (err error) { c.Zone, err = parseZone(v.text); return err },
		show: func(c *Config) string { return c.Zone.String() }},
	{key: "store.url", env: "YILIAN_STORE_URL",
		set: func(c *Config, v value) (err error) {
			c.StoreURL, err = parseURL(v.text, "postgres", "postgresql")
			return err
		},
		show: func(c *Config) string { return redacted(c.StoreURL) }},
	{key: "redis.url", env: "YILIAN_REDIS_URL",
		set: func(c *Config, v value) (err error) {
			c.RedisURL, err = parseURL(v.text, "redis", "rediss")
			return err
		},
		show: func(c *Config) string { return redacted(c.RedisURL) }},
	duration("redis.timeout", "50ms", time.Millisecond, 5*time.Second, func(c *Config) *time.Duration { return &c.Redis.Timeout }),
	duration("redis.expire", "10m", time.Second, 24*time.Hour, func(c *Config) *time.Duration { return &c.Redis.Expire }),
	{key: "alliance.base", fallback: "https://yilian.dev",
		set:  func(c *Config, v value) (err error) { c.AllianceBase, err = parseBase(v.text); return err },
		show: func(c *Config) string { return c.AllianceBase }},
	{key: "log.level", fallback: "info",
		set:  func(c *Config, v value) (err error) { c.LogLevel, err = parseLevel(v.text); return err },
		show: func(c *Config) string { return strings.ToLower(c.LogLevel.String()) }},
	{key: "log.format", fallback: "text",
		set:  func(c *Config, v value) (err error) { c.LogFormat, err = oneOf(v.text, "text", "json"); return err },
		show: func(c *Config) string { return c.LogFormat }},
	{key: "fhir.base",
		set:  func(c *Config, v value) (err error) { c.FHIR.Base, err = parseBase(v.text); return err },
		show: func(c *Config) string { return c.FHIR.Base }},
	{key: "fhir.update-as-create", fallback: "off",
		set: func(c *Config, v value) (err error) {
			c.FHIR.UpdateAsCreate, err = choice(v.text, "off", "on")
			return err
		},
		show: func(c *Config) string { return chosen(c.FHIR.UpdateAsCreate, "off", "on") }},
	{key: "fhir.conditional-delete", fallback: "single",
		set: func(c *Config, v value) (err error) {
			c.FHIR.DeletesMany, err = choice(v.text, "single", "multiple")
			return err
		},
		show: func(c *Config) string { return chosen(c.FHIR.DeletesMany, "single", "multiple") }},
	{key: "fhir.profiles", fallback: "record",
		set:  func(c *Config, v value) (err error) { c.FHIR.Profiles, err = parseProfiles(v.text); return err },
		show: func(c *Config) string { return showProfiles(c.FHIR.Profiles) }},
	{key: "fhir.expunge", fallback: "off",
		set:  func(c *Config, v value) (err error) { c.FHIR.Expunges, err = choice(v.text, "off", "on"); return err },
		show: func(c *Config) string { return chosen(c.FHIR.Expunges, "off", "on") }},
	{key: "search.content", fallback: "on",
		set:  func(c *Config, v value) (err error) { c.Search.Content, err = choice(v.text, "off", "on"); return err },
		show: func(c *Config) string { return chosen(c.Search.Content, "off", "on") }},
	number("search.conditions", "50", 1, 1000, func(c *Config) *int { return &c.Search.Conditions }),
	number("search.values", "1000", 1, 2000, func(c *Config) *int { return &c.Search.Values }),
	size("search.value", "16KiB", 64, 512<<10, func(c *Config) *int64 { return &c.Search.Value }),
	number("search.chain", "3", 1, 4, func(c *Config) *int { return &c.Search.Chain }), // stores follow no more
	number("search.sort", "4", 1, 16, func(c *Config) *int { return &c.Search.Sort }),
	number("search.includes", "20", 1, 100, func(c *Config) *int { return &c.Search.Includes }),
	number("search.filter", "100", 1, 1000, func(c *Config) *int { return &c.Search.Filter }),
	number("search.codes", "1000", 1, 2000, func(c *Config) *int { return &c.Search.Codes }),
	number("search.hierarchy", "1000", 1, 2000, func(c *Config) *int { return &c.Search.Hierarchy }),
	number("search.included", "2000", 1, 100_000, func(c *Config) *int { return &c.Search.Included }),
	number("search.iterations", "5", 1, 20, func(c *Config) *int { return &c.Search.Iterations }),
	number("search.operands", "2000", 100, 2000, func(c *Config) *int { return &c.Search.Operands }),
	number("search.lastn", "10000", 1, 1_000_000, func(c *Config) *int { return &c.Search.LastN }),
	{key: "browser.origins",
		set:  func(c *Config, v value) (err error) { c.Origins, err = parseOrigins(v.text); return err },
		show: func(c *Config) string { return strings.Join(c.Origins, ", ") }},
	size("limits.record", "16MiB", 1<<10, 1<<30, func(c *Config) *int64 { return &c.Limits.Record }),
	size("limits.delivery", "256MiB", 1<<10, 1<<34, func(c *Config) *int64 { return &c.Limits.Delivery }),
	size("limits.workbook", "96MiB", 64<<10, 1<<30, func(c *Config) *int64 { return &c.Limits.Workbook }),
	size("limits.body", "64MiB", 1<<10, 1<<30, func(c *Config) *int64 { return &c.Limits.Body }),
	size("limits.bodies", "64MiB", 1<<20, 64<<30, func(c *Config) *int64 { return &c.Limits.Bodies }),
	number("limits.depth", "100", 20, fhir.DefaultMaxDepth, func(c *Config) *int { return &c.Limits.Depth }),
	number("limits.page", "1000", 1, 10_000, func(c *Config) *int { return &c.Limits.Page }),
	number("limits.count", "50", 1, 10_000, func(c *Config) *int { return &c.Limits.Count }),
	number("limits.entries", "10000", 1, 1_000_000, func(c *Config) *int { return &c.Limits.Entries }),
	number("limits.deletes", "100", 1, 500, func(c *Config) *int { return &c.Limits.Deletes }),
	number("limits.parameters", "200", 1, 5000, func(c *Config) *int { return &c.Limits.Parameters }),
	number("limits.expunged", "1000", 1, 100_000, func(c *Config) *int { return &c.Limits.Expunged }),
	size("limits.inline", "1KiB", 1, 16<<20, func(c *Config) *int64 { return &c.Limits.Inline }),
	size("limits.attached", "4MiB", 1<<10, 256<<20, func(c *Config) *int64 { return &c.Limits.Attached }),
	size("limits.folder", "32MiB", 64<<10, 48<<20, func(c *Config) *int64 { return &c.Limits.Folder }),
	duration("limits.time", "30s", 100*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.Limits.Time }),
	duration("limits.stall", "30s", 100*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.Limits.Stall }),
	number("limits.rate", "0", 0, 100_000_000, func(c *Config) *int { return &c.Limits.Rate }),
	duration("limits.drain", "10s", 100*time.Millisecond, 10*time.Minute, func(c *Config) *time.Duration { return &c.Limits.Drain }),
	size("limits.cache", "32MiB", 1<<20, 64<<30, func(c *Config) *int64 { return &c.Limits.Cache }),
	size("limits.headroom", "64MiB", 4<<20, 64<<30, func(c *Config) *int64 { return &c.Limits.Headroom }),
	duration("limits.lease", "1m", time.Second, time.Hour, func(c *Config) *time.Duration { return &c.Limits.Lease }),
}

// number is a setting that is a number from low to high.
func number(key, fallback string, low, high int, field func(*Config) *int) setting {
	return setting{key: key, fallback: fallback,
		set:  func(c *Config, v value) (err error) { *field(c), err = parseInt(v.text, low, high); return err },
		show: func(c *Config) string { return strconv.Itoa(*field(c)) }}
}

// size is a setting that is a number of bytes from low to high.
func size(key, fallback string, low, high int64, field func(*Config) *int64) setting {
	return setting{key: key, fallback: fallback,
		set:  func(c *Config, v value) (err error) { *field(c), err = parseSize(v.text, low, high); return err },
		show: func(c *Config) string { return showSize(*field(c)) }}
}

// duration is a setting that is a time from low to high.
func duration(key, fallback string, low, high time.Duration, field func(*Config) *time.Duration) setting {
	return setting{key: key, fallback: fallback,
		set:  func(c *Config, v value) (err error) { *field(c), err = parseDuration(v.text, low, high); return err },
		show: func(c *Config) string { return showDuration(*field(c)) }}
}

// rules hold across settings. Each returns the key to blame and what is wrong, or no text.
var rules = []func(*Config) (key, text string){
	func(c *Config) (string, string) {
		if c.Auth == "none" && !loopback(c.Listen) {
			return "listen", c.Listen + " can be reached from other machines, and auth: none trusts everybody; " +
				"expected a loopback address such as 127.0.0.1:8080"
		}
		return "", ""
	},
	func(c *Config) (string, string) {
		if c.Limits.Delivery < c.Limits.Record {
			return "limits.delivery", fmt.Sprintf("%s is less than limits.record, %s", showSize(c.Limits.Delivery),
				showSize(c.Limits.Record))
		}
		return "", ""
	},
	within("search.values", func(c *Config) int { return c.Search.Values }),
	within("search.codes", func(c *Config) int { return c.Search.Codes }),
	within("search.hierarchy", func(c *Config) int { return c.Search.Hierarchy }),
}

// within is the rule that a search can be made of as many operands as one limit allows.
func within(key string, limit func(*Config) int) func(*Config) (string, string) {
	return func(c *Config) (string, string) {
		if n := limit(c); n > c.Search.Operands {
			return key, fmt.Sprintf("%d is more than search.operands, %d", n, c.Search.Operands)
		}
		return "", ""
	}
}

func parseListen(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", fmt.Errorf("%q is not an address, expected host:port such as 127.0.0.1:8080", text)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", fmt.Errorf("%q is not a port, expected 0 to 65535", port)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func parseFolder(v value) (string, error) {
	if strings.ContainsRune(v.text, 0) {
		return "", errors.New("holds a NUL character, expected a folder")
	}
	return v.path(), nil
}

func oneOf(text string, choices ...string) (string, error) {
	for _, c := range choices {
		if text == c {
			return c, nil
		}
	}
	expected := strings.Join(choices, ", ")
	if len(choices) > 1 {
		expected = "one of " + expected
	}
	return "", fmt.Errorf("%q is not known, expected %s", text, expected)
}

// choice tells whether the second of two words is chosen.
func choice(text, no, yes string) (bool, error) {
	_, err := oneOf(text, no, yes)
	return text == yes, err
}

func chosen(yes bool, words ...string) string {
	if yes {
		return words[1]
	}
	return words[0]
}

// parseProfiles reads a policy for all institutions, and others for some of them:
// "record, city=refuse".
func parseProfiles(text string) (Profiles, error) {
	p := Profiles{}
	for part := range strings.SplitSeq(text, ",") {
		institution, policy, own := strings.Cut(strings.TrimSpace(part), "=")
		if !own {
			institution, policy = "", institution
		}
		if _, err := oneOf(policy, "refuse", "record", "ignore"); err != nil {
			return p, err
		}
		switch {
		case own && (institution == "" || p.Of[institution] != ""), !own && p.Default != "":
			return p, fmt.Errorf("%q says it twice or of nobody, expected one policy and at most one for each institution, such as record, city=refuse", text)
		case !own:
			p.Default = policy
		default:
			if p.Of == nil {
				p.Of = map[string]string{}
			}
			p.Of[institution] = policy
		}
	}
	if p.Default == "" {
		p.Default = "record"
	}
	return p, nil
}

func showProfiles(p Profiles) string {
	parts := []string{p.Default}
	for _, institution := range slices.Sorted(maps.Keys(p.Of)) {
		parts = append(parts, institution+"="+p.Of[institution])
	}
	return strings.Join(parts, ", ")
}

func parseLevel(text string) (slog.Level, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"error": slog.LevelError}
	level, ok := levels[text]
	if !ok {
		_, err := oneOf(text, "debug", "info", "warn", "error")
		return 0, err
	}
	return level, nil
}

// parseZone reads an offset such as +08:00, or a name from the zone database.
func parseZone(text string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", text); err == nil {
		if _, offset := t.Zone(); offset >= -14*3600 && offset <= 14*3600 {
			return time.FixedZone(text, offset), nil
		}
	} else if zone, err := time.LoadLocation(text); err == nil && text != "" && text != "Local" {
		return zone, nil
	}
	return nil, fmt.Errorf("%q is not a time zone, expected an offset such as +08:00 or a name such as Asia/Shanghai", text)
}

// parseURL checks a URL that may hold a password, so its errors do not repeat it.
func parseURL(text string, schemes ...string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("is not a URL, expected %s://host:port/…", schemes[0])
	}
	if _, err := oneOf(u.Scheme, schemes...); err != nil {
		return "", fmt.Errorf("the scheme %w", err)
	}
	if u.Host == "" && !u.Query().Has("host") {
		return "", fmt.Errorf("names no host, expected %s://host:port/…", schemes[0])
	}
	return text, nil
}

// parseOrigins reads sites as a browser names them in the header Origin.
func parseOrigins(text string) ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		origin := strings.ToLower(strings.TrimSpace(part))
		if origin == "" {
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return nil, fmt.Errorf("%q is not a site, expected scheme, host and port alone, such as https://app.example.org", part)
		}
		if !slices.Contains(out, origin) {
			out = append(out, origin)
		}
	}
	return out, nil
}

func parseBase(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%q is not a base URL, expected one such as https://yilian.dev", text)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("holds more than scheme, host and path, expected a base URL such as https://yilian.dev")
	case strings.HasSuffix(text, "/"):
		return "", fmt.Errorf("%q ends with a slash, expected none", text)
	}
	return text, nil
}

// Larger units first, so that a size is shown in the largest that fits.
var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}

func parseSize(text string, low, high int64) (int64, error) {
	digits := text[:len(text)-len(strings.TrimLeft(text, "0123456789"))]
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size, expected one such as 16MiB", text)
	}
	unit := strings.TrimSpace(text[len(digits):])
	factor := int64(0)
	for _, u := range units {
		if unit == u.name || unit == "" && u.bytes == 1 {
			factor = u.bytes
			break
		}
	}
	if factor == 0 {
		return 0, fmt.Errorf("%q has an unknown unit, expected B, KiB, MiB, GiB, kB, MB or GB", text)
	}
	if n > uint64(math.MaxInt64/factor) || int64(n)*factor < low || int64(n)*factor > high {
		return 0, fmt.Errorf("%q is out of range, expected %s to %s", text, showSize(low), showSize(high))
	}
	return int64(n) * factor, nil
}

func showSize(n int64) string {
	for _, u := range units {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}

func parseInt(text string, low, high int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number, expected %d to %d", text, low, high)
	}
	if n < low || n > high {
		return 0, fmt.Errorf("%d is out of range, expected %d to %d", n, low, high)
	}
	return n, nil
}

func parseDuration(text string, low, high time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration, expected one such as 30s", text)
	}
	if d < low || d > high {
		return 0, fmt.Errorf("%q is out of range, expected %s to %s", text, showDuration(low), showDuration(high))
	}
	return d, nil
}

// showDuration leaves out the zeros that String appends: 1h, not 1h0m0s.
func showDuration(d time.Duration) string {
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
