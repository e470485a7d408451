package alliancetest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/alliancegen"
)

// documentSystem is that of 文档流水号.
const documentSystem = "urn:oid:2.16.156.10011.1.1"

// document looks for a paper: the DocumentReference, its bytes, and its sections in the Composition of the same number.
func (c *checker) document(d *alliancegen.Document) {
	at := "document " + d.Institution + "/" + d.Number
	n := c.w.Find(d.Institution, "DocumentReference", documentSystem, d.Number)
	if n == nil {
		n = c.w.Find(d.Institution, "DocumentReference", local(d.Institution, "document"), d.Number)
	}
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	c.holds(c.about(d.Institution, n.Get("subject"), d.Patient), "%s: patient", at)
	if d.Code.Code != "" {
		c.holds(hasCode(n.Get("type"), "", d.Code.Code), "%s: kind", at)
	}
	c.instant(n.Get("date"), d.Date, at+": date")
	attachment := n.Get("content").At(0).Get("attachment")
	if d.Title != "" {
		c.holds(attachment.Get("title").Text() == d.Title || n.Get("description").Text() == d.Title, "%s: title", at)
	}
	c.staff(d.Institution, n.Get("author").At(0), d.Author, at+": author")
	if d.Visit != "" {
		c.encounter(d.Institution, n.Path("context", "encounter").At(0), d.Visit, at)
	}
	c.attachment(attachment, alliancegen.Attachment{ContentType: d.ContentType, SHA256: d.SHA256, Size: d.Size}, at)
	if d.Report != "" {
		c.holds(slices.ContainsFunc(n.Path("context", "related").Items(), func(ref *fhir.Node) bool {
			return hasValue(c.w.Follow(ref).Get("identifier"), d.Report)
		}), "%s: the report whose paper it is", at)
	}
	c.sections(d, at)
}

// sections compares the coded sections with those of the Composition that has the document's number.
func (c *checker) sections(d *alliancegen.Document, at string) {
	if len(d.Sections) == 0 {
		return
	}
	var composition *fhir.Node
	for _, s := range c.w.of("Composition") {
		if s.institution == d.Institution && s.tree.Path("identifier", "value").Text() == d.Number {
			composition = s.tree
		}
	}
	if !c.holds(composition != nil, "%s: no composition", at) {
		return
	}
	for _, want := range d.Sections {
		found := slices.ContainsFunc(composition.Get("section").Items(), func(s *fhir.Node) bool {
			return hasCode(s.Get("code"), "", want.Code.Code) && strings.Contains(plain(s.Path("text", "div").Text()), strings.Join(strings.Fields(want.Text), ""))
		})
		c.holds(found, "%s: section %s", at, want.Code.Code)
	}
}

var tag = regexp.MustCompile(`<[^>]*>`)

// plain is the text of a narrative without tags and white space.
func plain(div string) string {
	text := tag.ReplaceAllString(div, " ")
	text = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&amp;", "&").Replace(text)
	return strings.Join(strings.Fields(text), "")
}

// attachment compares an Attachment with what was sent: type, size, and the bytes themselves.
func (c *checker) attachment(n *fhir.Node, want alliancegen.Attachment, at string) {
	if !c.holds(n != nil, "%s: no attachment", at) {
		return
	}
	mediaType, _, _ := strings.Cut(n.Get("contentType").Text(), ";")
	wanted, _, _ := strings.Cut(want.ContentType, ";")
	c.holds(mediaType == wanted || mediaType == "application/xml" && wanted == "text/xml", "%s: attachment is %q, want %q", at, mediaType, wanted)
	c.holds(c.matches(n, want), "%s: bytes of the attachment", at)
}

func (c *checker) matches(n *fhir.Node, want alliancegen.Attachment) bool {
	var content []byte
	if data := n.Get("data"); data != nil {
		content, _ = base64.StdEncoding.DecodeString(data.Text())
	} else if url := n.Get("url").Text(); url != "" && c.w.Bytes != nil {
		content = c.w.Bytes(url)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]) == want.SHA256 && len(content) == want.Size &&
		(n.Get("size") == nil || n.Get("size").Text() == fmt.Sprint(want.Size))
}

// attachments looks for the papers and pictures of a report among its presentedForm.
func (c *checker) attachments(report *fhir.Node, r *alliancegen.Report, at string) {
	forms := report.Get("presentedForm").Items()
	for i, want := range r.Attachments {
		k := slices.IndexFunc(forms, func(n *fhir.Node) bool { return c.matches(n, want) })
		if c.holds(k >= 0, "%s: attachment %d", at, i+1) {
			c.attachment(forms[k], want, at)
			if want.Title != "" {
				c.equal(forms[k].Get("title").Text(), want.Title, "%s: title of attachment %d", at, i+1)
			}
		}
	}
}

// study looks for the imaging study of a report, and where its pictures are.
func (c *checker) study(report *fhir.Node, r *alliancegen.Report, at string) {
	s := r.Study
	if s == nil {
		c.holds(report.Get("imagingStudy") == nil, "%s: a study that is none", at)
		return
	}
	n := c.w.Follow(report.Get("imagingStudy").At(0))
	if !c.holds(n != nil, "%s: study", at) {
		return
	}
	c.holds(c.about(r.Institution, n.Get("subject"), r.Patient), "%s: the study's patient", at)
	c.holds(hasIdentifier(n, "urn:dicom:uid", "urn:oid:"+s.UID), "%s: UID of the study", at)
	if s.Accession != "" {
		c.holds(hasValue(n.Get("identifier"), s.Accession), "%s: accession number", at)
	}
	c.equal(n.Get("modality").At(0).Get("code").Text(), s.Modality, "%s: modality", at)
	c.instant(n.Get("started"), s.Started, at+": start of the study")
	if s.Series > 0 {
		c.equal(n.Get("numberOfSeries").Text(), fmt.Sprint(s.Series), "%s: series", at)
	}
	if s.Instances > 0 {
		c.equal(n.Get("numberOfInstances").Text(), fmt.Sprint(s.Instances), "%s: instances", at)
	}
	if s.Viewer != "" {
		c.equal(c.w.Follow(n.Get("endpoint").At(0)).Get("address").Text(), s.Viewer, "%s: the sender's viewer", at)
	}
}

// vitals compares what was measured in a visit, item by item.
func (c *checker) vitals(visit *fhir.Node, v *alliancegen.Visit, at string) {
	if len(v.Vitals) == 0 {
		return
	}
	var measured []*fhir.Node
	for _, o := range c.w.byVisit[visit] {
		if hasCode(o.Get("category").At(0), "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs") {
			measured = append(measured, o)
		}
	}
	for i := range v.Vitals {
		want := &v.Vitals[i]
		what := fmt.Sprintf("%s: measurement %d", at, i+1)
		o := nth(measured, want.Item.Code, max(want.Occurrence, 1))
		if !c.holds(o != nil, "%s is not there", what) {
			continue
		}
		c.coded(o.Get("code"), want.Item, what+": item")
		c.equal(o.Get("status").Text(), want.Status, "%s: status", what)
		c.holds(c.about(v.Institution, o.Get("subject"), v.Patient), "%s: patient", what)
		c.value(want, o, what)
	}
}

// department looks for the one Organization or Location of a department or ward.
func (c *checker) department(d *alliancegen.Department) {
	at := d.Kind + " " + d.Institution + "/" + d.Code
	typ := map[string]string{"department": "Organization", "ward": "Location"}[d.Kind]
	n := c.w.Find(d.Institution, typ, local(d.Institution, map[string]string{"department": "department", "ward": "ward"}[d.Kind]), d.Code)
	if n == nil {
		n = c.w.Find(d.Institution, typ, local(d.Institution, "department"), d.Code)
	}
	if !c.holds(n != nil, "%s is not there, or not once", at) {
		return
	}
	c.equal(n.Get("name").Text(), d.Name, "%s: name", at)
	owner := n.Get("partOf")
	if d.Kind == "ward" {
		owner = n.Get("managingOrganization")
	}
	if d.PartOf == "" {
		c.equal(owner.Get("reference").Text(), "Organization/"+d.Institution, "%s: whose it is", at)
		return
	}
	c.holds(hasValue(c.w.Follow(owner).Get("identifier"), d.PartOf), "%s: the department it belongs to", at)
}

// member looks for the one Practitioner of somebody, and for what is known of the work.
func (c *checker) member(m *alliancegen.Member) {
	at := "staff " + m.Institution + "/" + m.Number
	n := c.w.Find(m.Institution, "Practitioner", local(m.Institution, "staff"), m.Number)
	if !c.holds(n != nil, "%s is not there, or not once", at) {
		return
	}
	c.holds(hasText(n.Get("name"), m.Name), "%s: name", at)
	if m.Department == "" && m.Title.Code == "" {
		return
	}
	var roles []*fhir.Node
	for _, s := range c.w.of("PractitionerRole") {
		if s.institution == m.Institution && c.w.Follow(s.tree.Get("practitioner")) == n {
			roles = append(roles, s.tree)
		}
	}
	if m.Department != "" {
		c.holds(slices.ContainsFunc(roles, func(r *fhir.Node) bool {
			return hasValue(c.w.Follow(r.Get("organization")).Get("identifier"), m.Department)
		}), "%s: department", at)
	}
	if m.Title.Code != "" {
		c.holds(slices.ContainsFunc(roles, func(r *fhir.Node) bool {
			return slices.ContainsFunc(r.Get("code").Items(), func(k *fhir.Node) bool { return hasCode(k, "", m.Title.Code) })
		}), "%s: title", at)
	}
}

// hasValue reports whether one of some identifiers has the value.
func hasValue(identifiers *fhir.Node, value string) bool {
	return slices.ContainsFunc(identifiers.Items(), func(id *fhir.Node) bool { return id.Get("value").Text() == value })
}
