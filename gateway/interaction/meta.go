package interaction

import (
	"bytes"
	"strconv"
	"sync"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// Instant is how meta.lastUpdated is written.
const Instant = "2006-01-02T15:04:05.000000Z"

// stamp prepares content for storing: id in its place, meta as the server owns
// it, with the owner's tag and the source restored over what a client wrote.
// versionId and lastUpdated are left to the render function.
func (e *Engine) stamp(content *fhir.Node, id, owner, source string) *fhir.Node {
	given, system := content.Get("meta"), e.InstitutionSystem()
	meta := fhir.NewObjectOf(given.Len() + 2)
	if source != "" {
		meta.SetString("source", source)
	}
	tags := fhir.NewArray()
	for _, m := range given.Items() {
		for _, k := range m.All() {
			switch k.Name() {
			case "versionId", "lastUpdated", "source", "tag", "_versionId", "_lastUpdated", "_source":
			default:
				meta.Set(k.Name(), k)
			}
		}
		for _, t := range m.Get("tag").Items() {
			if t.Get("system").Text() != system {
				tags.Append(t)
			}
		}
	}
	tag := fhir.NewObject().Add("system", fhir.NewString(system)).Add("code", fhir.NewString(owner))
	meta.Set("tag", tags.Append(tag))

	out := fhir.NewObjectOf(content.Len()+3).
		Add("resourceType", fhir.NewString(content.ResourceType())).Add("id", fhir.NewString(id)).Add("meta", meta)
	for i := range content.Len() {
		k := content.At(i)
		switch k.Name() {
		case "resourceType", "id", "meta":
		default:
			out.Add(k.Name(), k)
		}
	}
	return out
}

// shaped refuses content whose id and meta are not what they must be: the validator sees
// those that the server puts in their place.
func shaped(content *fhir.Node) error {
	typ := content.ResourceType()
	issue := func(n *fhir.Node, path, text, chinese string) error {
		line, column := n.Position()
		return refuse("the resource is not valid FHIR R4", []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.TypeStructure, ID: "element-form", Expression: typ + "." + path, Line: line, Column: column, Text: text, Chinese: chinese,
		}})
	}
	if id := content.Get("id"); id != nil && id.Kind() != fhir.String {
		return issue(id, "id", "the value must be a JSON string", "值必须是 JSON 字符串")
	}
	meta := content.Get("meta")
	if meta == nil {
		return nil
	}
	if meta.Kind() != fhir.Object {
		return issue(meta, "meta", typ+".meta must be a JSON object", typ+".meta 必须是 JSON 对象")
	}
	for _, name := range []string{"versionId", "lastUpdated", "source"} {
		if n := meta.Get(name); n != nil && n.Kind() != fhir.String {
			return issue(n, "meta."+name, "the value must be a JSON string", "值必须是 JSON 字符串")
		}
	}
	return nil
}

// renderer writes the body of a version once its number and time are known. The
// tree is serialised now, outside the transaction.
func renderer(stamped *fhir.Node) func(number int64, updated time.Time) []byte {
	room := renderings.Get().(*[]byte)
	text := append((*room)[:0], `{"resourceType":`...)
	text = stamped.Get("resourceType").AppendJSON(text)
	text = append(text, `,"id":`...)
	text = stamped.Get("id").AppendJSON(text)
	text = append(text, `,"meta":{"versionId":"`...)
	head := len(text)
	// meta always holds the owner's tag, so its opening brace can become a comma.
	text = stamped.Get("meta").AppendJSON(text)
	text[head] = ','
	for i := 3; i < stamped.Len(); i++ {
		k := stamped.At(i)
		text = fhir.AppendName(append(text, ','), k.Name())
		text = k.AppendJSON(text)
	}
	if cap(text) <= maxKeptRendering {
		*room = text
		text = bytes.Clone(text)
		renderings.Put(room)
	}
	return func(number int64, updated time.Time) []byte {
		out := append(make([]byte, 0, len(text)+64), text[:head]...)
		out = strconv.AppendInt(out, number, 10)
		out = append(out, `","lastUpdated":"`...)
		out = updated.UTC().AppendFormat(out, Instant)
		out = append(out, '"')
		out = append(out, text[head:]...)
		return append(out, '}')
	}
}

// renderings are where texts are written before it is known how long they are.
var renderings = sync.Pool{New: func() any { return new([]byte) }}

// maxKeptRendering is the greatest of them that is kept for other resources.
const maxKeptRendering = 64 << 10
