package mapping_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/yilian/yilian/mapping"
)

func TestZZBase(t *testing.T) {
	_, err := mapping.Load(fstest.MapFS{"institution.yaml": {Data: []byte("format: 1\nid: x\nname: x\nsources: {u: {format: hl7v2, base: true}}\n")},
		"maps/t.yaml": {Data: []byte(`
format: 1
map: t
include: [base/patient, base/visit, base/related-person]
reads: {format: hl7v2, messages: [ADT^A01]}
`)}},
		mapping.Options{Base: os.DirFS("base")})
	if err != nil {
		t.Error(err)
	}
}
