package patch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/patch"
)

func tree(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{Depth: 1000})
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return n
}

// operations makes a Parameters resource; each argument is the parts of an
// operation, in the short form `type=add path=Patient name=gender value={"valueCode":"male"}`.
func operations(list ...string) string {
	var b strings.Builder
	b.WriteString(`{"resourceType":"Parameters"`)
	for i, o := range list {
		b.WriteString([]string{`,"parameter":[`, `,`}[min(i, 1)] + "\n" + `{"name":"operation","part":[`)
		for j, part := range strings.Split(o, "|") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			switch name {
			case "type":
				value = `"valueCode":"` + value + `"`
			case "index", "source", "destination":
				value = `"valueInteger":` + value
			case "value":
			default:
				value = fmt.Sprintf(`"valueString":%q`, value)
			}
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`{"name":"` + name + `"`)
			if value != "" {
				b.WriteString("," + value)
			}
			b.WriteByte('}')
		}
		b.WriteString("]}")
	}
	if len(list) > 0 {
		b.WriteByte(']')
	}
	return b.String() + "}"
}

func TestApplyFHIRPath(t *testing.T) {
	const patient = `{"resourceType":"Patient"`
	for _, tt := range []struct {
		name, resource string
		operations     []string
		want           string
	}{
		{"adds to a list that there is not", patient + `}`, []string{`type=add|path=Patient|name=name|value="valueHumanName":{"text":"a"}`}, patient + `,"name":[{"text":"a"}]}`},
		{"adds a primitive to a list with something beside it", patient + `,"name":[{"given":["a"],"_given":[{"id":"x"}]}]}`, []string{`type=add|path=Patient.name|name=given|value="valueString":"b"`},
			patient + `,"name":[{"given":["a","b"],"_given":[{"id":"x"},null]}]}`},
		{"adds what is beside a primitive to a list that has only values", patient + `,"name":[{"given":["a"]}]}`, []string{`type=add|path=Patient.name|name=given|value="_valueString":{"id":"x"}`},
			patient + `,"name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]}`},
		{"adds an extension to a primitive", patient + `,"birthDate":"2000"}`, []string{`type=add|path=Patient.birthDate|name=extension|value="part":[{"name":"url","valueUri":"u"},{"name":"value","valueCode":"c"}]`},
			patient + `,"birthDate":"2000","_birthDate":{"extension":[{"url":"u","valueCode":"c"}]}}`},
		{"adds an extension to one of several primitives", patient + `,"name":[{"given":["a","b"]}]}`, []string{`type=add|path=Patient.name.given[1]|name=extension|value="part":[{"name":"url","valueUri":"u"},{"name":"value","valueCode":"c"}]`},
			patient + `,"name":[{"given":["a","b"],"_given":[null,{"extension":[{"url":"u","valueCode":"c"}]}]}]}`},
		{"adds a choice by its stem", patient + `}`, []string{`type=add|path=Patient|name=deceased|value="valueBoolean":true`}, patient + `,"deceasedBoolean":true}`},
		{"adds a choice by its name in the definitions", patient + `}`, []string{`type=add|path=Patient|name=deceased[x]|value="valueDateTime":"2000"`}, patient + `,"deceasedDateTime":"2000"}`},
		{"adds a choice by its name in instances", patient + `}`, []string{`type=add|path=Patient|name=deceasedBoolean|value="valueBoolean":true`}, patient + `,"deceasedBoolean":true}`},
		{"adds a string where the element is of a type of strings", patient + `}`, []string{`type=add|path=Patient|name=gender|value="valueString":"male"`}, patient + `,"gender":"male"}`},
		{"adds a backbone element in parts of parts", `{"resourceType":"Questionnaire"}`, []string{
			`type=add|path=Questionnaire|name=item|value="part":[{"name":"linkId","valueString":"1"},{"name":"item","part":[{"name":"linkId","valueString":"2"}]},{"name":"item","part":[{"name":"linkId","valueString":"3"}]}]`},
			`{"resourceType":"Questionnaire","item":[{"linkId":"1","item":[{"linkId":"2"},{"linkId":"3"}]}]}`},
		{"adds a contained resource", patient + `}`, []string{`type=add|path=Patient|name=contained|value="resource":{"resourceType":"Organization","id":"o"}`}, patient + `,"contained":[{"resourceType":"Organization","id":"o"}]}`},
		{"adds into a contained resource", patient + `,"contained":[{"resourceType":"Organization","id":"o"}]}`, []string{`type=add|path=Patient.contained[0]|name=name|value="valueString":"n"`},
			patient + `,"contained":[{"resourceType":"Organization","id":"o","name":"n"}]}`},
		{"adds into an entry of a bundle", `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]}`, []string{`type=add|path=Bundle.entry.resource|name=active|value="valueBoolean":false`},
			`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","active":false}}]}`},
		{"adds what an operation before has made room for", patient + `}`, []string{
			`type=add|path=Patient|name=name|value="valueHumanName":{"text":"a"}`, `type=add|path=Patient.name|name=family|value="valueString":"b"`}, patient + `,"name":[{"text":"a","family":"b"}]}`},
		{"deletes what is not there", patient + `}`, []string{`type=delete|path=Patient.name.given`}, patient + `}`},
		{"deletes a primitive with what is beside it", patient + `,"active":true,"birthDate":"2000","_birthDate":{"id":"x"}}`, []string{`type=delete|path=Patient.birthDate`}, patient + `,"active":true}`},
		{"deletes a primitive that has no value", patient + `,"_birthDate":{"id":"x"}}`, []string{`type=delete|path=Patient.birthDate`}, patient + `}`},
		{"deletes the last extension of a primitive and leaves the value", patient + `,"birthDate":"2000","_birthDate":{"extension":[{"url":"u","valueCode":"c"}]}}`, []string{`type=delete|path=Patient.birthDate.extension`}, patient + `,"birthDate":"2000"}`},
		{"deletes the last extension of a primitive without a value, and so all above it", patient + `,"name":[{"_family":{"extension":[{"url":"u","valueCode":"c"}]}}]}`, []string{`type=delete|path=Patient.name.family.extension`}, patient + `}`},
		{"deletes the last extension of one of several primitives", patient + `,"name":[{"given":["a","b"],"_given":[null,{"extension":[{"url":"u","valueCode":"c"}]}]}]}`, []string{`type=delete|path=Patient.name.given[1].extension`},
			patient + `,"name":[{"given":["a","b"]}]}`},
		{"deletes one of several primitives", patient + `,"name":[{"given":["a","b","c"],"_given":[null,{"id":"x"},{"id":"y"}]}]}`, []string{`type=delete|path=Patient.name.given.where($this='b')`},
			patient + `,"name":[{"given":["a","c"],"_given":[null,{"id":"y"}]}]}`},
		{"deletes a choice", patient + `,"deceasedBoolean":true}`, []string{`type=delete|path=Patient.deceased`}, patient + `}`},
		{"leaves what R4 does not have, which no path names", patient + `,"shoe":{"size":1}}`, []string{`type=delete|path=Patient.shoe`, `type=delete|path=Patient.shoe.size`}, patient + `,"shoe":{"size":1}}`},
		{"replaces a choice by another of its types", patient + `,"deceasedBoolean":true,"_deceasedBoolean":{"id":"x"}}`, []string{`type=replace|path=Patient.deceased|value="valueDateTime":"2000"`}, patient + `,"deceasedDateTime":"2000"}`},
		{"replaces a primitive with what is beside it", patient + `,"birthDate":"2000","_birthDate":{"id":"x"}}`, []string{`type=replace|path=Patient.birthDate|value="valueDate":"2001"`}, patient + `,"birthDate":"2001"}`},
		{"replaces one of several primitives", patient + `,"name":[{"given":["a","b"]}]}`, []string{`type=replace|path=Patient.name.given[0]|value="valueString":"c"|value="valueString":"d","_valueString":{"id":"x"}`},
			patient + `,"name":[{"given":["d","b"],"_given":[{"id":"x"},null]}]}`},
		{"replaces a backbone element", patient + `,"contact":[{"gender":"male"}]}`, []string{`type=replace|path=Patient.contact[0]|value="part":[{"name":"gender","valueCode":"female"}]`}, patient + `,"contact":[{"gender":"female"}]}`},
		{"replaces the narrative", patient + `,"text":{"status":"empty","div":"a"}}`, []string{`type=replace|path=Patient.text.div|value="valueString":"b"`}, patient + `,"text":{"status":"empty","div":"b"}}`},
		{"takes a path that names div in quotes and the operator", patient + `,"name":[{"text":".div"},{"text":"b"}],"text":{"status":"empty","div":"a"}}`,
			[]string{`type=delete|path=Patient.name.where(text = '\u002Ediv' and (3 div 2) = 1)`, "type=delete|path=Patient.text.`div`"}, patient + `,"name":[{"text":"b"}],"text":{"status":"empty"}}`},
		{"inserts into a list that there is not", patient + `}`, []string{`type=insert|path=Patient.name|index=0|value="valueHumanName":{"text":"a"}`}, patient + `,"name":[{"text":"a"}]}`},
		{"inserts at the end", patient + `,"name":[{"text":"a"}]}`, []string{`type=insert|path=Patient.name|index=1|value="valueHumanName":{"text":"b"}`}, patient + `,"name":[{"text":"a"},{"text":"b"}]}`},
		{"inserts among primitives", patient + `,"name":[{"given":["a"],"_given":[{"id":"x"}]}]}`, []string{`type=insert|path=Patient.name[0].given|index=0|value="valueString":"b"`},
			patient + `,"name":[{"given":["b","a"],"_given":[null,{"id":"x"}]}]}`},
		{"inserts extensions of a primitive that has none", patient + `,"birthDate":"2000"}`, []string{`type=insert|path=Patient.birthDate.extension|index=0|value="part":[{"name":"url","valueUri":"u"},{"name":"value","valueCode":"c"}]`},
			patient + `,"birthDate":"2000","_birthDate":{"extension":[{"url":"u","valueCode":"c"}]}}`},
		{"moves primitives with what is beside them", patient + `,"name":[{"given":["a","b","c"],"_given":[{"id":"x"},null,null]}]}`, []string{`type=move|path=Patient.name.given|source=0|destination=2`},
			patient + `,"name":[{"given":["b","c","a"],"_given":[null,null,{"id":"x"}]}]}`},
		{"moves to where it is", patient + `,"name":[{"text":"a"},{"text":"b"}]}`, []string{`type=move|path=Patient.name|source=1|destination=1`}, patient + `,"name":[{"text":"a"},{"text":"b"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resource, parameters := tree(t, tt.resource), tree(t, operations(tt.operations...))
			before, patchBefore := resource.Clone(), parameters.Clone()
			got, err := patch.ApplyFHIRPath(resource, parameters, patch.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !fhir.Equal(got, tree(t, tt.want)) {
				t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), tt.want)
			}
			if !fhir.Equal(resource, before) || !fhir.Equal(parameters, patchBefore) {
				t.Error("the input is changed")
			}
		})
	}
}

func TestApplyFHIRPathRefuses(t *testing.T) {
	const full = `{"resourceType":"Patient","active":true,"name":[{"given":["a","b"]},{"given":["c"]}],"birthDate":"2000","deceasedBoolean":true,"shoe":[1]}`
	for _, tt := range []struct{ name, operation, id string }{
		{"no type", `path=Patient`, "patch-part-missing"},
		{"an unknown type", `type=change|path=Patient`, "patch-operation-unknown"},
		{"no path", `type=delete`, "patch-part-missing"},
		{"an empty path", `type=delete|path=`, "patch-part-invalid"},
		{"an unknown part", `type=delete|path=Patient|when=now`, "patch-part-invalid"},
		{"an index that is no number", `type=insert|path=Patient.name|index=-1|value="valueHumanName":{"text":"a"}`, "patch-part-invalid"},
		{"a path that is none", `type=delete|path=Patient.name[`, "patch-path-syntax"},
		{"a path that cannot be evaluated", `type=delete|path=Patient.name.where(1 + 'a')`, "patch-path-failed"},
		{"a path to a value", `type=delete|path=Patient.name.count()`, "patch-target-invalid"},
		{"a path to a resource that is not this one's", `type=delete|path=%resource`, "patch-target-invalid"},
		{"a step that only begins like div", `type=delete|path=Patient.division.count()`, "patch-target-invalid"},
		{"to add to nothing", `type=add|path=Patient.contact|name=gender|value="valueCode":"male"`, "patch-target-none"},
		{"to add to several", `type=add|path=Patient.name|name=family|value="valueString":"a"`, "patch-target-many"},
		{"to add without a name", `type=add|path=Patient|value="valueString":"a"`, "patch-part-missing"},
		{"to add without a value", `type=add|path=Patient|name=gender`, "patch-part-missing"},
		{"to add an empty value", `type=add|path=Patient|name=gender|value=`, "patch-value-type"},
		{"to add what R4 does not have", `type=add|path=Patient|name=hat|value="valueString":"a"`, "patch-name-unknown"},
		{"to add what there is", `type=add|path=Patient|name=active|value="valueBoolean":true`, "patch-target-exists"},
		{"to add another type of a choice", `type=add|path=Patient|name=deceased|value="valueDateTime":"2000"`, "patch-target-exists"},
		{"to add a type that a choice does not have", `type=add|path=Patient|name=multipleBirth|value="valueString":"a"`, "patch-value-type"},
		{"to add the name of a type that the value is not of", `type=add|path=Patient|name=multipleBirthBoolean|value="valueInteger":1`, "patch-value-type"},
		{"to add text where a boolean belongs", `type=add|path=Patient.name[0]|name=period|value="valueBoolean":true`, "patch-value-type"},
		{"to add an object where text belongs", `type=add|path=Patient|name=gender|value="valuePeriod":{"start":"2000"}`, "patch-value-type"},
		{"to add a value that is not of its own type", `type=add|path=Patient|name=gender|value="valueCode":true`, "patch-value-type"},
		{"to add two values at once", `type=add|path=Patient|name=gender|value="valueCode":"a","valueString":"b"`, "patch-value-type"},
		{"to add parts to a type with a name", `type=add|path=Patient|name=maritalStatus|value="valueString":"a"`, "patch-value-type"},
		{"to add a type where there are parts", `type=add|path=Patient|name=contact|value="valueHumanName":{"text":"a"}`, "patch-value-type"},
		{"to add a resource that R4 does not have", `type=add|path=Patient|name=contained|value="resource":{"resourceType":"Shoe"}`, "patch-value-type"},
		{"to add to what R4 does not have", `type=add|path=Patient.shoe|name=size|value="valueInteger":1`, "patch-target-none"},
		{"an unknown part of a value", `type=add|path=Patient|name=contact|value="part":[{"name":"hat","valueString":"a"}]`, "patch-name-unknown"},
		{"a part of a value twice", `type=add|path=Patient|name=contact|value="part":[{"name":"gender","valueCode":"a"},{"name":"gender","valueCode":"a"}]`, "patch-target-exists"},
		{"to delete several", `type=delete|path=Patient.name`, "patch-target-many"},
		{"to delete the resource", `type=delete|path=Patient`, "patch-target-invalid"},
		{"to replace nothing", `type=replace|path=Patient.gender|value="valueCode":"male"`, "patch-target-none"},
		{"to replace several", `type=replace|path=Patient.name|value="valueHumanName":{"text":"a"}`, "patch-target-many"},
		{"to replace the resource", `type=replace|path=Patient|value="valueCode":"a"`, "patch-target-invalid"},
		{"to replace what R4 does not have", `type=replace|path=Patient.shoe|value="valueInteger":1`, "patch-target-none"},
		{"to replace by another type", `type=replace|path=Patient.active|value="valueCode":"a"`, "patch-value-type"},
		{"to insert without an index", `type=insert|path=Patient.name|value="valueHumanName":{"text":"a"}`, "patch-part-missing"},
		{"to insert behind the end", `type=insert|path=Patient.name|index=3|value="valueHumanName":{"text":"a"}`, "patch-index"},
		{"to insert into what is no list", `type=insert|path=Patient.active|index=0|value="valueBoolean":true`, "patch-target-invalid"},
		{"to insert into what is no list and not there", `type=insert|path=Patient.gender|index=0|value="valueCode":"a"`, "patch-target-invalid"},
		{"to insert into a part of a list", `type=insert|path=Patient.name[0]|index=0|value="valueHumanName":{"text":"a"}`, "patch-target-invalid"},
		{"to insert into two lists", `type=insert|path=Patient.name.given|index=0|value="valueString":"a"`, "patch-target-invalid"},
		{"to insert into nothing of nothing", `type=insert|path=Patient.contact.relationship|index=0|value="valueString":"a"`, "patch-target-none"},
		{"to insert where no name is", `type=insert|path=Patient.name.where(use='x')|index=0|value="valueString":"a"`, "patch-target-none"},
		{"to move without a source", `type=move|path=Patient.name|destination=0`, "patch-part-missing"},
		{"to move from behind the end", `type=move|path=Patient.name|source=2|destination=0`, "patch-index"},
		{"to move behind the end", `type=move|path=Patient.name|source=0|destination=2`, "patch-index"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := patch.ApplyFHIRPath(tree(t, full), tree(t, operations(`type=delete|path=Patient.gender`, tt.operation)), patch.Limits{})
			expectError(t, got, err, tt.id)
			var e *patch.Error
			if errors.As(err, &e) && (e.Operation != 1 || e.Line != 3 || e.Expression != "Parameters.parameter[1]") {
				t.Errorf("operation %d at line %d, %s", e.Operation, e.Line, e.Expression)
			}
		})
	}
	for name, tt := range map[string]struct{ resource, patch, id string }{
		"a patch that is no Parameters":              {full, `{"resourceType":"Patient"}`, "patch-malformed"},
		"parameters that are no list":                {full, `{"resourceType":"Parameters","parameter":{}}`, "patch-malformed"},
		"a parameter that is no operation":           {full, `{"resourceType":"Parameters","parameter":[{"name":"x"}]}`, "patch-malformed"},
		"something to patch that is no resource":     {`{}`, operations(), "patch-resource"},
		"to patch a resource that R4 does not have":  {`{"resourceType":"Shoe"}`, operations(), "patch-resource"},
		"what only looks like a list":                {`{"resourceType":"Patient","name":{"text":"a"}}`, operations(`type=add|path=Patient|name=name|value="valueHumanName":{"text":"a"}`), "patch-target-invalid"},
		"a part of the patch that is no object":      {full, `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[1]}]}`, "patch-part-invalid"},
		"an element of the patch that is no object":  {full, `{"resourceType":"Parameters","parameter":[1]}`, "patch-malformed"},
		"an addition to what should be an object":    {`{"resourceType":"Patient","maritalStatus":"m"}`, operations(`type=add|path=Patient.maritalStatus|name=text|value="valueString":"a"`), "patch-target-invalid"},
		"an addition to a primitive that is a list":  {`{"resourceType":"Patient","gender":["m"]}`, operations(`type=add|path=Patient.gender|name=extension|value="part":[{"name":"url","valueUri":"u"}]`), ""},
		"an addition beside what is no object":       {`{"resourceType":"Patient","gender":"m","_gender":"x"}`, operations(`type=add|path=Patient.gender|name=extension|value="part":[{"name":"url","valueUri":"u"}]`), "patch-target-invalid"},
		"an insertion into arrays that do not match": {`{"resourceType":"Patient","name":[{"given":["a"],"_given":[null,null]}]}`, operations(`type=insert|path=Patient.name.given|index=0|value="valueString":"a"`), "patch-target-invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := patch.ApplyFHIRPath(tree(t, tt.resource), tree(t, tt.patch), patch.Limits{})
			if tt.id != "" {
				expectError(t, got, err, tt.id)
			}
		})
	}
	if _, err := patch.ApplyFHIRPath(nil, nil, patch.Limits{}); err == nil {
		t.Error("nothing to patch")
	}
	if _, err := patch.ApplyFHIRPath(tree(t, full), nil, patch.Limits{}); err == nil {
		t.Error("no patch")
	}
}

func expectError(t *testing.T, got *fhir.Node, err error, id string) {
	t.Helper()
	var e *patch.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %s, %v; want %s", got.AppendJSON(nil), err, id)
	}
	if got != nil {
		t.Error("a result with an error")
	}
	if e.ID != id || e.Severity != fhir.Error || e.Code == "" || e.Text == "" || strings.Contains(e.Text, "%") {
		t.Errorf("got %+v, want %s", e, id)
	}
}
