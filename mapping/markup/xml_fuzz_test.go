package markup_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/markup"
	"github.com/yilian/yilian/mapping/record"
)

// FuzzParseXML holds that whatever comes is read or refused with its place, and that what was read hangs together.
func FuzzParseXML(f *testing.F) {
	for _, s := range []string{
		clinical, gb(strings.Replace(clinical, "UTF-8", "GB2312", 1)), "<a/>", "<a>x<b/>y<b/>z</a>", "<!DOCTYPE a><a/>", "<a b='1' b='2'/>",
		soap(soap11, "<h/>", "<m><![CDATA[<?xml version='1.0'?><r><a/></r>]]></m>"), soap(soap12, "", clinical[strings.Index(clinical, "<Clin"):]),
		soap(soap11, "", "<![CDATA[<r><a/></r>]]>"), "\xFF\xFE<\x00a\x00/\x00>\x00", "<a xmlns:x='u'><x:b x:c='&#65;'/></a>", "<a>&lt;</a>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		rec, err := markup.ParseXML(doc, markup.Options{Limits: markup.Limits{MaxBytes: 1 << 16, MaxDepth: 16, MaxNodes: 2000}})
		if err != nil {
			var e *record.SyntaxError
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Code == "" {
				t.Fatalf("an error without a place: %#v", err)
			}
			return
		}
		if rec.Root.Parent() != nil || rec.Root.Kind() != record.Group || len(rec.Raw) == 0 {
			t.Fatal("the root is no root")
		}
		var walk func(n *record.Node, depth int)
		walk = func(n *record.Node, depth int) {
			if depth > 64 {
				t.Fatal("deeper than the limit")
			}
			for _, k := range n.Kids() {
				if k.Parent() != n {
					t.Fatal("a child has another parent")
				}
				walk(k, depth+1)
			}
			_, _ = n.Origin(), n.Narrative()
		}
		walk(rec.Root, 0)
	})
}

func BenchmarkParseXML(b *testing.B) {
	doc, err := os.ReadFile("testdata/lab-report.xml")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := markup.ParseXML(doc, markup.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
