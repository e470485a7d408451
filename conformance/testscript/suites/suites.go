package suites

import (
	"embed"
	"io/fs"
	"path"
	"slices"

	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/testscript"
)

//go:embed server feed exchange
var files embed.FS

// Suite is what one suite is about.
type Suite struct {
	Name    string
	Title   string
	Chinese string // the title
}

// All are the suites, in the order in which a server is best looked at.
func All() []Suite {
	return []Suite{
		{"server", "What a member's FHIR server must do", "成员机构 FHIR 服务器应具备的能力"},
		{"feed", "What a member's resources must look like", "成员机构数据应符合的要求"},
		{"exchange", "Orders that become results, and referrals up and down", "申请到报告、上下转诊的往返"},
	}
}

// Load reads one of the suites. It returns fs.ErrNotExist for a name that none has.
func Load(name string) (*testscript.Suite, error) {
	if !slices.ContainsFunc(All(), func(s Suite) bool { return s.Name == name }) {
		return nil, fs.ErrNotExist
	}
	return testscript.Loader{Resolve: guide}.Load(files, name)
}

// guide finds what the guide defines, such as the CapabilityStatement of requirements for members' servers.
func guide(reference string) ([]byte, error) {
	kind := path.Base(path.Dir(reference))
	n, ok := ig.Guide().Resolve(kind, reference)
	if !ok {
		return nil, fs.ErrNotExist
	}
	return n.AppendJSON(nil), nil
}
