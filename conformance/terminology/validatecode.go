package terminology

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// ValidateRequest is what $validate-code may be asked for,
// https://hl7.org/fhir/R4/valueset-operation-validate-code.html. Exactly one of Code, Coding and Concept is given.
type ValidateRequest struct {
	Code    string // of an element of type code, whose system the value set tells
	Coding  *Coding
	Concept []Coding // codings of a CodeableConcept, one of which must be in the value set
	// Display is that of Code.
	Display string
	// Abstract tells that the context allows codes that only group others.
	Abstract        bool
	DisplayLanguage string
	SystemVersion   []string // url|version, where nothing else is said
}

// Validation is what is to be said about a code.
type Validation struct {
	// Valid is the result: the code exists, is a member, may be chosen, and its display is right.
	Valid bool
	// Member is Unknown where the answer depends on what is not here; Valid is false then, and Issues tell the cause.
	Member definitions.Membership
	// Coding is the code as its system has it, with the display that is to be shown. It is empty if none was found.
	Coding Coding
	Issues []fhir.Issue
}

// Message is the text of all findings in a language, "" without any.
func (v *Validation) Message(language string) string {
	texts := make([]string, len(v.Issues))
	for i, issue := range v.Issues {
		texts[i] = issue.In(language)
	}
	return strings.Join(texts, "; ")
}

// judge is the work on one ValidateRequest.
type judge struct {
	*run
	q      ValidateRequest
	wanted languages
}

func newJudge(ctx context.Context, c *Catalog, q ValidateRequest) (*judge, error) {
	j := &judge{run: c.run(ctx), q: q}
	var err error
	if j.wanted, err = readLanguages(q.DisplayLanguage); err != nil {
		return nil, err
	}
	j.versions, err = readVersions(ExpandRequest{SystemVersion: q.SystemVersion})
	return j, err
}

// ValidateCode tells whether a code, one coding, or one of the codings of a concept is in a value set. Findings are in
// the result; an error is a *Refusal where the request is no question.
func (c *Catalog) ValidateCode(ctx context.Context, s *Set, q ValidateRequest) (*Validation, error) {
	j, err := newJudge(ctx, c, q)
	if err != nil {
		return nil, err
	}
	return j.each(func(coding Coding, path string, any bool) (*Validation, error) { return j.inSet(s, coding, path, any) },
		msgConceptOutside.Issue(fhir.Error, s.name()))
}

// ValidateCodeIn tells whether a code is one of a code system, named by its canonical URL.
func (c *Catalog) ValidateCodeIn(ctx context.Context, system string, q ValidateRequest) (*Validation, error) {
	j, err := newJudge(ctx, c, q)
	if err != nil {
		return nil, err
	}
	url, version := c.cutSystem(system)
	return j.each(func(coding Coding, path string, any bool) (*Validation, error) {
		if any {
			coding.System = url
		}
		if coding.Version == "" {
			coding.Version = version
		}
		v := &Validation{}
		if coding.System != url {
			v.add(msgSystemOther.Issue(fhir.Error, url), path+".system")
			return v, nil
		}
		return v, j.inSystem(v, coding, path)
	}, msgCodeUnknown.Issue(fhir.Error, url))
}

// each judges what the request names.
func (j *judge) each(one func(Coding, string, bool) (*Validation, error), none fhir.Issue) (*Validation, error) {
	switch {
	case j.q.Coding != nil:
		return one(*j.q.Coding, "Coding", false)
	case j.q.Concept == nil:
		v, err := one(Coding{Code: j.q.Code, Display: j.q.Display}, "", true)
		return v, err
	case len(j.q.Concept) == 0:
		return nil, refuse(msgCodeMissing)
	}
	all := &Validation{}
	for i, coding := range j.q.Concept {
		v, err := one(coding, fmt.Sprintf("CodeableConcept.coding[%d]", i), false)
		if err != nil {
			return nil, err
		}
		better := v.Valid && !all.Valid || v.Member == definitions.Unknown && all.Member == definitions.NotMember ||
			v.Member == definitions.Member && all.Member != definitions.Member
		if better {
			all.Valid, all.Member, all.Coding = v.Valid, v.Member, v.Coding
		}
		all.Issues = append(all.Issues, v.Issues...)
	}
	if all.Valid {
		// One right coding is enough; what is wrong with others is worth knowing, no more.
		for i := range all.Issues {
			if all.Issues[i].Severity == fhir.Error {
				all.Issues[i].Severity = fhir.Warning
			}
		}
		return all, nil
	}
	if all.Member == definitions.NotMember {
		none.Expression = "CodeableConcept"
		all.Issues = append([]fhir.Issue{none}, all.Issues...)
	}
	return all, nil
}

// add puts a finding into the result, which an error makes invalid.
func (v *Validation) add(i fhir.Issue, path string) {
	i.Expression = strings.TrimPrefix(path, ".")
	v.Issues = append(v.Issues, i)
	if i.Severity == fhir.Error {
		v.Valid = false
	}
}

func (j *judge) inSet(s *Set, coding Coding, path string, any bool) (*Validation, error) {
	v := &Validation{}
	switch {
	case coding.Code == "":
		v.add(msgCodeMissing.Issue(fhir.Error), path+".code")
		return v, nil
	case any:
	case coding.System == "":
		v.add(msgSystemMissing.Issue(fhir.Error), path+".system")
		return v, nil
	case !isAbsolute(coding.System):
		v.add(msgSystemRelative.Issue(fhir.Error), path+".system")
		return v, nil
	}
	if coding.Version != "" && !any {
		j.prefer(coding.System, coding.Version)
	}
	a, err := j.ask(s, coding.System, coding.Code, any)
	if err != nil {
		return nil, err
	}
	if any {
		coding.System = a.system
	}
	v.Member, v.Valid = a.member, a.member == definitions.Member
	switch a.member {
	case definitions.NotMember:
		v.add(msgCodeOutside.Issue(fhir.Error, s.name()), path+".code")
	case definitions.Unknown:
		if a.cause != nil {
			v.add(a.cause.Issue, path+".system")
		}
		v.Valid = false
	}
	if any && a.member != definitions.Member {
		return v, nil // the system is not certain
	}
	return v, j.known(v, coding, path, a.entry)
}

// prefer lets a version that a coding names hold for its system.
func (j *judge) prefer(system, version string) {
	if j.versions == nil {
		j.versions = &versions{preferred: map[string]string{}}
	}
	j.versions.preferred[system] = version
	j.memo = nil // what was found before may be of another version
}

// inSystem judges a code by its system alone.
func (j *judge) inSystem(v *Validation, coding Coding, path string) error {
	if coding.Code == "" {
		v.add(msgCodeMissing.Issue(fhir.Error), path+".code")
		return nil
	}
	v.Member, v.Valid = definitions.Member, true
	return j.known(v, coding, path, nil)
}

// known judges what the code's system says of it, and its display.
func (j *judge) known(v *Validation, coding Coding, path string, listed *entry) error {
	v.Coding = Coding{System: coding.System, Version: coding.Version, Code: coding.Code}
	system, err := j.c.codeSystem(coding.System, j.versions.of(coding.System, coding.Version))
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		j.unknownSystem(v, coding, path, listed, refusal)
		return nil
	case err != nil:
		return err
	}
	about := system.Describe()
	v.Coding.Version = about.Version
	d, ok, err := system.Details(j.ctx, coding.Code)
	if err != nil {
		return err
	}
	if !ok {
		return j.unknownCode(v, system, coding, path, listed)
	}
	v.Coding.Code = d.Code
	if d.Abstract && !j.q.Abstract {
		v.add(msgCodeAbstract.Issue(fhir.Error), path+".code")
	}
	if d.Inactive {
		v.add(msgCodeInactive.Issue(fhir.Warning), path+".code")
	}
	names := names{own: d.Display, language: about.Language, others: d.Designations}
	if listed != nil {
		names.listed(listed)
	}
	j.display(v, coding, path, names)
	return nil
}

func (j *judge) unknownSystem(v *Validation, coding Coding, path string, listed *entry, why *Refusal) {
	issue := why.Issue
	if _, found := j.c.resolve("ValueSet", coding.System, ""); found {
		issue = msgSystemIsValueSet.Issue(fhir.Error, coding.System)
	}
	switch {
	case listed != nil:
		issue.Severity = fhir.Warning // the value set knows the code
		v.add(issue, path+".system")
		var n names
		n.listed(listed)
		j.display(v, coding, path, n)
		return
	case v.Member == definitions.Member: // nothing but the system could tell
		v.Member = definitions.Unknown
	}
	if len(v.Issues) == 0 || v.Issues[len(v.Issues)-1].ID != issue.ID {
		v.add(issue, path+".system")
	}
	v.Valid = false
}

func (j *judge) unknownCode(v *Validation, system CodeSystem, coding Coding, path string, listed *entry) error {
	about := system.Describe()
	if about.Content != Complete {
		severity := fhir.Warning
		if v.Member == definitions.Member && listed == nil {
			v.Member, v.Valid, severity = definitions.Unknown, false, fhir.Error
		}
		if len(v.Issues) == 0 || v.Issues[len(v.Issues)-1].ID != msgSystemPartial.ID {
			v.add(msgSystemPartial.Issue(severity, about.URL), path+".code")
		}
		return nil
	}
	issue := msgCodeUnknown.Issue(fhir.Error, about.URL)
	for _, other := range []string{strings.ToLower(coding.Code), strings.ToUpper(coding.Code)} {
		_, ok, err := system.Lookup(j.ctx, other)
		if err != nil {
			return err
		}
		if ok {
			issue = msgCodeCase.Issue(fhir.Error, about.URL)
		}
	}
	if v.Member == definitions.Member && listed == nil {
		v.Member = definitions.NotMember
	}
	v.add(issue, path+".code")
	return nil
}

// names are all that a code is called.
type names struct {
	own, language string
	others        []Designation
}

// listed adds what a value set calls the code; its display comes first.
func (n *names) listed(e *entry) {
	if e.display != "" {
		if n.own != "" {
			n.others = append([]Designation{{Language: n.language, Value: n.own}}, n.others...)
		}
		n.own = e.display
	}
	n.others = append(n.others, e.designations...)
}

// display checks the display, and gives the one to show.
func (j *judge) display(v *Validation, coding Coding, path string, n names) {
	v.Coding.Display = n.own
	if better := j.wanted.display(n.own, n.language, n.others); better != "" {
		v.Coding.Display = better
	}
	if coding.Display == "" || n.own == "" && len(n.others) == 0 || sameDisplay(coding.Display, n.own) {
		return
	}
	for _, d := range n.others {
		if sameDisplay(coding.Display, d.Value) {
			return
		}
	}
	v.add(msgDisplayWrong.Issue(fhir.Error, coding.System, v.Coding.Display), path+".display")
}

// isAbsolute reports whether a URI stands for itself.
func isAbsolute(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.IsAbs()
}
