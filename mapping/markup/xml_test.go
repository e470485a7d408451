package markup_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/markup"
	"github.com/yilian/yilian/mapping/record"
)

const clinical = `<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="CDA.xsl"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="urn:hl7-org:sdtc">
  <!-- a comment -->
  <id root="1.2.3" extension="D-1"/>
  <title>检验报告</title><languageCode code="zh-CN"/>
  <birthTime xsi:nil="true"/><empty/><blank> </blank>
  <author><name>王<b>小</b>明</name></author>
  <entry typeCode="COMP"><value xsi:type="PQ" value="5.10" unit="mmol/L"/></entry>
  <entry><value xsi:type="ST">阴性</value><s:desc>x</s:desc></entry>
  <note xml:lang="zh">a&lt;b &#x4E2D;<![CDATA[<c>]]></note>
</ClinicalDocument>`

func readXML(t *testing.T, doc string) *record.Record {
	t.Helper()
	rec, err := markup.ParseXML([]byte(doc), markup.Options{File: "d.xml"})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestXMLDocument(t *testing.T) {
	rec := readXML(t, clinical)
	if rec.Format != record.XML || rec.Type != "ClinicalDocument" || rec.Version != "urn:hl7-org:v3" || rec.Charset != "UTF-8" || rec.Control != "" {
		t.Errorf("format %q type %q version %q charset %q control %q", rec.Format, rec.Type, rec.Version, rec.Charset, rec.Control)
	}
	if string(rec.Raw) != clinical || len(rec.Issues) != 0 {
		t.Error("the raw bytes are those that came, and nothing is wrong with them")
	}
	root := rec.Root
	entries := root.Get("entry")
	for _, tt := range []struct {
		name         string
		node         *record.Node
		kind         record.Kind
		text         string
		state        record.State
		path         string
		line, column int
	}{
		{"namespace of the root", root.Get("@xmlns"), record.Leaf, "urn:hl7-org:v3", record.Present, "@xmlns", 3, 1},
		{"declarations are no attributes", root.Get("@s"), record.Leaf, "", record.Absent, "", 0, 0},
		{"element with attributes", root.Get("id"), record.Group, "", record.Present, "id", 5, 3},
		{"attribute", root.Get("id").Get("@extension"), record.Leaf, "D-1", record.Present, "id.@extension", 5, 3},
		{"element with text alone", root.Get("title"), record.Leaf, "检验报告", record.Present, "title", 6, 3},
		{"columns count characters", root.Get("languageCode"), record.Group, "", record.Present, "languageCode", 6, 22},
		{"nil is empty", root.Get("birthTime"), record.Leaf, "", record.Empty, "birthTime", 7, 3},
		{"without content is empty", root.Get("empty"), record.Leaf, "", record.Empty, "empty", 7, 30},
		{"blanks are empty", root.Get("blank"), record.Leaf, "", record.Empty, "blank", 7, 38},
		{"not there is absent", root.Get("nothing"), record.Leaf, "", record.Absent, "", 0, 0},
		{"text beside elements", root.Get("author").Get("name"), record.Group, "王 明", record.Present, "author.name", 8, 11},
		{"siblings of one name", entries, record.List, "", record.Present, "entry", 9, 3},
		{"attribute of the first", entries.Repetition(1).Get("value").Get("@value"), record.Leaf, "5.10", record.Present, "entry[1].value.@value", 9, 26},
		{"attributes of xsi keep the prefix", entries.Repetition(1).Get("value").Get("@xsi:type"), record.Leaf, "PQ", record.Present, "entry[1].value.@xsi:type", 9, 26},
		{"text beside attributes", entries.Repetition(2).Get("value"), record.Group, "阴性", record.Present, "entry[2].value", 10, 10},
		{"another namespace", entries.Repetition(2).Get("desc").Get("@xmlns"), record.Leaf, "urn:hl7-org:sdtc", record.Present, "entry[2].desc.@xmlns", 10, 41},
		{"attributes of xml keep the prefix", root.Get("note").Get("@xml:lang"), record.Leaf, "zh", record.Present, "note.@xml:lang", 11, 3},
		{"references and CDATA are text", root.Get("note"), record.Group, "a<b 中<c>", record.Present, "note", 11, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.node.Kind() != tt.kind || tt.node.Text() != tt.text || tt.node.State() != tt.state {
				t.Errorf("kind %v text %q state %v, want %v %q %v", tt.node.Kind(), tt.node.Text(), tt.node.State(), tt.kind, tt.text, tt.state)
			}
			o := tt.node.Origin()
			if tt.kind == record.List {
				o.Line, o.Column = tt.line, tt.column // a list stands where its items do
			}
			if want := (record.Origin{Line: tt.line, Column: tt.column, Path: tt.path}); tt.node != nil && o != want {
				t.Errorf("origin %+v, want %+v", o, want)
			}
		})
	}
}

func TestNarrative(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a value", "<text>头痛3天</text>", "头痛3天"},
		{"a value keeps its lines", "<text>\n  一\r\n  二\n\n</text>", "一\n二"},
		{"paragraphs", "<text><paragraph>一</paragraph><paragraph>二</paragraph></text>", "一\n二"},
		{"text around a line break", "<text>一<br/>二<br/>三</text>", "一\n二\n三"},
		{"words in the line", "<text>体温 <content>38.5</content>℃，<b>发热</b></text>", "体温 38.5℃，发热"},
		{"kinds of element in their order", "<text><title>A</title><paragraph>B</paragraph><title>C</title>D<paragraph>E</paragraph></text>", "A\nB\nC\nD\nE"},
		{"list", "<text><list><caption>药</caption><item>甲</item><item>乙</item></list>完</text>", "药\n甲\n乙\n完"},
		{"table", `<text><table border="1"><thead><tr><th>项目</th><th>结果</th></tr></thead><tbody><tr><td>血糖</td><td>5.1</td></tr><tr><td/><td>6</td></tr></tbody></table></text>`,
			"项目\t结果\n血糖\t5.1\n\t6"},
		{"indentation is not text", "<text>\n  <paragraph>一\n     二</paragraph>\n  <list>\n    <item>\n      <content>三</content>\n      <content>四</content>\n    </item>\n  </list>\n</text>", "一\n二\n三 四"},
		{"a paragraph in a cell", "<text><table><tr><td>一</td><td><paragraph>二</paragraph><paragraph>三</paragraph></td></tr></table></text>", "一\t二\n三"},
		{"attributes are no text", `<text ID="t1" mediaType="text/plain"><content ID="c">甲</content></text>`, "甲"},
		{"nothing", "<text><br/><paragraph/></text>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := readXML(t, "<section>"+tt.in+"</section>")
			if diff := cmp.Diff(tt.want, rec.Root.Get("text").Narrative()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func wide(s string, order binary.AppendByteOrder, mark bool) []byte {
	var out []byte
	if mark {
		out = order.AppendUint16(out, 0xFEFF)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestXMLEncodings(t *testing.T) {
	doc := func(encoding string) string {
		prolog := ""
		if encoding != "" {
			prolog = `<?xml version="1.0" encoding="` + encoding + `"?>`
		}
		return prolog + `<r><name>玘珅朱镕基𠮷的检验报告</name></r>`
	}
	for _, tt := range []struct {
		name, setting string
		in            []byte
		charset       string
		issue         string
	}{
		{"UTF-8 as declared", "", []byte(doc("utf-8")), "UTF-8", ""},
		{"UTF-8 with a mark", "", []byte("\uFEFF" + doc("UTF-8")), "UTF-8", ""},
		{"GB2312 is GB18030", "", []byte(gb(doc("GB2312"))), "GB18030", ""},
		{"GBK is GB18030", "", []byte(gb(doc("gbk"))), "GB18030", ""},
		{"gb18030", "", []byte(gb(doc("gb18030"))), "GB18030", ""},
		{"UTF-8 declared, GB18030 sent", "", []byte(gb(doc("UTF-8"))), "GB18030", charset.DeclaredOtherwise},
		{"GB2312 declared, UTF-8 sent", "", []byte(doc("GB2312")), "UTF-8", charset.DeclaredOtherwise},
		{"the setting where nothing is declared", "GB18030", []byte(gb(doc(""))), "GB18030", ""},
		{"the declaration before the setting", "GB18030", []byte(doc("UTF-8")), "UTF-8", ""},
		{"an encoding that nobody knows", "", []byte(doc("x-mystery")), "UTF-8", charset.Unknown},
		{"UTF-16 with a mark", "", wide(doc("UTF-16"), binary.LittleEndian, true), "UTF-16LE", ""},
		{"UTF-16 without a mark", "", wide(doc("utf-16"), binary.BigEndian, false), "UTF-16BE", ""},
		{"UTF-16 declared, UTF-8 sent", "", []byte(doc("utf-16")), "UTF-8", charset.DeclaredOtherwise},
		{"white space before the prolog", "", []byte("\r\n " + doc("UTF-8")), "UTF-8", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, err := markup.ParseXML(tt.in, markup.Options{Charset: tt.setting})
			if err != nil {
				t.Fatal(err)
			}
			if got := rec.Root.Get("name").Text(); got != "玘珅朱镕基𠮷的检验报告" {
				t.Errorf("the text is %q", got)
			}
			if rec.Charset != tt.charset || !bytes.Equal(rec.Raw, tt.in) {
				t.Errorf("charset %q, want %q, with the bytes as they came", rec.Charset, tt.charset)
			}
			var ids []string
			for _, i := range rec.Issues {
				ids = append(ids, i.ID)
			}
			if strings.Join(ids, " ") != tt.issue {
				t.Errorf("issues %v, want %q", ids, tt.issue)
			}
		})
	}
}

const secret = "机密"

func TestXMLMistakes(t *testing.T) {
	small := markup.Limits{MaxBytes: 400, MaxDepth: 4, MaxNodes: 12}
	for _, tt := range []struct {
		name, in, code string
		line, column   int
	}{
		{"nothing", "", "truncated", 1, 1},
		{"only a prolog", `<?xml version="1.0"?>`, "truncated", 1, 22},
		{"text", secret, "outside-root", 1, 1},
		{"no end", "<a>\n<b>" + secret, "truncated", 2, 6},
		{"an end inside a tag", "<a>\n<b x='" + secret, "truncated", 2, 9},
		{"a DTD", "<!DOCTYPE a [<!ENTITY x '" + secret + "'>]><a>&x;</a>", "dtd", 1, 1},
		{"a DTD in small letters", "<?xml version='1.0'?>\n<!doctype a><a/>", "dtd", 2, 1},
		{"a DTD without an end", "<!DOCTYPE a [", "dtd", 1, 1},
		{"an entity of HTML", "<a>x&nbsp;" + secret + "</a>", "entity", 1, 11},
		{"an entity without an end", "<a>x&amp " + secret + "</a>", "entity", 1, 9},
		{"a reference to no character", "<a>&#0;</a>", "character", 1, 8},
		{"a control character", "<a>\x01" + secret + "</a>", "character", 1, 7},
		{"a zero byte", "<a>\x00" + secret + "</a>", "nul", 1, 4},
		{"a second prolog", "<a><?xml version='1.0'?></a>", "prolog", 1, 4},
		{"XML of another version", "<?xml version='1.1'?><a/>", "prolog", 1, 1},
		{"a prolog that is none", "<?xml encoding='" + secret + "'?><a/>", "prolog", 1, 1},
		{"two roots", "<a/>\n<" + secret + "/>", "outside-root", 2, 1},
		{"text behind the root", "<a/>" + secret, "outside-root", 1, 5},
		{"an end tag of another element", "<a><b></" + secret + "></a>", "xml", 1, 7},
		{"an end tag too many", "<a/></a>", "xml", 1, 5},
		{"an end tag of another namespace", "<a xmlns:x='u'><x:b></b></a>", "xml", 1, 21},
		{"attributes twice", "<a b='1' b='2'/>", "duplicate-attribute", 1, 1},
		{"attributes twice by namespace", "<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", "duplicate-attribute", 1, 1},
		{"a namespace declared twice", "<a xmlns='u' xmlns='v'/>", "duplicate-attribute", 1, 1},
		{"an undeclared prefix", "<a>\n <x:b/></a>", "namespace", 2, 2},
		{"an undeclared prefix of an attribute", "<a x:b=''/>", "namespace", 1, 1},
		{"a prefix out of scope", "<a><b xmlns:x='u'/><x:c/></a>", "namespace", 1, 20},
		{"a prefix declared as nothing", "<a xmlns:x=''/>", "namespace", 1, 1},
		{"the prefix xml for something else", "<a xmlns:xml='u'/>", "namespace", 1, 1},
		{"a name that begins with a colon", "<:a/>", "xml", 1, 1},
		{"a value without quotes", "<a b=" + secret + "/>", "xml", 1, 7},
		{"a < in a value", "<a b='<" + secret + "'/>", "xml", 1, 8},
		{"a < in the text", "<a>< " + secret + "</a>", "xml", 1, 5},
		{"too large", "<a>" + strings.Repeat(" ", 400) + "</a>", "too-large", 1, 1},
		{"too deep", "<a><a><a><a><a/></a></a></a></a>", "too-deep", 1, 13},
		{"too many elements", "<a>" + strings.Repeat("<b/>", 12) + "</a>", "too-many-values", 1, 48},
		{"too many attributes", "<a><b a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l=''/></a>", "too-many-values", 1, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := markup.ParseXML([]byte(tt.in), markup.Options{File: "d.xml", Limits: small})
			var e *record.SyntaxError
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a syntax error", err)
			}
			if e.Code != tt.code || e.Line != tt.line || e.Column != tt.column || e.File != "d.xml" {
				t.Errorf("got %s %q, want %d:%d %s", e, e.Code, tt.line, tt.column, tt.code)
			}
			if strings.Contains(e.Error(), secret) {
				t.Error("the bytes are quoted")
			}
		})
	}
}

func TestPlacesAreThoseOfTheFile(t *testing.T) {
	_, err := markup.ParseXML([]byte("<a>\r\r\n<b></a>"), markup.Options{Line: 10, Column: 5})
	var e *record.SyntaxError
	if !errors.As(err, &e) || e.Line != 12 || e.Column != 4 {
		t.Errorf("got %v, want line 12, column 4: CR and CR LF end lines", err)
	}
}

func soap(space, header, body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="` + space + `" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Header>` +
		header + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

func TestEnvelopes(t *testing.T) {
	prescription := `<prescription no="1"><drug>阿司匹林</drug></prescription>`
	declared := `<?xml version="1.0" encoding="GB2312"?>` + prescription
	escaped := strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(declared)
	for _, tt := range []struct {
		name, in, raw string
		around        map[string]string // path below @envelope → text
	}{
		{"an element", soap(soap11, "<sender>HIS</sender>", prescription), prescription, map[string]string{"Header.sender": "HIS"}},
		{"an element, SOAP 1.2", soap(soap12, "<sender>HIS</sender>", "\n "+prescription+"\n"), prescription, map[string]string{"Header.sender": "HIS"}},
		{"CDATA", soap(soap11, "", `<m:send xmlns:m="urn:x"><m:action>A1</m:action><m:message><![CDATA[`+declared+`]]></m:message></m:send>`), declared,
			map[string]string{"Body.send.action": "A1", "Body.send.message": ""}},
		{"escaped", soap(soap12, "", "<send><message>"+escaped+"</message></send>"), declared, map[string]string{"Body.send.message": ""}},
		{"CDATA without a prolog", soap(soap11, "", "<send><message>\n <![CDATA[\n  "+prescription+"\n]]>\n</message></send>"), "\n  " + prescription + "\n", nil},
		{"CDATA in the body itself", soap(soap11, "", "<![CDATA["+declared+"]]>"), declared, nil},
		{"CDATA as the only element", soap(soap11, "", "<message><![CDATA["+declared+"]]></message>"), declared, nil},
		{"the longest of two documents", soap(soap11, "", "<send><head><![CDATA[<?xml version='1.0'?><h/>]]></head><message><![CDATA["+declared+"]]></message></send>"), declared,
			map[string]string{"Body.send.head": "<?xml version='1.0'?><h/>"}},
		{"an envelope in an envelope", soap(soap11, "<to>P</to>", "<m><![CDATA["+soap(soap12, "<to>Q</to>", prescription)+"]]></m>"), prescription,
			map[string]string{"Header.to": "Q", "@envelope.Header.to": "P"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := readXML(t, tt.in)
			if rec.Type != "prescription" || rec.Root.Get("drug").Text() != "阿司匹林" || rec.Root.Get("@no").Text() != "1" {
				t.Errorf("the record is %q", rec.Type)
			}
			if string(rec.Raw) != tt.raw || rec.Charset != "UTF-8" {
				t.Errorf("raw %q in %s, want %q", rec.Raw, rec.Charset, tt.raw)
			}
			for path, want := range tt.around {
				n := rec.Root.Get("@envelope")
				for step := range strings.SplitSeq(path, ".") {
					n = n.Get(step)
				}
				if n.State() == record.Absent || n.Text() != want {
					t.Errorf("%s is %q, want %q", path, n.Text(), want)
				}
			}
			if got := rec.Root.Get("drug").Origin().Path; got != "drug" {
				t.Errorf("origin %q", got)
			}
		})
	}
}

func TestADocumentThatIsNoEnvelopeKeepsItsTexts(t *testing.T) {
	rec := readXML(t, `<Envelope xmlns="urn:other"><Body><m>&lt;?xml version="1.0"?&gt;&lt;a/&gt;</m></Body></Envelope>`)
	if rec.Type != "Envelope" || rec.Root.Get("@envelope") != nil {
		t.Error("only SOAP's namespaces make an envelope")
	}
}

func TestADocumentThatNeedsTheEnvelopesPrefixesKeepsTheEnvelope(t *testing.T) {
	in := soap(soap11, "", `<r><v xsi:type="ST">x</v></r>`)
	if rec := readXML(t, in); rec.Type != "r" || string(rec.Raw) != in {
		t.Errorf("raw is %q", rec.Raw)
	}
}

func TestEnvelopesWithoutADocument(t *testing.T) {
	nested := "<r><a>1</a></r>"
	for range 3 {
		nested = soap(soap11, "", "<m>"+strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(nested)+"</m>")
	}
	for _, tt := range []struct {
		name, in, code string
		line           int
	}{
		{"a fault", soap(soap11, "", "<s:Fault><faultcode>s:Server</faultcode></s:Fault>"), "soap-fault", 1},
		{"an empty body", soap(soap12, "<a/>", ""), "envelope", 1},
		{"no body", `<Envelope xmlns="` + soap11 + `"/>`, "envelope", 1},
		{"a value", soap(soap11, "", "<m>&lt;5 mg</m>"), "envelope", 1},
		{"too many envelopes", nested, "envelope", 1},
		{"a document that is broken", soap(soap11, "", "<m><![CDATA[\n<?xml version='1.0'?>\n<a><b></a>]]></m>"), "xml", 3},
		{"a document with a DTD", soap(soap11, "", "<m><![CDATA[<?xml version='1.0'?>\n<!DOCTYPE a><a/>]]></m>"), "dtd", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := markup.ParseXML([]byte(tt.in), markup.Options{})
			var e *record.SyntaxError
			if !errors.As(err, &e) || e.Code != tt.code || e.Line != tt.line {
				t.Errorf("got %v, want %s on line %d", err, tt.code, tt.line)
			}
		})
	}
}

// soon is what the worst may take.
const soon = time.Second

// What means harm ends soon, whatever it is.
func TestHostileXML(t *testing.T) {
	attributes := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(" a" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i%11) + "=''")
		}
		return b.String()
	}
	prefixes := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(" xmlns:p" + strings.Repeat("q", i%5) + string(rune('a'+i%26)) + strconv.Itoa(i) + "='u'")
		}
		return b.String()
	}
	laughs := `<!DOCTYPE l [<!ENTITY a "ha">`
	for c := 'b'; c < 'm'; c++ {
		laughs += `<!ENTITY ` + string(c) + ` "` + strings.Repeat("&"+string(c-1)+";", 10) + `">`
	}
	for _, tt := range []struct{ name, in, code string }{
		{"a billion laughs", laughs + `]><l>&l;</l>`, "dtd"},
		{"an external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, "dtd"},
		{"an external entity without a DTD", `<a>&x;</a>`, "entity"},
		{"many equal attributes", "<a" + attributes(60_000) + "/>", "duplicate-attribute"},
		{"a tag without an end", "<a" + strings.Repeat(" b='1'", 1_000_000) + "/>", "too-large"},
		{"many prefixes, used often", "<r" + prefixes(20_000) + ">" + strings.Repeat("<pb1:x/>", 100_000) + "</r>", "namespace"},
		{"depth 100000", strings.Repeat("<a>", 100_000), "too-deep"},
		{"50 MB in one text", "<a>" + strings.Repeat("x", 50<<20) + "</a>", "too-large"},
		{"text cut in pieces", "<a>" + strings.Repeat("x<!---->", 200_000) + "</a>", ""},
		{"siblings of many names", "<a>" + strings.Repeat("<b/><c/><d/>", 50_000) + "</a>", ""},
		{"mixed text", "<a>" + strings.Repeat("x<b/>", 60_000) + "</a>", ""},
		{"many references", "<a>" + strings.Repeat("&lt;", 500_000) + "</a>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			took := time.Hour
			for range 3 { // others may hold the processor up once
				start := time.Now()
				_, err = markup.ParseXML([]byte(tt.in), markup.Options{})
				if took = min(took, time.Since(start)); took < soon {
					break
				}
			}
			if took > soon {
				t.Errorf("took %v", took)
			}
			var e *record.SyntaxError
			switch {
			case err == nil && tt.code != "", err != nil && !errors.As(err, &e), e != nil && e.Code != tt.code:
				t.Errorf("got %v, want %q", err, tt.code)
			}
		})
	}
}
