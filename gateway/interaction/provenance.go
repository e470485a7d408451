package interaction

import (
	"context"
	"fmt"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// provenance drafts the one Provenance of a record: which record, where its bytes
// are, which map, and what was written from it.
func (e *Engine) provenance(ctx context.Context, b Batch, drafts []*draft) (*draft, error) {
	targets := fhir.NewArray()
	activity := "UPDATE"
	for _, d := range drafts {
		targets.Append(fhir.NewObject().SetString("reference", d.key.String()))
		if d.expect == 0 {
			activity = "CREATE"
		}
	}
	extension := func(name string, value *fhir.Node, kind string) *fhir.Node {
		return fhir.NewObject().SetString("url", e.Base+"/fhir/StructureDefinition/"+name).Set("value"+kind, value)
	}
	extensions := fhir.NewArray(
		extension("record-digest", fhir.NewString("sha256:"+b.Digest), "String"),
		extension("record-offset", fhir.NewNumber(strconv.FormatInt(b.Offset, 10)), "Integer"),
		extension("record-length", fhir.NewNumber(strconv.FormatInt(b.Length, 10)), "Integer"),
	)
	if b.Place != "" {
		extensions.Append(extension("record-place", fhir.NewString(b.Place), "String"))
	}
	extensions.Append(extension("map", fhir.NewString(b.Map), "String"))
	if b.Folder != "" {
		extensions.Append(extension("folder", fhir.NewString(b.Folder), "String"))
	}
	what := fhir.NewObject().
		Set("identifier", fhir.NewObject().
			SetString("system", e.Base+"/institution/"+b.Institution+"/record").
			SetString("value", b.Record))
	entity := fhir.NewObject().
		Set("extension", extensions).
		SetString("role", "source").
		Set("what", what)
	coding := fhir.NewObject().
		SetString("system", "http://terminology.hl7.org/CodeSystem/v3-DataOperation").
		SetString("code", activity)
	agent := fhir.NewObject().
		Set("type", fhir.NewObject().Set("coding", fhir.NewArray(fhir.NewObject().
			SetString("system", "http://terminology.hl7.org/CodeSystem/provenance-participant-type").
			SetString("code", "author")))).
		Set("who", fhir.NewObject().SetString("reference", "Organization/"+b.Institution))
	content := fhir.NewObject().SetString("resourceType", "Provenance").
		Set("target", targets).
		SetString("recorded", e.now().UTC().Format(Instant)).
		Set("activity", fhir.NewObject().Set("coding", fhir.NewArray(coding))).
		Set("agent", fhir.NewArray(agent)).
		Set("entity", fhir.NewArray(entity))
	d := &draft{
		key:    store.Key{Type: "Provenance", ID: b.Record},
		owner:  b.Institution,
		source: e.Source(b.Institution, b.Record),
		stamp:  b.Stamp,
	}
	// A record that is replayed gets a new version of its Provenance.
	current, err := e.Store.Read(ctx, d.key)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, fmt.Errorf("read the provenance: %w", err)
	}
	d.expect = current.Number
	return d, e.prepare(ctx, d, content, nil)
}
