package rest

import (
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/store"
)

// bundle writes a Bundle around bodies that are taken over as they are stored.
type bundle struct {
	out     []byte
	entries int
}

// newBundle begins a Bundle; total below 0 is left out.
func newBundle(kind string, total int, links []link, size int) *bundle {
	b := &bundle{out: make([]byte, 0, 512+size)}
	b.out = append(b.out, `{"resourceType":"Bundle","type":"`+kind+`"`...)
	if total >= 0 {
		b.out = append(b.out, `,"total":`...)
		b.out = strconv.AppendInt(b.out, int64(total), 10)
	}
	if len(links) > 0 {
		b.out = append(b.out, `,"link":[`...)
		for i, l := range links {
			if i > 0 {
				b.out = append(b.out, ',')
			}
			b.out = append(b.out, `{"relation":"`+l.relation+`","url":`...)
			b.out = append(fhir.NewString(l.url).AppendJSON(b.out), '}')
		}
		b.out = append(b.out, ']')
	}
	return b
}

// add appends an entry; fullURL may be empty, tail is the rest of it: JSON
// properties after the resource.
func (b *bundle) add(fullURL string, v store.Version, tail string) {
	if b.entries == 0 {
		b.out = append(b.out, `,"entry":[`...)
	} else {
		b.out = append(b.out, ',')
	}
	b.entries++
	b.out = append(b.out, '{')
	if fullURL != "" {
		b.out = append(b.out, `"fullUrl":`...)
		b.out = fhir.NewString(fullURL).AppendJSON(b.out)
		b.out = append(b.out, ',')
	}
	if v.Body != nil {
		b.out = append(b.out, `"resource":`...)
		b.out = append(b.out, v.Body...)
		b.out = append(b.out, ',')
	}
	b.out = append(b.out, tail...)
	b.out = append(b.out, '}')
}

// bytes ends the Bundle.
func (b *bundle) bytes() []byte {
	if b.entries > 0 {
		b.out = append(b.out, ']')
	}
	return append(b.out, '}')
}

func sizeOf(list []store.Version) (n int) {
	for _, v := range list {
		n += len(v.Body) + 128
	}
	return n
}
