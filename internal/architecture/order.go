package architecture

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path before the "/" of every package of ours.
const Module = "github.com/yilian/yilian"

// Package is what the go command tells of one package.
type Package struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// Layers from low to high. A package belongs where its path, or the longest folder above it, is named: "mapping/..." is
// every package below mapping and mapping itself. It may import its own layer and every lower one.
var layers = [][]string{
	{""}, // the root: it embeds testdata

	{"conformance/fhir/..."},
	{"conformance/definitions/...", "conformance/terminology/ucum/..."},
	{"conformance/fhirpath/...", "conformance/fhirxml/...", "conformance/terminology/..."},
	{"conformance/patch/...", "conformance/snapshot/..."},
	{"conformance/validate/..."},
	{"conformance/ig/..."},
	{"conformance/testscript/..."},

	{"mapping/fold/..."},
	{"mapping/record/..."},
	{"mapping/..."}, // readers and kinds of value
	{"mapping", "mapping/base/...", "mapping/maptest/...", "mapping/typed/..."},                  // base is tested by its cases
	{"mapping/compare/...", "mapping/draft/...", "mapping/fieldtable/...", "mapping/survey/..."}, // tools for who writes maps

	{"gateway/fault/...", "gateway/config/...", "gateway/folder/..."},
	{"gateway/search/..."},
	{"gateway/store"},
	{"gateway/store/..."},
	{"gateway/codesystem/..."},
	{"gateway/identity/...", "gateway/audit/...", "gateway/auth/...", "gateway/consent/..."},
	{"gateway/interaction/..."},
	{"gateway/bulk/...", "gateway/deliver/...", "gateway/ingest/...", "gateway/recognition/...", "gateway/referral/...",
		"gateway/schedule/...", "gateway/statistics/..."},
	{"gateway/source/..."},
	{"gateway/rest/...", "gateway/console/..."},
	{"gateway/server/..."},

	{"cmd/..."},
	{"internal/..."}, // for tests and generators; see the ban below
}

// ban forbids what the layers would allow.
type ban struct {
	what   []string // packages that must not be imported
	by     []string // by these; empty: by any
	except []string // but these may
	tests  bool     // tests may
	why    string
}

var bans = []ban{
	{what: []string{"internal/..."}, except: []string{"internal/..."}, tests: true,
		why: "internal is for tests and generators"},
	{what: []string{"gateway/store/sqlite/...", "gateway/store/postgres/..."}, tests: true,
		except: []string{"gateway/store/sqlite/...", "gateway/store/postgres/...", "gateway/server/..."},
		why:    "a store is chosen in gateway/server, all others see the contract"},
	{what: []string{"gateway/config/..."}, except: []string{"gateway/config/...", "gateway/server/...", "cmd/..."}, tests: true,
		why: "settings are handed out in gateway/server"},
	{what: []string{"gateway/rest/..."}, except: []string{"gateway/rest/...", "gateway/server/..."}, tests: true,
		why: "the edge is put together in gateway/server"},
	{what: []string{"gateway/console/..."}, except: []string{"gateway/console/...", "gateway/server/...", "cmd/..."}, tests: true,
		why: "the edge is put together in gateway/server; the command line speaks the console's JSON"},
	{what: []string{"conformance/terminology"}, by: []string{"conformance/fhirpath/..."},
		why: "fhirpath declares what it asks of terminology"},
	{what: []string{"mapping/...", "gateway/..."}, by: []string{"internal/alliancegen/...", "internal/testenv/..."},
		why: "demo data and test servers know nothing of what they test"},
	{what: []string{"", "conformance/...", "mapping/...", "gateway/..."}, by: []string{"internal/scan/..."},
		why: "a second opinion shares nothing with what it judges"},
}

// Check returns every import that the order forbids, one line each, sorted.
func Check(packages []Package) []string {
	var wrong []string
	for _, p := range packages {
		from, ours := relative(p.ImportPath)
		if !ours {
			continue
		}
		if layer(from) < 0 {
			wrong = append(wrong, from+" has no place in the order of packages")
			continue
		}
		test := slices.Concat(p.TestImports, p.XTestImports)
		for i, path := range slices.Concat(p.Imports, test) {
			to, ours := relative(path)
			if !ours || to == from {
				continue
			}
			if why := forbidden(from, to, i >= len(p.Imports)); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", from, to, why))
			}
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

func forbidden(from, to string, test bool) string {
	for _, b := range bans {
		if within(to, b.what) && (len(b.by) == 0 || within(from, b.by)) && !within(from, b.except) && !(b.tests && test) {
			return b.why
		}
	}
	if test && within(to, []string{"internal/..."}) {
		return ""
	}
	if lower, higher := layer(from), layer(to); higher > lower {
		return "lower never imports higher"
	}
	return ""
}

// layer returns the height of a package, or -1 when it has none.
func layer(path string) int {
	best, length := -1, -1
	for height, patterns := range layers {
		for _, pattern := range patterns {
			n := len(strings.TrimSuffix(pattern, "/..."))*2 + 1
			if strings.HasSuffix(pattern, "/...") {
				n-- // the exact name counts more than the folder of the same name
			}
			if matches(path, pattern) && n > length {
				best, length = height, n
			}
		}
	}
	return best
}

func within(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(path, pattern) })
}

func matches(path, pattern string) bool {
	folder, open := strings.CutSuffix(pattern, "/...")
	return path == folder || open && strings.HasPrefix(path, folder+"/")
}

func relative(path string) (string, bool) {
	if path == Module {
		return "", true
	}
	return strings.CutPrefix(path, Module+"/")
}
