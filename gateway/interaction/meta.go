package interaction

import (
	"strconv"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// Instant is how meta.lastUpdated is written.
const Instant = "2006-01-02T15:04:05.000000Z"

// stamp prepares content for storing: id in its place, meta as the server owns
// it, with the owner's tag and the source restored over what a client wrote.
// versionId and lastUpdated are left to the render function.
func (e *Engine) stamp(content *fhir.Node, id, owner, source string) *fhir.Node {
	meta := fhir.NewObject()
	if source != "" {
		meta.SetString("source", source)
	}
	tags := fhir.NewArray()
	for _, m := range content.Get("meta").Items() {
		for _, k := range m.All() {
			switch k.Name() {
			case "versionId", "lastUpdated", "source", "tag", "_versionId", "_lastUpdated", "_source":
			default:
				meta.Set(k.Name(), k.Clone())
			}
		}
		for _, t := range m.Get("tag").Items() {
			if t.Get("system").Text() != e.InstitutionSystem() {
				tags.Append(t.Clone())
			}
		}
	}
	tag := fhir.NewObject().SetString("system", e.InstitutionSystem()).SetString("code", owner)
	meta.Set("tag", tags.Append(tag))

	out := fhir.NewObject().SetString("resourceType", content.ResourceType()).SetString("id", id).Set("meta", meta)
	for _, k := range content.All() {
		switch k.Name() {
		case "resourceType", "id", "meta":
		default:
			out.Set(k.Name(), k)
		}
	}
	return out
}

// renderer writes the body of a version once its number and time are known. The
// tree is serialised now, outside the transaction.
func renderer(stamped *fhir.Node) func(number int64, updated time.Time) []byte {
	head := append([]byte(`{"resourceType":`), stamped.Get("resourceType").AppendJSON(nil)...)
	head = append(head, `,"id":`...)
	head = stamped.Get("id").AppendJSON(head)
	head = append(head, `,"meta":{"versionId":"`...)
	// meta always holds the owner's tag, so its opening brace can become a comma.
	rest := stamped.Get("meta").AppendJSON(nil)
	rest[0] = ','
	tail := make([]byte, 0, 1024)
	for i, k := range stamped.All() {
		if i < 3 {
			continue
		}
		tail = append(tail, ',')
		tail = fhir.NewString(k.Name()).AppendJSON(tail)
		tail = append(tail, ':')
		tail = k.AppendJSON(tail)
	}
	return func(number int64, updated time.Time) []byte {
		out := make([]byte, 0, len(head)+len(rest)+len(tail)+64)
		out = append(out, head...)
		out = strconv.AppendInt(out, number, 10)
		out = append(out, `","lastUpdated":"`...)
		out = updated.UTC().AppendFormat(out, Instant)
		out = append(out, '"')
		out = append(out, rest...)
		out = append(out, tail...)
		return append(out, '}')
	}
}
