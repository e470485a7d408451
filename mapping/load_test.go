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
		{"no format", "map: m\nreads: {format: json}\nresources: {}\n", "?"},
		{"another format", "format: 2\nmap: m\n", "?"},
		{"an unknown key", strings.Replace(patientHead, "reads:", "raeds:", 1) + "      active: =true\n", "?"},
		{"neither map nor library", "format: 1\ntitle: x\n", "?"},
		{"both", "format: 1\nmap: a\nlibrary: b\n", "?"},
		{"a name with a space", "format: 1\nmap: a b\n", "?"},
		{"no reads", "format: 1\nmap: a\n", "?"},
		{"unknown format of records", "format: 1\nmap: a\nreads: {format: hl7}\n", "?"},
		{"no messages", "format: 1\nmap: a\nreads: {format: hl7v2}\n", "?"},
		{"a bad message type", "format: 1\nmap: a\nreads: {format: hl7v2, messages: [ORU_R01]}\n", "?"},
		{"no table", "format: 1\nmap: a\nreads: {format: csv}\n", "?"},
		{"table of another format", "format: 1\nmap: a\nreads: {format: json, table: x}\n", "?"},
		{"no resources", "format: 1\nmap: a\nreads: {format: json}\n", "?"},
		{"a join without on", "format: 1\nmap: a\nreads: {format: csv, table: T, join: {x: {table: U}}}\n", "?"},
		{"no type", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {key: [a], set: {}}\n", "?"},
		{"an unknown type", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Pateint, write: merge, key: [a], set: {active: =true}}\n", "?"},
		{"no write", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, key: [a], set: {active: =true}}\n", "?"},
		{"an unknown way of writing", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, write: upsert, key: [a], set: {active: =true}}\n", "?"},
		{"no key", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, write: merge, set: {active: =true}}\n", "?"},
		{"a key of literals", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  p: {type: Patient, write: merge, key: [=a], set: {active: =true}}\n", "?"},
		{"a rule called institution", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  institution: {type: Patient, write: merge, key: [a], set: {active: =true}}\n", "?"},
		{"a mandatory element that no rule makes", "format: 1\nmap: a\nreads: {format: json}\nresources:\n  o: {type: Observation, write: merge, key: [a], set: {code: a}}\n", "?"},
		{"an unknown element", patientHead + "      birthdate: PID-7\n", "?"},
		{"an element of nowhere", patientHead + "      hospital: PID-7\n", "?"},
		{"a choice without its type", patientHead + "      deceased: PID-30\n", "?"},
		{"two types of a choice", patientHead + "      deceasedBoolean: PID-30\n      deceasedDateTime: PID-29\n", "?"},
		{"a choice that the function cannot make", patientHead + "      deceased[x]: {from: PID-30, as: phone}\n", "?"},
		{"an open choice without a function", patientHead + "      deceased[x]: PID-30\n", "?"},
		{"the id", patientHead + "      id: PID-3\n", "?"},
		{"contained", patientHead + "      contained: {set: {x: PID-3}}\n", "?"},
		{"an object where a primitive stands", patientHead + "      birthDate: {set: {x: PID-7}}\n", "?"},
		{"a path where an object is needed", patientHead + "      contact: NK1-2\n", "?"},
		{"each where one may stand", patientHead + "      birthDate: {each: PID-7, from: .1}\n", "?"},
		{"a function of several where one may stand", patientHead + "      contact: {set: {name: {from: NK1-2, as: phone}}}\n", "?"},
		{"an unknown function", patientHead + "      birthDate: {from: PID-7, as: datetime}\n", "?"},
		{"a function of another type", patientHead + "      birthDate: {from: PID-7, as: identifier}\n", "?"},
		{"an unknown input", patientHead + "      name: {from: PID-5, as: name, with: {pinying: PID-9}}\n", "?"},
		{"table where none is meant", patientHead + "      name: {from: PID-5, table: gb-sex}\n", "?"},
		{"an unknown table", patientHead + "      gender: {from: PID-8, table: gb-sexx}\n", "?"},
		{"a table without legal codes", patientHead + "      gender: {from: PID-8, table: department}\n", "?"},
		{"an illegal literal code", patientHead + "      gender: =femal\n", "?"},
		{"a literal of another type", patientHead + "      birthDate: =yesterday\n", "?"},
		{"a literal for an object", patientHead + "      name: =张三\n", "?"},
		{"unmapped without a table", patientHead + "      gender: {from: PID-8, unmapped: keep}\n", "?"},
		{"a default that the table does not have", patientHead + "      gender: {from: PID-8, table: gb-sex, unmapped: default m}\n", "?"},
		{"an unknown identifier", patientHead + "      identifier: {from: PID-3, system: patinet}\n", "?"},
		{"an unknown shape", patientHead + "      identifier: {from: PID-3, shape: cx}\n", "?"},
		{"an unknown name", patientHead + "      birthDate: $born\n", "?"},
		{"a bad path", patientHead + "      birthDate: PID-\n", "?"},
		{"a field that does not exist", patientHead + "      birthDate: PID-99\n", "?"},
		{"a component that does not exist", patientHead + "      birthDate: PID-7.3.9\n", "?"},
		{"a field in a table's map", tableHead + "      issued: PID-7\n", "?"},
		{"a boolean for a path", patientHead + "      active: true\n", "?"},
		{"nothing to make it of", patientHead + "      active: {when: {PID-8: M}}\n", "?"},
		{"as without from", patientHead + "      active: {as: boolean}\n", "?"},
		{"an unknown key of an element rule", patientHead + "      active: {form: PID-8}\n", "?"},
		{"null with nothing to remove", patientHead + "      active: null\n", "?"},
		{"a reference to no rule", patientHead + "      managingOrganization: {ref: organisation}\n", "?"},
		{"a reference to a type that is not allowed", patientHead + "      managingOrganization: {ref: patient}\n", "?"},
		{"ref for no reference", patientHead + "      birthDate: {ref: patient}\n", "?"},
		{"a reference without a target", patientHead + "      managingOrganization: {ref: {type: Organization}}\n", "?"},
		{"all for one", patientHead + "      managingOrganization: {ref: {rule: patient, all: true}}\n", "?"},
		{"an unknown name in an expression", patientHead + "      active: {with: {sex: PID-8}, expr: \"sx == 'M'\"}\n", "?"},
		{"a slice in an expression", patientHead + "      name: {with: {n: PID-5}, set: {text: {expr: 'n[0:1]'}}}\n", "?"},
		{"a loop in an expression", patientHead + "      name: {set: {text: {expr: 'map(1..9, 1)'}}}\n", "?"},
		{"a byte function in an expression", patientHead + "      name: {with: {n: PID-5}, set: {text: {expr: 'len(n)'}}}\n", "?"},
		{"a broken expression", patientHead + "      name: {with: {n: PID-5}, set: {text: {expr: \"n + \"}}}\n", "?"},
		{"a condition that is no boolean", patientHead + "      active: {value: true, with: {n: PID-5}, when: \"left(n, 1)\"}\n", "?"},
		{"an empty condition", patientHead + "      active: {value: true, when: {}}\n", "?"},
		{"a condition of the wrong form", patientHead + "      active: {value: true, when: {PID-8: {is: M}}}\n", "?"},
		{"an empty set", patientHead + "      contact: {set: {}}\n", "?"},
		{"a list in a list", patientHead + "      identifier: [[PID-3]]\n", "?"},
		{"an empty list", patientHead + "      identifier: []\n", "?"},
		{"row of a message", "row: PID-3\n" + patientHead + "      active: =true\n", "?"},
		{"a duplicate key", patientHead + "      active: =true\n      active: =false\n", "?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadMap(tt.text)
			if tt.want == "?" {
				t.Errorf("GOT %q: %s", tt.name, strings.Join(loadErrors(t, err), "\n"))
				return
			}
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), loadErrors(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
