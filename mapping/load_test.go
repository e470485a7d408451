package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
)

func loadErrors(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *mapping.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	return strings.Split(e.Error(), "\n")
}

const patientHead = `format: 1
map: m
reads: {format: hl7v2, messages: [ADT^A01]}
resources:
  patient:
    type: Patient
    write: update
    key: [PID-3]
    set:
`

const tableHead = `format: 1
map: m
reads: {format: csv, table: T}
resources:
  report:
    type: Observation
    write: replace
    key: [NO]
    set:
      status: =final
      code: NAME
`

// Line 10 of a map with patientHead, line 12 of one with tableHead, is the first of the text given.
func TestMistakesInMapsNameTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want string
	}{
		{"no format", "map: m\nreads: {format: json}\nresources: {}\n",
			`maps/m.yaml:1:1: no format; want format: 1
maps/m.yaml:1:1: no resources; want at least one rule`},
		{"another format", "format: 2\nmap: m\n",
			`maps/m.yaml:1:1: no reads; want reads: {format: …} and what the map is for
maps/m.yaml:1:9: format "2"; this version reads format: 1`},
		{"an unknown key", strings.Replace(patientHead, "reads:", "raeds:", 1) + "      active: =true\n",
			`maps/m.yaml:1:1: no reads; want reads: {format: …} and what the map is for
maps/m.yaml:3:1: unknown key "raeds"; did you mean reads?`},
		{"neither map nor library", "format: 1\ntitle: x\n",
			"maps/m.yaml:1:1: neither map nor library; want the map's name as map: NAME"},
		{"both", "format: 1\nmap: a\nlibrary: b\n",
			"maps/m.yaml:3:1: both map and library; want one of them"},
		{"a name with a space", "format: 1\nmap: a b\n",
			`maps/m.yaml:2:6: name "a b"; want letters, digits, - and _`},
		{"no reads", "format: 1\nmap: a\n",
			"maps/m.yaml:1:1: no reads; want reads: {format: …} and what the map is for"},
		{"unknown format of records", "format: 1\nmap: a\nreads: {format: hl7}\n",
			`maps/m.yaml:3:17: unknown format "hl7"; want hl7v2, csv, excel, json or xml`},
		{"no messages", "format: 1\nmap: a\nreads: {format: hl7v2}\n",
			`maps/m.yaml:1:1: no resources; want at least one rule
maps/m.yaml:3:8: no messages; want a list such as [ORU^R01, "ADT^*"]`},
		{"a bad message type", "format: 1\nmap: a\nreads: {format: hl7v2, messages: [ORU_R01]}\n",
			`maps/m.yaml:1:1: no resources; want at least one rule
maps/m.yaml:3:35: message type "ORU_R01"; want one such as ORU^R01, ADT^* or *`},
		{"no table", "format: 1\nmap: a\nreads: {format: csv}\n",
			`maps/m.yaml:1:1: no resources; want at least one rule
maps/m.yaml:3:8: no table; want the main table's name`},
		{"table of another format", "format: 1\nmap: a\nreads: {format: json, table: x}\n",
			`maps/m.yaml:1:1: no resources; want at least one rule
maps/m.yaml:3:23: table is not for format: json`},
		{"no resources", "format: 1\nmap: a\nreads: {format: json}\n",
			"maps/m.yaml:1:1: no resources; want at least one rule"},
		{"a join without on", "format: 1\nmap: a\nreads: {format: csv, table: T, join: {x: {table: U}}}\n",
			`maps/m.yaml:1:1: no resources; want at least one rule
maps/m.yaml:3:39: join "x" has no on; want on: {COLUMN: COLUMN of U}`},
		{"no type", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {key: [a], set: {}}\n",
			`maps/m.yaml:5:3: rule "p" has no type; want type: and a FHIR resource type`},
		{"an unknown type", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Pateint, write: merge, key: [a], set: {active: =true}}\n",
			`maps/m.yaml:5:13: "Pateint" is not a FHIR R4 resource type; did you mean Patient?`},
		{"no write", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, key: [a], set: {active: =true}}\n",
			`maps/m.yaml:5:3: rule "p" has no write; want replace, update, merge or reference`},
		{"an unknown way of writing", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, write: upsert, key: [a], set: {active: =true}}\n",
			`maps/m.yaml:5:29: unknown way of writing "upsert"; want replace, update, merge or reference`},
		{"no key", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, write: merge, set: {active: =true}}\n",
			`maps/m.yaml:5:6: rule "p" has no key; want the paths that identify the Patient within the institution`},
		{"a key of literals", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, write: merge, key: [=a], set: {active: =true}}\n",
			"maps/m.yaml:5:41: a key of literals alone is the same for every record; want a path"},
		{"a rule called institution", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  institution: {type: Patient, write: merge, key: [a], set: {active: =true}}\n",
			"maps/m.yaml:5:3: a rule cannot be called institution: that name is the institution's own Organization"},
		{"a mandatory element that no rule makes", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  o: {type: Observation, write: merge, key: [a], set: {code: a}}\n",
			`maps/m.yaml:5:6: Observation must have status, but rule "o" does not make it`},
		{"an unknown element", patientHead + "      birthdate: PID-7\n",
			`maps/m.yaml:10:7: Patient has no element "birthdate"; did you mean birthDate?`},
		{"an element of nowhere", patientHead + "      hospital: PID-7\n",
			`maps/m.yaml:10:7: Patient has no element "hospital"`},
		{"a choice without its type", patientHead + "      deceased: PID-30\n",
			"maps/m.yaml:10:7: Patient.deceased has one of several types; want deceasedBoolean, deceasedDateTime or deceased[x]"},
		{"two types of a choice", patientHead + "      deceasedBoolean: PID-30\n      deceasedDateTime: PID-29\n",
			"maps/m.yaml:11:7: deceasedBoolean and deceasedDateTime are the same choice element deceased[x]; want one of them, or a when: in each"},
		{"a choice that the function cannot make", patientHead + "      deceased[x]: {from: PID-30, as: phone}\n",
			"maps/m.yaml:10:39: phone makes ContactPoint, but Patient.deceased[x] is one of deceasedBoolean, deceasedDateTime"},
		{"an open choice without a function", patientHead + "      deceased[x]: PID-30\n",
			"maps/m.yaml:10:20: Patient.deceased[x] has one of several types; want as: result, or a name such as deceasedBoolean, deceasedDateTime"},
		{"the id", patientHead + "      id: PID-3\n",
			"maps/m.yaml:10:7: Patient.id is made from key: and cannot be set"},
		{"contained", patientHead + "      contained: {set: {x: PID-3}}\n",
			"maps/m.yaml:10:7: contained resources are not made; want a rule of their own and a ref"},
		{"an object where a primitive stands", patientHead + "      birthDate: {set: {x: PID-7}}\n",
			"maps/m.yaml:10:19: Patient.birthDate is a date; want from, value or expr, not elements"},
		{"a path where an object is needed", patientHead + "      contact: NK1-2\n",
			"maps/m.yaml:10:16: Patient.contact is a BackboneElement; want set with its elements"},
		{"each where one may stand", patientHead + "      birthDate: {each: PID-7, from: .1}\n",
			"maps/m.yaml:10:25: Patient.birthDate may stand only once, each would make several; want from"},
		{"a function of several where one may stand", patientHead + "      contact: {set: {name: {from: NK1-2, as: phone}}}\n",
			"maps/m.yaml:10:47: Patient.contact.name is a HumanName; phone makes ContactPoint"},
		{"an unknown function", patientHead + "      birthDate: {from: PID-7, as: datetime}\n",
			`maps/m.yaml:10:36: unknown function "datetime"; did you mean dateTime?`},
		{"a function of another type", patientHead + "      birthDate: {from: PID-7, as: identifier}\n",
			"maps/m.yaml:10:36: Patient.birthDate is a date; identifier makes Identifier"},
		{"an unknown input", patientHead + "      name: {from: PID-5, as: name, with: {pinying: PID-9}}\n",
			`maps/m.yaml:10:44: "pinying" is not an input of name; did you mean pinyin?`},
		{"table where none is meant", patientHead + "      name: {from: PID-5, table: gb-sex}\n",
			"maps/m.yaml:10:27: table has no meaning for name"},
		{"an unknown table", patientHead + "      gender: {from: PID-8, table: gb-sexx}\n",
			`maps/m.yaml:10:36: there is no code table "gb-sexx"; did you mean gb-sex?`},
		{"a table without legal codes", patientHead + "      gender: {from: PID-8, table: department}\n",
			`codes/department.csv:3:1: code "internal" of table department is not allowed in Patient.gender; want male, female, other, unknown`},
		{"an illegal literal code", patientHead + "      gender: =femal\n",
			`maps/m.yaml:10:15: code "femal" is not allowed in Patient.gender; did you mean female?`},
		{"a literal of another type", patientHead + "      birthDate: =yesterday\n",
			`maps/m.yaml:10:18: "yesterday" for Patient.birthDate; not a date or time: want a form such as 20240501, 20240501083000, 2024-05-01 08:30:00 or 2024年5月1日`},
		{"a literal for an object", patientHead + "      name: =张三\n",
			"maps/m.yaml:10:13: Patient.name is a HumanName; a text cannot be one; want set with its elements"},
		{"unmapped without a table", patientHead + "      gender: {from: PID-8, unmapped: keep}\n",
			"maps/m.yaml:10:29: unmapped goes with table"},
		{"a default that the table does not have", patientHead + "      gender: {from: PID-8, table: gb-sex, unmapped: default m}\n",
			"maps/m.yaml:10:54: no default: want default CODE with a target of table gb-sex"},
		{"an unknown identifier", patientHead + "      identifier: {from: PID-3, system: patinet}\n",
			`maps/m.yaml:10:41: unknown identifier "patinet"; did you mean patient?`},
		{"an unknown shape", patientHead + "      identifier: {from: PID-3, shape: cx}\n",
			`maps/m.yaml:10:40: unknown shape "cx"; there are none`},
		{"an unknown name", patientHead + "      birthDate: $born\n",
			"maps/m.yaml:10:18: unknown name $born; there are none"},
		{"a bad path", patientHead + "      birthDate: PID-\n",
			`maps/m.yaml:10:22: path "PID-": want a field number from 1 to 9999`},
		{"a field that does not exist", patientHead + "      birthDate: PID-99\n",
			`maps/m.yaml:10:18: path "PID-99": PID-99 does not exist, PID has 40 fields`},
		{"a component that does not exist", patientHead + "      birthDate: PID-7.3.9\n",
			`maps/m.yaml:10:18: path "PID-7.3.9": PID-7.3 does not exist, DTM has 2 components`},
		{"a field in a table's map", tableHead + "      issued: PID-7\n",
			`maps/m.yaml:12:15: path "PID-7" reads an HL7 v2 field, but the map reads csv; names with signs in them stand in double quotes`},
		{"a join that does not exist", strings.Replace(tableHead, "table: T}", "table: T, join: {item: {table: U, on: {A: A}}}}", 1) + "      note: {each: itme, set: {text: itmes.X}}\n",
			`maps/m.yaml:12:20: there is no join "itme"; did you mean item?
maps/m.yaml:12:38: there is no join "itmes"; did you mean item?`},
		{"a boolean for a path", patientHead + "      active: true\n",
			`maps/m.yaml:10:15: "true" is not a path; for a literal write =true or value: true`},
		{"nothing to make it of", patientHead + "      active: {when: {PID-8: M}}\n",
			"maps/m.yaml:10:15: nothing to make Patient.active of; want from, value, set, shape, ref or expr"},
		{"as without from", patientHead + "      active: {as: boolean}\n",
			"maps/m.yaml:10:20: as without from; want the path it reads"},
		{"an unknown key of an element rule", patientHead + "      active: {form: PID-8}\n",
			`maps/m.yaml:10:15: nothing to make Patient.active of; want from, value, set, shape, ref or expr
maps/m.yaml:10:16: unknown key "form"; did you mean from?`},
		{"null with nothing to remove", patientHead + "      active: null\n",
			"maps/m.yaml:10:15: null removes an element of what is extended or included; there is none here"},
		{"a reference to no rule", patientHead + "      managingOrganization: {ref: organisation}\n",
			`maps/m.yaml:10:35: there is no rule "organisation"; want patient`},
		{"a reference to a type that is not allowed", patientHead + "      managingOrganization: {ref: patient}\n",
			"maps/m.yaml:10:35: Patient.managingOrganization cannot refer to a Patient; want Organization"},
		{"ref for no reference", patientHead + "      birthDate: {ref: patient}\n",
			"maps/m.yaml:10:19: Patient.birthDate is a date; only a Reference can refer"},
		{"a reference without a target", patientHead + "      managingOrganization: {ref: {type: Organization}}\n",
			"maps/m.yaml:10:35: want key or identifier, to say which Organization"},
		{"all for one", patientHead + "      managingOrganization: {ref: {rule: patient, all: true}}\n",
			"maps/m.yaml:10:51: Patient.managingOrganization may stand only once; all: true would make several"},
		{"an unknown name in an expression", patientHead + "      active: {with: {sex: PID-8}, expr: \"sx == 'M'\"}\n",
			"maps/m.yaml:10:43: expression: unknown name sx; did you mean sex?"},
		{"a slice in an expression", patientHead + "      name: {with: {n: PID-5}, set: {text: {expr: 'n[0:1]'}}}\n",
			"maps/m.yaml:10:53: expression: a slice cuts by bytes; want left, right or mid"},
		{"a loop in an expression", patientHead + "      name: {set: {text: {expr: 'map(1..9, 1)'}}}\n",
			"maps/m.yaml:10:39: expression: ranges are not part of the grammar"},
		{"a byte function in an expression", patientHead + "      name: {with: {n: PID-5}, set: {text: {expr: 'len(n)'}}}\n",
			"maps/m.yaml:10:52: expression: unknown name len; want n, chars, left, right, mid, trim, upper, lower, replace, split, find, first, digits, number or text"},
		{"a broken expression", patientHead + "      name: {with: {n: PID-5}, set: {text: {expr: \"n + \"}}}\n",
			"maps/m.yaml:10:55: expression: unexpected token EOF"},
		{"a condition that is no boolean", patientHead + "      active: {value: true, with: {n: PID-5}, when: \"left(n, 1)\"}\n",
			"maps/m.yaml:10:54: expression: a condition must be true or false"},
		{"an empty condition", patientHead + "      active: {value: true, when: {}}\n",
			"maps/m.yaml:10:35: an empty condition; want paths and what they must be, or an expression"},
		{"a condition of the wrong form", patientHead + "      active: {value: true, when: {PID-8: {is: M}}}\n",
			"maps/m.yaml:10:43: want present, absent, a literal, a list of literals, or {not: […]}"},
		{"an empty set", patientHead + "      contact: {set: {}}\n",
			"maps/m.yaml:10:22: an empty set; want the elements of Patient.contact"},
		{"a list in a list", patientHead + "      identifier: [[PID-3]]\n",
			"maps/m.yaml:10:20: a list in a list; want rules"},
		{"an empty list", patientHead + "      identifier: []\n",
			"maps/m.yaml:10:19: an empty list; want one or more rules"},
		{"row of a message", "row: PID-3\n" + patientHead + "      active: =true\n",
			"maps/m.yaml:1:6: row is for format: csv or excel only"},
		{"a duplicate key", patientHead + "      active: =true\n      active: =false\n",
			`maps/m.yaml:11:7: key "active" stands twice, first in line 10`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadMap(tt.text)
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), loadErrors(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
