package alliancegen_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yilian/yilian/internal/alliancegen"
)

func TestCommunityLedgerIsTheEndStateOfItsDocuments(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		if n := len(readCommunity(t, a)); n < 500 {
			t.Errorf("seed %d: the documents make only %d claims", seed, n)
		}
		for _, d := range communityDifferences(t, a) {
			t.Errorf("seed %d: %s", seed, d)
		}
	}
}

func TestCommunityReaderFindsPlantedFaults(t *testing.T) {
	ours := func(p *alliancegen.Person, institution string) bool { return institution == alliancegen.Community }
	for name, plant := range map[string]func(p *alliancegen.Person) bool{
		"phone": func(p *alliancegen.Person) bool {
			for _, q := range p.Patients {
				if ours(p, q.Institution) && q.Phone != "" {
					q.Phone = "12000000000"
					return true
				}
			}
			return false
		},
		"vital sign": func(p *alliancegen.Person) bool {
			for _, v := range p.Visits {
				if ours(p, v.Institution) && len(v.Vitals) > 0 {
					v.Vitals[0].Value.Number = "1"
					return true
				}
			}
			return false
		},
		"correction": func(p *alliancegen.Person) bool {
			for _, r := range p.Reports {
				if ours(p, r.Institution) && r.Status == "corrected" {
					r.Results[0].Value.Number = r.Results[0].Was
					return true
				}
			}
			return false
		},
		"size of a paper": func(p *alliancegen.Person) bool {
			for _, d := range p.Documents {
				if ours(p, d.Institution) {
					d.Size++
					return true
				}
			}
			return false
		},
		"section": func(p *alliancegen.Person) bool {
			for _, d := range p.Documents {
				if ours(p, d.Institution) && d.Kind == "discharge-summary" {
					d.Sections[1].Text += "。"
					return true
				}
			}
			return false
		},
		"dispensed": func(p *alliancegen.Person) bool {
			for _, x := range p.Prescriptions {
				if ours(p, x.Institution) && x.Status == "completed" {
					x.Status = "active"
					return true
				}
			}
			return false
		},
		"missing report": func(p *alliancegen.Person) bool {
			before := len(p.Reports)
			p.Reports = slices.DeleteFunc(p.Reports, func(r *alliancegen.Report) bool { return ours(p, r.Institution) && r.Kind == "ecg" })
			return len(p.Reports) < before
		},
	} {
		l, err := alliancegen.ReadLedger(generate(1).File("ledger.json"))
		if err != nil {
			t.Fatal(err)
		}
		a := &alliancegen.Alliance{Files: generate(1).Files, Ledger: l}
		planted := false
		for i := range a.Ledger.Persons {
			if planted = plant(&a.Ledger.Persons[i]); planted {
				break
			}
		}
		if n := len(communityDifferences(t, a)); !planted || n == 0 {
			t.Errorf("%s: planted is %v, %d differences", name, planted, n)
		}
	}
}

// communityTraps must lie in every seed.
var communityTraps = strings.Fields(`
	cda-outpatient-record cda-examination cda-ecg cda-in-soap cda-corrected cda-retransmitted cda-result-before-visit cda-open-visit
	cda-nullflavor cda-empty-id cda-no-identifier cda-health-card-alone cda-health-record-number cda-allergy cda-escapes cda-narrative-table
	cda-coded-ordinal cda-interval-value cda-titre cda-haemolysed result-code-1-is-abnormal hba1c-again
	xml-gb2312-prolog xml-gbk-prolog xml-lying-prolog xml-bom xml-four-byte-character
	vendor-prescription vendor-prescription-dispensed vendor-prescription-cancelled vendor-old-after-new vendor-discharge-summary home-bed-stay person-in-community`)

func TestCommunityTrapsAreThereForEverySeed(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		for _, name := range communityTraps {
			if len(a.Ledger.Trap(name)) == 0 {
				t.Errorf("seed %d: no %s", seed, name)
			}
		}
		for _, trap := range a.Ledger.Traps {
			if !slices.Contains(communityTraps, trap.Name) {
				continue
			}
			for _, where := range trap.Where {
				if !exists(a, where) {
					t.Errorf("seed %d: %s lies at %q, which is nowhere", seed, trap.Name, where)
				}
			}
		}
	}
}

// trapped returns the files in which a trap lies.
func trapped(a *alliancegen.Alliance, name string) (out [][]byte) {
	for _, where := range a.Ledger.Trap(name) {
		path, _, _ := strings.Cut(where, "#")
		if raw := a.File(path); raw != nil {
			out = append(out, raw)
		}
	}
	return out
}

func TestCommunityTrapsAreInTheBytes(t *testing.T) {
	declares := func(raw []byte, encoding string) bool {
		prolog, _, _ := bytes.Cut(raw, []byte("?>"))
		return bytes.Contains(prolog, []byte(`encoding="`+encoding+`"`))
	}
	has := func(what string) func([]byte) bool {
		return func(raw []byte) bool {
			text, err := xmlText(raw)
			return err == nil && strings.Contains(text, what)
		}
	}
	for name, is := range map[string]func([]byte) bool{
		"xml-gb2312-prolog": func(raw []byte) bool { return declares(raw, "GB2312") && !utf8.Valid(raw) },
		"xml-gbk-prolog":    func(raw []byte) bool { return declares(raw, "GBK") && !utf8.Valid(raw) },
		"xml-lying-prolog":  func(raw []byte) bool { return declares(raw, "UTF-8") && !utf8.Valid(raw) },
		"xml-bom":           func(raw []byte) bool { return bytes.HasPrefix(raw, []byte("\xef\xbb\xbf<?xml")) && utf8.Valid(raw) },
		"xml-four-byte-character": func(raw []byte) bool { // U+20BB7 in GB18030
			return declares(raw, "GB2312") && bytes.Contains(raw, []byte{0x95, 0x34, 0xb2, 0x35})
		},
		"cda-in-soap":                   has("<![CDATA[<?xml"),
		"cda-corrected":                 has(`<relatedDocument typeCode="RPLC">`),
		"cda-nullflavor":                has("nullFlavor=\"N"),
		"cda-empty-id":                  has(`extension=""`),
		"cda-escapes":                   has("&amp;"),
		"cda-narrative-table":           has("<td>"),
		"cda-coded-ordinal":             has(`codeSystem="2.999.990102304.2.4"`),
		"vendor-prescription":           has(`bizType="CF"`),
		"vendor-discharge-summary":      has("<诊疗经过><![CDATA["),
		"vendor-prescription-dispensed": has(`状态="2"`),
	} {
		for _, seed := range seeds {
			files := trapped(generate(seed), name)
			if len(files) == 0 {
				t.Errorf("seed %d: %s lies in no file", seed, name)
			}
			for _, raw := range files {
				if !is(raw) {
					t.Errorf("seed %d: a file with %s has it not", seed, name)
				}
			}
		}
	}
}

func TestCommunityDocumentsAreWellFormed(t *testing.T) {
	for _, seed := range seeds {
		kinds := map[string]int{}
		for _, f := range generate(seed).Deliveries() {
			if !strings.HasSuffix(f.Path, ".xml") {
				continue
			}
			text, err := xmlText(f.Bytes)
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, f.Path, err)
			}
			if strings.Contains(text, "\r") || strings.Contains(text, "\uFFFD") {
				t.Errorf("seed %d: %s has a carriage return or a replaced character", seed, f.Path)
			}
			top, err := parseXML(text)
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, f.Path, err)
			}
			if inner := top.at("Envelope", "Body", "submitDocument", "payload"); inner != nil {
				kinds["envelope"]++
				if top, err = parseXML(inner.text()); err != nil {
					t.Fatalf("seed %d: %s: in the envelope: %v", seed, f.Path, err)
				}
			}
			switch {
			case top.at("ClinicalDocument") != nil:
				if d := top.at("ClinicalDocument"); d.space != "urn:hl7-org:v3" || d.at("templateId").attr("root") == "" {
					t.Errorf("seed %d: %s is in namespace %q", seed, f.Path, d.space)
				}
				kinds[top.at("ClinicalDocument", "code").attr("code")]++
			default:
				kinds[top.at("交换数据", "报文头").attr("bizType")]++
			}
		}
		for _, kind := range []string{"C0002", "C0006", "C0007", "CF", "CYXJ", "envelope"} {
			if kinds[kind] < 2 {
				t.Errorf("seed %d: %d documents %s", seed, kinds[kind], kind)
			}
		}
	}
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	found, _, _ := strings.Cut(rest, to)
	return found
}

func TestCommunityRecordsNameTheirDocuments(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		first, newest := map[string]bool{}, map[string]string{}
		n := 0
		for _, r := range a.Ledger.Records {
			if r.Institution != alliancegen.Community {
				continue
			}
			n++
			raw := a.File(r.File)
			text, err := xmlText(raw)
			if err != nil {
				t.Fatal(err)
			}
			if r.Position != 1 || !strings.Contains(text, `"`+r.Key+`"`) || !strings.Contains(text, `"`+r.Kind+`"`) || !strings.Contains(text, `"`+r.Patient+`"`) {
				t.Errorf("seed %d: %s is not the document that the ledger names", seed, r.File)
			}
			want := alliancegen.Committed
			switch form := between(text, `处方号="`, `"`); {
			case first[string(raw)]:
				want = alliancegen.Duplicate
			case r.Kind == "CF" && between(text, `sendTime="`, `"`) < newest[form]:
				want = alliancegen.Superseded
			case r.Kind == "CF":
				newest[form] = between(text, `sendTime="`, `"`)
			}
			if r.Fate != want {
				t.Errorf("seed %d: %s is %s, want %s", seed, r.File, r.Fate, want)
			}
			first[string(raw)] = true
		}
		files := 0
		for _, f := range a.Deliveries() {
			if strings.HasSuffix(f.Path, ".xml") {
				files++
			}
		}
		if files != n {
			t.Errorf("seed %d: %d documents, %d records of them", seed, files, n)
		}
	}
}

func TestCommunityTotalsCountItsFacts(t *testing.T) {
	for _, seed := range seeds {
		l := generate(seed).Ledger
		want := map[string]int{}
		if got := l.Totals["alliance"]["Person"]; got != len(l.Persons) {
			t.Errorf("seed %d: %d persons counted, there are %d", seed, got, len(l.Persons))
		}
		for _, p := range l.Persons {
			for _, v := range p.Visits {
				if v.Institution == alliancegen.Community {
					want["Encounter"]++
					want["Observation"] += len(v.Vitals)
				}
			}
			for _, r := range p.Reports {
				if r.Institution == alliancegen.Community {
					want["DiagnosticReport"]++
					want["Observation"] += len(r.Results)
				}
			}
			for _, d := range p.Documents {
				if d.Institution == alliancegen.Community {
					want["DocumentReference"]++
				}
			}
			for _, x := range p.Prescriptions {
				if x.Institution == alliancegen.Community {
					want["MedicationRequest"]++
				}
			}
		}
		for kind, n := range want {
			if got := l.Totals[alliancegen.Community][kind]; got != n || n == 0 {
				t.Errorf("seed %d: %d %s counted, there are %d", seed, got, kind, n)
			}
		}
	}
}

func TestCommunityResidentsAreKnownElsewhereOrOnlyHere(t *testing.T) {
	for _, seed := range seeds {
		known, only := 0, 0
		l := generate(seed).Ledger
		for _, p := range l.Persons {
			here := slices.ContainsFunc(p.Patients, func(q *alliancegen.Patient) bool { return q.Institution == alliancegen.Community })
			elsewhere := slices.ContainsFunc(p.Patients, func(q *alliancegen.Patient) bool { return q.Institution != alliancegen.Community })
			switch {
			case here && elsewhere:
				known++
			case here:
				only++
			}
		}
		if known < 5 || only < 3 {
			t.Errorf("seed %d: %d residents are known elsewhere, %d only here", seed, known, only)
		}
		show := l.Persons[0]
		if !slices.ContainsFunc(show.Reports, func(r *alliancegen.Report) bool {
			return r.Institution == alliancegen.Community && r.Results[0].Item.Standard == "4548-4"
		}) {
			t.Errorf("seed %d: the showcase has no HbA1c here", seed)
		}
	}
}

// The bad documents are bad in the way that the ledger says.
func TestCommunityBadDocuments(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		reasons := map[string]int{}
		for _, r := range a.Ledger.Bad.Records {
			if r.Institution != alliancegen.Community {
				continue
			}
			reasons[r.Reason]++
			text, err := xmlText(a.File(r.File))
			if err != nil {
				t.Fatal(err)
			}
			top, broken := parseXML(text)
			is := false
			switch r.Reason {
			case alliancegen.Entities:
				is = strings.Contains(text, "<!DOCTYPE") && strings.Contains(text, "<!ENTITY") && (strings.Contains(text, ">&note;<") || strings.Contains(text, ">&e9;<"))
			case alliancegen.Truncated:
				is = broken != nil
			case alliancegen.Template:
				is = broken == nil && (top.at("ClinicalDocument", "code").attr("code") == "C0038" || top.at("交换数据", "报文头").attr("bizType") == "TJBG")
			case alliancegen.Identity:
				role := top.at("ClinicalDocument", "recordTarget", "patientRole")
				is = broken == nil && rooted(role.all("id"), ".1") == "" && rooted(role.at("patient").all("id"), "1.3") == "" && role.at("patient", "name").text() == ""
			}
			if !is {
				t.Errorf("seed %d: %s is not bad because of %s", seed, r.File, r.Reason)
			}
		}
		if fmt.Sprint(reasons) != "map[entities:2 identity:1 template:2 truncated:1]" {
			t.Errorf("seed %d: bad documents %v", seed, reasons)
		}
	}
}

func TestXMLReaderOfTheTestsRefusesBrokenDocuments(t *testing.T) {
	for _, doc := range []string{"<a><b></a>", "<a>&unknown;</a>", "<a", "<a x=1/>"} {
		if _, err := parseXML(doc); err == nil {
			t.Errorf("%q is taken", doc)
		}
	}
}
