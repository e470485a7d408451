package xmltext_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// list writes the tokens of a document, one in a line.
func list(text []byte) (out []string, err error) {
	s, err := xmltext.New(text, fhir.Limits{})
	if err != nil {
		return nil, err
	}
	name := func(n xmltext.Name) string { return "{" + n.Space + "}" + n.Local }
	for s.Next() {
		switch s.Kind {
		case xmltext.Start:
			line := "<" + name(s.Name)
			for _, a := range s.Attrs {
				line += fmt.Sprintf(" %s=%q", name(a.Name), a.Value)
			}
			out = append(out, line)
		case xmltext.End:
			out = append(out, ">"+name(s.Name))
		case xmltext.Text:
			out = append(out, fmt.Sprintf("%q", s.Text))
		case xmltext.Comment:
			out = append(out, fmt.Sprintf("comment %q", s.Text))
		case xmltext.Instruction:
			out = append(out, fmt.Sprintf("instruction %s %q", s.Name.Local, s.Text))
		}
	}
	return out, s.Err()
}

func TestTokens(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"an empty element is a start and an end", `<a/>`, []string{"<{}a", ">{}a"}},
		{"attributes in their order", `<a b="1" c = '2"'/>`, []string{`<{}a {}b="1" {}c="2\""`, ">{}a"}},
		{"namespaces hold below their element", `<a xmlns="u"><b xmlns=""><c/></b><p:d xmlns:p="v" p:e="" e=""/></a >`,
			[]string{"<{u}a", "<{}b", "<{}c", ">{}c", ">{}b", `<{v}d {v}e="" {}e=""`, ">{v}d", ">{u}a"}},
		{"the prefix of XML needs no declaration", `<a xml:lang="zh"/>`, []string{`<{}a {http://www.w3.org/XML/1998/namespace}lang="zh"`, ">{}a"}},
		{"references", `<a b="&lt;&#65;&#x42;">&amp;&gt;&quot;&apos;&#x20BB7;</a>`, []string{`<{}a {}b="<AB"`, `"&>\"'𠮷"`, ">{}a"}},
		{"line ends in normal form", "<a b='1\r\n2\r3\n4\t5'>1\r\n2\r3\n4\t5</a>", []string{`<{}a {}b="1 2 3 4 5"`, `"1\n2\n3\n4\t5"`, ">{}a"}},
		{"white space of references stays", `<a b="&#13;&#10;&#9;">&#13;</a>`, []string{`<{}a {}b="\r\n\t"`, `"\r"`, ">{}a"}},
		{"CDATA is a text of its own", "<a>b<![CDATA[<&]\r\n]]]>c</a>", []string{"<{}a", `"b"`, `"<&]\n]"`, `"c"`, ">{}a"}},
		{"comments and instructions around and inside", "<?xml version='1.0'?>\n<!--1--><a><!-- - --><?p  q?></a><?r?>",
			[]string{`comment "1"`, "<{}a", `comment " - "`, `instruction p "q"`, ">{}a", `instruction r ""`}},
		{"names beyond ASCII", `<名 à-·.1="1"/>`, []string{`<{}名 {}à-·.1="1"`, ">{}名"}},
		{"a byte order mark", "\uFEFF<a/>", []string{"<{}a", ">{}a"}},
		{"a declaration with everything", `<?xml version = "1.0" encoding='utf-8' standalone="yes" ?><a/>`, []string{"<{}a", ">{}a"}},
		{"an instruction that looks like a declaration", `<?xml-stylesheet a?><a/>`, []string{`instruction xml-stylesheet "a"`, "<{}a", ">{}a"}},
		{"brackets", `<a>]] ]&gt; ]></a>`, []string{"<{}a", `"]] ]> ]>"`, ">{}a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := list([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text   string
		line, column int
		reason       string
	}{
		{"nothing", "", 1, 1, "no element"},
		{"white space only", " \n ", 2, 2, "no element"},
		{"text before the root", "a<b/>", 1, 1, "outside the root"},
		{"text behind the root", "<b/>\na", 2, 1, "outside the root"},
		{"a section of CDATA behind the root", "<b/><![CDATA[]]>", 1, 5, "declaration"},
		{"two roots", "<a/><a/>", 1, 5, "second element"},
		{"an end without a start", "</a>", 1, 1, "without a start"},
		{"ends that are crossed", "<a><b></a></b>", 1, 7, "not that of the open"},
		{"an end with another prefix", `<p:a xmlns:p="u" xmlns:q="u"></q:a>`, 1, 30, "not that of the open"},
		{"an end with attributes", `<a></a b="1">`, 1, 4, "not that of the open"},
		{"an end that only begins like the start", `<a></ab>`, 1, 4, "not that of the open"},
		{"a text that does not end", "<a>b", 1, 5, "does not end"},
		{"an element that does not end", "<a>", 1, 4, "does not end"},
		{"a tag that does not end", "<a b='1'", 1, 1, "without an end"},
		{"an end tag that does not end", "<a></a", 1, 4, "without an end"},
		{"a value that does not end", "<a b='1/>", 1, 6, "without an end"},
		{"a value without quotes", "<a b=1/>", 1, 6, "without quotes"},
		{"an attribute without a value", "<a b/>", 1, 4, "without a value"},
		{"attributes without space between them", `<a b="1"c="2"/>`, 1, 9, "no attribute"},
		{"a slash in a tag", "<a / >", 1, 4, "expected '/>'"},
		{"a < that is no tag", "<a>1 < 2</a>", 1, 6, "begins no tag"},
		{"a < in a value", `<a b="<"/>`, 1, 7, "in an attribute's value"},
		{"an attribute twice", `<a b="1" b="2"/>`, 1, 10, "twice"},
		{"an attribute twice under two prefixes", `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, 1, 36, "twice"},
		{"an & alone", "<a>b & c</a>", 1, 6, "begins no reference"},
		{"an entity of HTML", "<a>&nbsp;</a>", 1, 4, "entity"},
		{"a reference to no character", "<a>&#0;</a>", 1, 4, "no character"},
		{"a reference to half a surrogate pair", "<a>&#xD800;</a>", 1, 4, "no character"},
		{"a reference beyond Unicode", "<a>&#x110000;</a>", 1, 4, "no character"},
		{"a reference without digits", "<a>&#x;</a>", 1, 4, "no character"},
		{"a reference with a sign", "<a>&#-1;</a>", 1, 4, "no character"},
		{"a control character in text", "<a>\x01</a>", 1, 4, "character that XML"},
		{"a control character in a value", "<a b='\x01'/>", 1, 7, "character that XML"},
		{"a control character in a comment", "<!--\x01--><a/>", 1, 5, "character that XML"},
		{"a control character in CDATA", "<a><![CDATA[\x01]]></a>", 1, 13, "character that XML"},
		{"a control character in an instruction", "<?a \x01?><a/>", 1, 5, "character that XML"},
		{"a character that Unicode does not have", "<a>\uFFFE</a>", 1, 4, "character that XML"},
		{"malformed UTF-8", "<a>\n\xFF</a>", 2, 1, "UTF-8"},
		{"the end of CDATA in text", "<a>]]></a>", 1, 4, "]]>"},
		{"a comment that does not end", "<a><!-- </a>", 1, 4, "without an end"},
		{"two hyphens in a comment", "<!-- -- --><a/>", 1, 6, "hyphens"},
		{"three hyphens at its end", "<!-- ---><a/>", 1, 6, "hyphens"},
		{"CDATA that does not end", "<a><![CDATA[</a>", 1, 4, "without an end"},
		{"an instruction that does not end", "<?a <b/>", 1, 1, "without an end"},
		{"an instruction without a name", "<? a?><b/>", 1, 1, "without a name"},
		{"a document type declaration", "\n<!DOCTYPE a><a/>", 2, 1, "document type"},
		{"a declaration inside", "<a><!ELEMENT b></a>", 1, 4, "declaration"},
		{"an XML declaration behind white space", " <?xml version='1.0'?><a/>", 1, 2, "not at the beginning"},
		{"an XML declaration without a version", "<?xml encoding='UTF-8'?><a/>", 1, 6, "version"},
		{"another version", "<?xml version='1.1'?><a/>", 1, 6, "1.0"},
		{"another encoding", "<?xml version='1.0' encoding='GB18030'?><a/>", 1, 20, "encoding"},
		{"UTF-16 that is none", "<?xml version='1.0' encoding='UTF-16'?><a/>", 1, 20, "encoding"},
		{"UTF-8 that is UTF-16", "<\x00?\x00x\x00m\x00l\x00 \x00v\x00e\x00r\x00s\x00i\x00o\x00n\x00=\x00'\x001\x00.\x000\x00'\x00 \x00e\x00n\x00c\x00o\x00d\x00i\x00n\x00g\x00=\x00'\x00U\x00T\x00F\x00-\x008\x00'\x00?\x00>\x00<\x00a\x00/\x00>\x00", 1, 20, "encoding"},
		{"UTF-16 that ends in half a character", "\xFF\xFE<", 1, 1, "odd"},
		{"UTF-16 with half a pair", "\xFF\xFE\x00\xD8<\x00", 1, 1, "surrogate"},
		{"UTF-16 that ends in half a pair", "\xFE\xFF\xD8\x00", 1, 1, "surrogate"},
		{"standalone that is neither", "<?xml version='1.0' standalone='a'?><a/>", 1, 20, "standalone"},
		{"an XML declaration with more", "<?xml version='1.0' a='b'?><a/>", 1, 21, "not known"},
		{"an XML declaration without spaces", "<?xml version='1.0'encoding='UTF-8'?><a/>", 1, 20, "space"},
		{"an XML declaration that does not end", "<?xml version='1.0'", 1, 1, "without an end"},
		{"an XML declaration without an equals sign", "<?xml version '1.0'?><a/>", 1, 15, "="},
		{"an XML declaration without quotes", "<?xml version=1.0?><a/>", 1, 15, "quoted"},
		{"an XML declaration with a value that does not end", "<?xml version='1.0?><a/>", 1, 16, "without an end"},
		{"a prefix that nothing declares", "<p:a/>", 1, 1, "declared nowhere"},
		{"a prefix of an attribute that nothing declares", "<a p:b='1'/>", 1, 4, "declared nowhere"},
		{"a prefix behind its element", "<a><b xmlns:p='u'/><p:c/></a>", 1, 20, "declared nowhere"},
		{"a prefix for nothing", "<a xmlns:p=''/>", 1, 4, "no namespace"},
		{"a prefix twice", "<a xmlns:p='u' xmlns:p='v'/>", 1, 16, "twice"},
		{"XML's own prefix for something else", "<a xmlns:xml='u'/>", 1, 4, "XML's own"},
		{"something else for XML's own namespace", "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", 1, 4, "XML's own"},
		{"the prefix of declarations", "<a xmlns:xmlns='u'/>", 1, 4, "XML's own"},
		{"a name with two colons", "<a:b:c/>", 1, 1, "begins no tag"},
		{"a name that ends in a colon", "<a:/>", 1, 1, "begins no tag"},
		{"a name that begins with a digit", "<1/>", 1, 1, "begins no tag"},
		{"a name that begins with a dot above", "<·/>", 1, 1, "begins no tag"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := list([]byte(tt.text))
			var syntax *fhir.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %v", err)
			}
			if syntax.Line != tt.line || syntax.Column != tt.column || !strings.Contains(syntax.Reason, tt.reason) || syntax.Limit {
				t.Errorf("got %v, want %d:%d …%s…", err, tt.line, tt.column, tt.reason)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	attributes := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ` a%d=""`, i)
		}
		return "<a" + b.String() + "/>"
	}
	namespaces := func(n int) string {
		return strings.Repeat("<a xmlns='u'>", n) + strings.Repeat("</a>", n)
	}
	for _, tt := range []struct {
		name, within, over string
		lim                fhir.Limits
	}{
		{"bytes", "<abc/>", "<abcd/>", fhir.Limits{Bytes: 6}},
		{"depth", "<a><b/></a>", "<a><b><c/></b></a>", fhir.Limits{Depth: 2}},
		{"attributes", attributes(xmltext.MaxAttributes), attributes(xmltext.MaxAttributes + 1), fhir.Limits{}},
		{"namespaces", namespaces(xmltext.MaxNamespaces), namespaces(xmltext.MaxNamespaces + 1), fhir.Limits{Depth: 1000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := func(text string) error {
				s, err := xmltext.New([]byte(text), tt.lim)
				if err != nil {
					return err
				}
				for s.Next() {
					continue
				}
				return s.Err()
			}
			if err := run(tt.within); err != nil {
				t.Error(err)
			}
			var syntax *fhir.SyntaxError
			if err := run(tt.over); !errors.As(err, &syntax) || !syntax.Limit {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTokensKnowTheirPlace(t *testing.T) {
	const text = "<a>\n  <b c=\"1\">一</b\n></a>"
	s, err := xmltext.New([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for s.Next() {
		line, column := s.Position(s.Begin)
		got = append(got, fmt.Sprintf("%d:%d %q", line, column, s.Source()[s.Begin:s.End]))
		for _, a := range s.Attrs {
			line, column := s.Position(a.Offset)
			got = append(got, fmt.Sprintf("%d:%d %s", line, column, a.Local))
		}
	}
	if line, column := s.Position(1); line != 1 || column != 2 {
		t.Errorf("going back: %d:%d", line, column)
	}
	want := []string{`1:1 "<a>"`, `1:4 "\n  "`, `2:3 "<b c=\"1\">"`, `2:6 c`, `2:12 "一"`, `2:15 "</b\n>"`, `3:2 "</a>"`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFragmentHasTheNamespacesAroundIt(t *testing.T) {
	s := xmltext.NewFragment("<p:a/>", 10, xmltext.Binding{Prefix: "p", Space: "u"})
	if !s.Next() || s.Name.Space != "u" {
		t.Errorf("got %v, %v", s.Name, s.Err())
	}
	s = xmltext.NewFragment("<?xml version='1.0'?><a/>", 10)
	if s.Next() || s.Err() == nil {
		t.Error("a fragment has no XML declaration")
	}
	s = xmltext.NewFragment("<a>\xFF</a>", 10)
	if s.Next() || s.Err() == nil {
		t.Error("a fragment with malformed UTF-8")
	}
}

func TestLegal(t *testing.T) {
	for text, want := range map[string]bool{"": true, "一\t\r\n": true, "\uFFFD\uFEFF": true, "\x00": false, "\x1F": false, "\uFFFE": false, "a\uFFFF": false, "\xFF": false} {
		if xmltext.Legal(text) != want {
			t.Errorf("%q: not %t", text, want)
		}
	}
}

// FuzzScanner compares with encoding/xml, which takes more than is XML: what is
// read here is read there, as the same.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{`<a b="1" xmlns:p="u"><p:c/>x&lt;<![CDATA[y]]><!--z--></a>`, "<?xml version='1.0'?>\n<a>\r\n&#65;</a>", "<a xmlns='u'><b xmlns=''/></a>", "\xff\xfe<\x00a\x00/\x00>\x00", `<a xml:b="&#10;
"/>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := xmltext.New(text, fhir.Limits{})
		if err != nil {
			return
		}
		type token struct {
			kind  string
			name  xml.Name
			value string
		}
		var got []token
		for s.Next() {
			switch s.Kind {
			case xmltext.Start:
				got = append(got, token{kind: "start", name: xml.Name{Space: s.Name.Space, Local: s.Name.Local}})
				for _, a := range s.Attrs {
					got = append(got, token{kind: "attribute", name: xml.Name{Space: a.Space, Local: a.Local}, value: a.Value})
				}
			case xmltext.End:
				got = append(got, token{kind: "end", name: xml.Name{Space: s.Name.Space, Local: s.Name.Local}})
			case xmltext.Text:
				if n := len(got); n > 0 && got[n-1].kind == "text" {
					got[n-1].value += s.Text
				} else if s.Text != "" {
					got = append(got, token{kind: "text", value: s.Text})
				}
			}
		}
		if s.Err() != nil {
			return
		}
		var want []token
		d := xml.NewDecoder(strings.NewReader(s.Source()))
		d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
		depth := 0
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil && strings.Contains(err.Error(), "invalid XML name") {
				return // it knows the names of an older edition
			}
			if err != nil {
				t.Fatalf("encoding/xml does not read it: %v", err)
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				depth++
				want = append(want, token{kind: "start", name: tok.Name})
				for _, a := range tok.Attr {
					if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
						continue
					}
					value := a.Value
					if !bytes.Contains(text, []byte("&#")) { // behind them it is not seen what was written
						value = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(value)
					}
					want = append(want, token{kind: "attribute", name: a.Name, value: value})
				}
			case xml.EndElement:
				depth--
				want = append(want, token{kind: "end", name: tok.Name})
			case xml.CharData:
				if n := len(want); depth > 0 && n > 0 && want[n-1].kind == "text" {
					want[n-1].value += string(tok)
				} else if depth > 0 && len(tok) > 0 {
					want = append(want, token{kind: "text", value: string(tok)})
				}
			}
		}
		if bytes.Contains(text, []byte("&#")) {
			return
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(token{})); d != "" {
			t.Fatal(d)
		}
	})
}
