package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/search/oracle"
)

// world indexes resources, one JSON object each.
func world(t testing.TB, e *search.Engine, resources ...string) *oracle.World {
	t.Helper()
	w := &oracle.World{}
	for _, text := range resources {
		res := read(t, text)
		values, issues := e.Values(res)
		if issues != nil {
			t.Fatal(issues)
		}
		w.Resources = append(w.Resources, oracle.Resource{Type: res.ResourceType(), ID: res.ID(), Source: res.Path("meta", "source").Text(), Values: values})
	}
	return w
}

// finds is a row of a table: a query, and the ids of what it finds.
type finds struct{ query, want string }

func check(t *testing.T, e *search.Engine, w *oracle.World, typ string, rows []finds) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.query, func(t *testing.T) {
			pairs, issues := search.Pairs(strings.ReplaceAll(row.query, "+", "%2B"))
			if issues != nil {
				t.Fatal(issues)
			}
			r, issues := e.Parse(typ, pairs, search.ParseOptions{})
			if r == nil {
				t.Fatal(issues)
			}
			where, err := search.Hierarchies(r.Query.Where, func(m search.ReferenceMatch) ([]string, error) { return tree(w, m), nil })
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(row.want)
			slices.Sort(want)
			if got := w.Find(typ, where); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("found %v, want %v\n%s", got, want, showQuery(where))
			}
		})
	}
}

// tree lists what is below or above a resource.
func tree(w *oracle.World, m search.ReferenceMatch) []string {
	ids := []string{m.ID}
	for i := 0; i < len(ids); i++ {
		for _, r := range w.Resources {
			for _, k := range r.Values.References {
				switch {
				case r.Type != m.Type || k.Param != m.Via:
				case m.Tree == search.TreeBelow && k.ID == ids[i] && !slices.Contains(ids, r.ID):
					ids = append(ids, r.ID)
				case m.Tree == search.TreeAbove && r.ID == ids[i] && !slices.Contains(ids, k.ID):
					ids = append(ids, k.ID)
				}
			}
		}
	}
	return ids
}

func TestComposite(t *testing.T) {
	const loinc = `"system":"http://loinc.org",`
	w := world(t, engine(),
		`{"resourceType":"Observation","id":"normal","code":{"coding":[{`+loinc+`"code":"bp"}]},"component":[
			{"code":{"coding":[{`+loinc+`"code":"sys"}]},"valueQuantity":{"value":120,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
			{"code":{"coding":[{`+loinc+`"code":"dia"}]},"valueQuantity":{"value":80,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}`,
		`{"resourceType":"Observation","id":"high","code":{"coding":[{`+loinc+`"code":"bp"}]},"component":[
			{"code":{"coding":[{`+loinc+`"code":"sys"}]},"valueQuantity":{"value":24.0,"system":"http://unitsofmeasure.org","code":"kPa"}},
			{"code":{"coding":[{`+loinc+`"code":"dia"}]},"valueQuantity":{"value":120}}]}`,
		`{"resourceType":"Observation","id":"glucose","code":{"coding":[{`+loinc+`"code":"glu"},{"code":"GLU"}]},
			"valueQuantity":{"value":5.4,"system":"http://unitsofmeasure.org","code":"mmol/L"}}`,
		`{"resourceType":"Observation","id":"less","code":{"coding":[{`+loinc+`"code":"glu"}]},"valueQuantity":{"value":0.5,"comparator":"<"}}`,
		`{"resourceType":"Observation","id":"group","code":{"coding":[{`+loinc+`"code":"abo"}]},"valueCodeableConcept":{"coding":[{"code":"A"}]}}`,
		`{"resourceType":"Observation","id":"text","code":{"coding":[{`+loinc+`"code":"txt"}]},"valueString":"阴性 (-)"}`,
		`{"resourceType":"Observation","id":"coded","code":{"coding":[{`+loinc+`"code":"txt"}]},"valueCodeableConcept":{"text":"阴性","coding":[{"display":"阴性"}]}}`,
		`{"resourceType":"Observation","id":"when","code":{"coding":[{`+loinc+`"code":"lmp"}]},"valueDateTime":"2024-02"}`,
		`{"resourceType":"Observation","id":"bare","code":{"text":"?"}}`)
	check(t, engine(), w, "Observation", []finds{
		{"component-code-value-quantity=http://loinc.org|sys$120", "normal"},
		{"component-code-value-quantity=dia$120", "high"},
		{"component-code-value-quantity=sys$gt150|http://unitsofmeasure.org|mm[Hg]", "high"},
		{"component-code-value-quantity=sys$lt150|http://unitsofmeasure.org|mm[Hg]", "normal"},
		{"component-code-value-quantity=sys$80", ""},
		{"combo-code-value-quantity=glu$5.4", "glucose"},
		{"combo-code-value-quantity=GLU$5.4,dia$80", "glucose normal"},
		{"combo-code-value-quantity=bp$120", ""},
		{"combo-code-value-quantity:missing=true", "group text coded when bare"},
		{"combo-code-value-quantity:missing=false", "normal high glucose less"},
		{"code-value-quantity=glu$lt1", "less"},
		{"code-value-quantity=glu$gt1", "glucose"},
		{"code-value-quantity:missing=false", "glucose less"},
		{"component-code-value-quantity:missing=true", "glucose less group text coded when bare"},
		{"code-value-concept=abo$A", "group"},
		{"code-value-concept=abo$B", ""},
		{"code-value-string=txt$阴性", "text"},
		{"code-value-string:missing=false", "text"},
		{"value-string=阴性", "text coded"},
		{"code-value-date=lmp$2024-02", "when"},
		{"code-value-date=lmp$ge2024-03", ""},
	})
	docs := world(t, engine(),
		`{"resourceType":"DocumentReference","id":"a","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/x"}},{"code":"appends","target":{"reference":"DocumentReference/y"}}]}`,
		`{"resourceType":"DocumentReference","id":"b","relatesTo":[{"code":"appends","target":{"reference":"DocumentReference/x"}}]}`)
	check(t, engine(), docs, "DocumentReference", []finds{
		{"relationship=replaces$DocumentReference/x", "a"}, {"relationship=appends$DocumentReference/x", "b"}, {"relationship=replaces$DocumentReference/y", ""},
	})
	sequence := world(t, engine(), `{"resourceType":"MolecularSequence","id":"a","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"windowStart":10,"windowEnd":20},
		"variant":[{"start":5,"end":6},{"start":7,"end":9}]}`)
	check(t, engine(), sequence, "MolecularSequence", []finds{
		{"chromosome-variant-coordinate=1$5$6", "a"}, {"chromosome-variant-coordinate=1$5$9", ""}, {"chromosome-variant-coordinate=2$5$6", ""},
		{"chromosome-window-coordinate=1$ge10$le20", "a"}, {"chromosome-window-coordinate=1$gt10$le20", ""},
	})
}

func TestNames(t *testing.T) {
	w := world(t, engine(),
		`{"resourceType":"Patient","id":"san","name":[{"text":"张三"}]}`,
		`{"resourceType":"Patient","id":"parts","name":[{"family":"章","given":["三"]}]}`,
		`{"resourceType":"Patient","id":"shan","name":[{"text":"单田芳"}]}`,
		`{"resourceType":"Patient","id":"zeng","name":[{"text":"曾小明"}]}`,
		`{"resourceType":"Patient","id":"qiu","name":[{"family":"仇","given":["英"]}]}`,
		`{"resourceType":"Patient","id":"ouyang","name":[{"text":"欧阳修"}]}`,
		`{"resourceType":"Patient","id":"lv","name":[{"text":"吕布"}]}`,
		`{"resourceType":"Patient","id":"ji","name":[{"text":"𠮷野"}]}`,
		`{"resourceType":"Patient","id":"dots","name":[{"text":"买买提·艾力"}]}`,
		`{"resourceType":"Patient","id":"latin","name":[{"family":"Zhang","given":["San"]}]}`,
		`{"resourceType":"Patient","id":"smith","name":[{"family":"Smyth","given":["Phil"]}]}`,
		`{"resourceType":"Patient","id":"none"}`)
	check(t, engine(), w, "Patient", []finds{
		{"name-pinyin=zhangsan", "san parts latin"},
		{"name-pinyin=zhang san", "san parts latin"},
		{"name-pinyin=ZhangSan", "san parts latin"},
		{"name-pinyin=zs", "san parts latin"},
		{"name-pinyin=zhang", "san parts latin"},
		{"name-pinyin=shantianfang", "shan"},
		{"name-pinyin=dantianfang", ""},
		{"name-pinyin=zengxiao", "zeng"},
		{"name-pinyin=cengxiao", ""},
		{"name-pinyin=qiuying", "qiu"},
		{"name-pinyin=qy", "qiu"},
		{"name-pinyin=ouyangxiu", "ouyang"},
		{"name-pinyin=oyx", "ouyang"},
		{"name-pinyin=lvbu", "lv"}, {"name-pinyin=lyubu", "lv"}, {"name-pinyin=lübu", "lv"},
		{"name-pinyin=ji", "ji"},
		{"name-pinyin=maimaiti", "dots"},
		{"name-pinyin:exact=zs", "san parts latin"},
		{"name-pinyin:contains=fang", "shan"},
		{"name-pinyin:missing=true", "none"},
		{"name=zhang", "latin"},
		{"name:contains=三", "san parts"},
		{"phonetic=张三", "san parts latin"},
		{"phonetic=zangsan", "san parts latin"},
		{"phonetic=Smith", "smith"},
		{"phonetic=Fil", "smith"},
		{"phonetic=三", "san parts latin shan"},
		{"phonetic:missing=true", "none"},
	})
}

func TestText(t *testing.T) {
	w := world(t, engine(),
		`{"resourceType":"Observation","id":"a","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Bone <b>M</b>ass</p><p>糖尿病 &amp; more<!-- hidden --></p></div>"},
			"code":{"text":"骨密度","coding":[{"display":"Density","code":"CODE9"}]},"note":[{"text":"See *liver*"}],"valueString":"naïve"}`,
		`{"resourceType":"Observation","id":"b","code":{"text":"尿糖"},"contained":[{"resourceType":"Patient","id":"p","name":[{"text":"内"}]}],
			"extension":[{"url":"http://x","valueString":"deep inside"}]}`)
	check(t, engine(), w, "Observation", []finds{
		{"_text=bone", "a"}, {"_text=bone mass", "a"}, {"_text=BONE,nothing", "a"}, {"_text=bon", ""}, {"_text=糖尿", "a"}, {"_text=尿糖", ""}, {"_text=病", "a"},
		{"_text=more", "a"}, {"_text=hidden", ""}, {"_text=liver", ""}, {"_text=div", ""},
		{"_text=(bone OR liver) AND more", "a"}, {"_text=bone NOT more", ""}, {"_text=NOT bone", "b"},
		{"_content=liver", "a"}, {"_content=density 骨密度", "a"}, {"_content=naive", "a"}, {"_content=尿糖", "b"}, {"_content=糖", "a b"},
		{"_content=code9", ""}, {"_content=内", "b"}, {"_content=deep", "b"}, {"_content=generated", ""},
	})
	e := search.New(definitions.R4(), search.Options{NoContent: true})
	if values, _ := e.Values(read(t, `{"resourceType":"Observation","code":{"text":"x"}}`)); values.Texts != nil {
		t.Error(values.Texts)
	}
	if _, issues := e.Parse("Observation", []search.Pair{{Name: "_content", Value: "x"}}, search.ParseOptions{}); len(issues) != 1 ||
		issues[0].Text != "parameter '_content': '_content' cannot be searched: this server does not index all texts" {
		t.Error(issues)
	}
	e = search.New(definitions.R4(), search.Options{Limits: search.Limits{IndexTerms: 3}})
	values, issues := e.Values(read(t, `{"resourceType":"Observation","code":{"text":"a b c d"}}`))
	if len(issues) != 1 || issues[0].ID != "search-values-many" || len(values.Texts[0].Terms) != 3 {
		t.Error(values.Texts, issues)
	}
}

func TestTerms(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "b a b": "b a", "x-ray 5mg": "x ray 5mg", "糖尿病": "糖 尿 糖尿 病 尿病", "a糖b": "a 糖 b", "ガス": "ガ ス ガス", "한글 x": "한글 x", "é1": "é1",
		strings.Repeat("w", 100): strings.Repeat("w", 64), "𠮷野家": "𠮷 野 𠮷野 家 野家", "12.5": "12 5",
	} {
		if got := strings.Join(search.Terms(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNear(t *testing.T) {
	w := world(t, engine(),
		`{"resourceType":"Location","id":"a","position":{"latitude":31.2,"longitude":121.5}}`,
		`{"resourceType":"Location","id":"b","position":{"latitude":31.3,"longitude":121.5,"altitude":4}}`,
		`{"resourceType":"Location","id":"c"}`)
	check(t, engine(), w, "Location", []finds{
		{"near=31.2|121.5|1|m", "a"}, {"near=31.2|121.5|11.2", "a b"}, {"near=31.2|121.5|11.2|km", "a b"}, {"near=31.2|121.5|11100|m", "a"},
		{"near=31.2|121.5", "a"}, {"near:missing=true", "c"}, {"near=31.2|121.5|7|[mi_i]", "a b"},
	})
	if _, issues := engine().Values(read(t, `{"resourceType":"Location","position":{"latitude":91,"longitude":0}}`)); len(issues) != 1 || issues[0].ID != "search-value-unreadable" {
		t.Error(issues)
	}
}

func TestListsAndHierarchies(t *testing.T) {
	w := world(t, engine(),
		`{"resourceType":"Location","id":"campus"}`,
		`{"resourceType":"Location","id":"house","partOf":{"reference":"Location/campus"}}`,
		`{"resourceType":"Location","id":"ward","partOf":{"reference":"Location/house"}}`,
		`{"resourceType":"Location","id":"other"}`,
		`{"resourceType":"Encounter","id":"e1","location":[{"location":{"reference":"Location/ward"}}]}`,
		`{"resourceType":"Encounter","id":"e2","location":[{"location":{"reference":"Location/campus"}}]}`,
		`{"resourceType":"Encounter","id":"e3","location":[{"location":{"reference":"Location/other"}}]}`,
		`{"resourceType":"List","id":"l","entry":[{"item":{"reference":"Encounter/e1"}},{"item":{"reference":"Encounter/e3"}}]}`,
		`{"resourceType":"ActivityDefinition","id":"v1","library":["http://x/l|1.2.3"]}`,
		`{"resourceType":"ActivityDefinition","id":"v2","library":["http://x/l|1.20"]}`,
		`{"resourceType":"ActivityDefinition","id":"v3","library":["http://x/l|1"]}`,
		`{"resourceType":"ActivityDefinition","id":"v0","library":["http://x/l"]}`)
	check(t, engine(), w, "Encounter", []finds{
		{"location:below=Location/campus", "e1 e2"}, {"location:below=Location/house", "e1"}, {"location:above=Location/ward", "e1 e2"},
		{"location:above=Location/house", "e2"}, {"location=Location/campus", "e2"}, {"location.partof:below=Location/campus", "e1"},
		{"_list=l", "e1 e3"}, {"_list=nothing", ""}, {"_list=l&location=Location/other", "e3"},
	})
	check(t, engine(), w, "Location", []finds{{"partof:below=campus", "house ward"}, {"partof:above=ward", "house ward"}})
	check(t, engine(), w, "ActivityDefinition", []finds{
		{"depends-on=http://x/l", "v0 v1 v2 v3"}, {"depends-on=http://x/l|1", "v3"}, {"depends-on=http://x/l|1.2.3", "v1"},
		{"depends-on:below=http://x/l|1", "v1 v2 v3"}, {"depends-on:below=http://x/l|1.2", "v1"}, {"depends-on:above=http://x/l|1.2.3", "v1 v3"},
	})
}

// TestDates is the table of prefixes of https://hl7.org/fhir/R4/search.html#date, over
// values of every precision, open Periods, Timings and zones. The bare dates are at +08:00.
func TestDates(t *testing.T) {
	period := func(id, start, end string) string {
		var parts []string
		if start != "" {
			parts = append(parts, `"start":"`+start+`"`)
		}
		if end != "" {
			parts = append(parts, `"end":"`+end+`"`)
		}
		return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"effectivePeriod":{%s}}`, id, strings.Join(parts, ","))
	}
	point := func(id, when string) string {
		return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"effectiveDateTime":%q}`, id, when)
	}
	w := world(t, engine(),
		point("year", "2024"), point("month", "2024-02"), point("day", "2024-02-29"), point("before", "2024-02-28"), point("next", "2024-03-01"),
		point("noon", "2024-02-29T12:00:00+08:00"), point("zulu", "2024-02-28T16:00:00Z"), point("edge", "2024-02-29T16:00:00Z"), point("west", "2024-02-29T23:00:00-08:00"),
		period("within", "2024-02-29T08:00:00+08:00", "2024-02-29T09:00:00+08:00"), period("across", "2024-02-28", "2024-03-01"),
		period("since", "2024-02-29T12:00:00+08:00", ""), period("until", "", "2024-02-29T12:00:00+08:00"), period("later", "2024-03-05", ""), period("ago", "", "2024-01-01"),
		`{"resourceType":"Observation","id":"timing","effectiveTiming":{"event":["2024-02-29T06:00:00+08:00","2024-02-29T18:00:00+08:00"]}}`,
		`{"resourceType":"Observation","id":"bounds","effectiveTiming":{"repeat":{"boundsPeriod":{"start":"2024-02-20","end":"2024-02-25"}}}}`,
		`{"resourceType":"Observation","id":"none"}`)
	check(t, engine(), w, "Observation", []finds{
		{"date=2024-02-29", "day noon zulu within timing"},
		{"date=eq2024-02-29", "day noon zulu within timing"},
		{"date=ne2024-02-29", "year month before next edge west across since until later ago bounds"},
		{"date=gt2024-02-29", "year next edge west across since later"},
		{"date=lt2024-02-29", "year month before across until ago bounds"},
		{"date=ge2024-02-29", "year next edge west across since later day noon zulu within timing"},
		{"date=le2024-02-29", "year month before across until ago bounds day noon zulu within timing"},
		{"date=sa2024-02-29", "next edge west later"},
		{"date=eb2024-02-29", "before ago bounds"},
		{"date=2024-02", "month day before noon zulu within timing bounds"},
		{"date=gt2024-02", "year next west edge across since later"},
		{"date=2024", "year month day before next noon zulu edge west within across timing bounds"},
		{"date=lt2024", "until ago"},
		{"date=gt2024", "since later"},
		{"date=2024-02-29T12:00:00+08:00", "noon"},
		{"date=2024-02-29T04:00:00Z", "noon"},
		{"date=2024-02-29T12:00", "noon"},
		{"date=ge2024-02-29T12:00:00+08:00&date=le2024-02-29T12:00:00+08:00", "noon year month day across timing"},
		{"date=sa2024-02-29T11:59:59+08:00", "noon edge west next since later"},
		{"date=eb2024-02-29T00:00:01+08:00", "before zulu ago bounds"},
		{"date=2024-02-29,2024-03-01", "day noon zulu within timing next edge west"},
		{"date=ge2024-02-29&date=lt2024-03-01", "day noon zulu within timing year across since"},
		{"date:missing=true", "none"},
		// Now is 2024-06-15T12:00+08:00: a tenth of the distance to that day is 10 days and a half.
		{"date=ap2024-02-29", "year month day before next noon zulu edge west within across since until later timing bounds"},
	})
	// Without the zone of the server, days are those of the zone given.
	utc := search.New(definitions.R4(), search.Options{Zone: time.UTC})
	check(t, utc, world(t, utc, point("zulu", "2024-02-28T16:00:00Z"), point("day", "2024-02-29")), "Observation", []finds{
		{"date=2024-02-28", "zulu"}, {"date=2024-02-29", "day"}, {"date=ge2024-02-29T00:00:00+08:00", "zulu day"},
	})
}

func TestNumbersAndQuantities(t *testing.T) {
	quantity := func(id, q string) string {
		return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"valueQuantity":{%s}}`, id, q)
	}
	const ucum = `"system":"http://unitsofmeasure.org",`
	w := world(t, engine(),
		quantity("g", `"value":5.40,`+ucum+`"code":"g/L","unit":"克/升"`), quantity("mg", `"value":5400,`+ucum+`"code":"mg/L"`),
		quantity("bare", `"value":5.4`), quantity("below", `"value":0.5,"comparator":"<"`), quantity("most", `"value":0.5,"comparator":"<="`),
		quantity("above", `"value":100,"comparator":">"`), quantity("least", `"value":100,"comparator":">="`), quantity("other", `"value":5.4,"system":"urn:u","code":"g/L"`))
	check(t, engine(), w, "Observation", []finds{
		{"value-quantity=5.4", "g bare other"},
		{"value-quantity=5.40", "g bare other"},
		{"value-quantity=5.41", ""},
		{"value-quantity=5.4|http://unitsofmeasure.org|g/L", "g mg"},
		{"value-quantity=540|http://unitsofmeasure.org|mg/dL", "g mg"},
		{"value-quantity=5.4||g/L", "g other"},
		{"value-quantity=5.4||克/升", "g"},
		{"value-quantity=5.4|urn:u|g/L", "other"},
		{"value-quantity=lt0.5", "below most"},
		{"value-quantity=lt0.4", "below most"},
		{"value-quantity=gt0.5", "g mg bare above least other"},
		{"value-quantity=ge0.5", "g mg bare above least other most"},
		{"value-quantity=le0.5", "below most"},
		{"value-quantity=lt100", "g bare below most other"},
		{"value-quantity=le100", "g bare below most other least"},
		{"value-quantity=gt100", "mg above least"},
		{"value-quantity=gt1000", "mg above least"},
		{"value-quantity=lt5", "below most"},
		{"value-quantity=0.5", ""},
		{"value-quantity=ge5.4", "g mg bare above least other"},
		{"value-quantity=le5.4", "g bare below most other"},
		{"value-quantity=ap5", "g bare other"},
		{"value-quantity=sa5", "g mg bare above least other"},
		{"value-quantity=eb6", "g bare below most other"},
	})
	risk := func(id, v string) string {
		return fmt.Sprintf(`{"resourceType":"RiskAssessment","id":%q,"prediction":[{%s}]}`, id, v)
	}
	w = world(t, engine(), risk("hundred", `"probabilityDecimal":100`), risk("exact", `"probabilityDecimal":100.00`), risk("near", `"probabilityDecimal":100.4`),
		risk("range", `"probabilityRange":{"low":{"value":90},"high":{"value":95}}`), risk("minus", `"probabilityDecimal":-5`))
	check(t, engine(), w, "RiskAssessment", []finds{
		{"probability=100", "hundred exact near"}, {"probability=100.00", "hundred exact"}, {"probability=1e2", "hundred exact near range"},
		{"probability=ne100", "range minus"}, {"probability=gt100", "near"}, {"probability=ge100", "hundred exact near"},
		{"probability=lt100", "range minus"}, {"probability=-5", "minus"}, {"probability=ap95", "hundred exact near range"},
	})
}

func TestTerminology(t *testing.T) {
	resources := []string{
		`{"resourceType":"CodeSystem","url":"http://x.example/cs","status":"active","content":"complete","hierarchyMeaning":"is-a","concept":[
			{"code":"a","concept":[{"code":"a1","concept":[{"code":"a11"}]},{"code":"a2"}]},{"code":"b"}]}`,
		`{"resourceType":"ValueSet","url":"http://x.example/vs","status":"active","compose":{"include":[{"system":"http://x.example/cs","concept":[{"code":"a1"},{"code":"b"}]}]}}`,
		`{"resourceType":"ValueSet","url":"http://x.example/all","status":"active","compose":{"include":[{"system":"http://x.example/cs"}]}}`,
		`{"resourceType":"ValueSet","url":"http://x.example/unknown","status":"active","compose":{"include":[{"system":"http://x.example/other"}]}}`,
	}
	var nodes []*fhir.Node
	for _, r := range resources {
		nodes = append(nodes, read(t, r))
	}
	catalog := terminology.New(definitions.R4(), terminology.Options{Resources: nodes})
	e := search.New(definitions.R4(), search.Options{Terminology: search.Catalog(catalog), Limits: search.Limits{Codes: 4}})
	coded := func(id, code string) string {
		return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","code":{"coding":[{"system":"http://x.example/cs","code":%q}]}}`, id, code)
	}
	w := world(t, e, coded("a", "a"), coded("a1", "a1"), coded("a11", "a11"), coded("b", "b"),
		`{"resourceType":"Observation","id":"other","status":"preliminary","code":{"coding":[{"system":"http://x.example/other","code":"b"}]}}`,
		`{"resourceType":"Observation","id":"none","status":"amended"}`)
	check(t, e, w, "Observation", []finds{
		{"code:in=http://x.example/vs", "a1 b"},
		{"code:not-in=http://x.example/vs", "a a11 other none"},
		{"code:below=http://x.example/cs|a", "a a1 a11"},
		{"code:below=http://x.example/cs|a1", "a1 a11"},
		{"code:above=http://x.example/cs|a11", "a a1 a11"},
		{"code:below=http://x.example/cs|b,http://x.example/cs|a11", "b a11"},
		{"_filter=code in http://x.example/vs", "a1 b"},
		{"_filter=code ni http://x.example/vs", "a a11 other none"},
		{"_filter=code ss http://x.example/cs|a1", "a1 a11"},
		{"_filter=code sb http://x.example/cs|a1", "a a1"},
	})
	for _, row := range []struct{ query, id, text string }{
		{"code:in=http://x.example/all", "search-codes-many", "parameter 'code:in': the value set has more than 4 codes"},
		{"status:below=final", "", ""},
		{"code:in=http://x.example/nothing", "search-codes-unknown", ""},
		{"code:in=http://x.example/unknown", "search-codes-unknown", ""},
		{"code:in=final", "search-value-invalid", "parameter 'code:in': expected the canonical URL of a value set"},
		{"code:below=a", "search-value-invalid", "parameter 'code:below': expected system|code: what lies above or below a code depends on its system"},
		{"code:below=http://x.example/cs|zzz", "search-codes-unknown", "parameter 'code:below': the hierarchy cannot be listed: the code system has no such code"},
		{"code:below=http://x.example/nothing|a", "search-codes-unknown", ""},
		{"code:below=a|b|c", "search-value-invalid", "parameter 'code:below': expected system|code"},
	} {
		pairs, _ := search.Pairs(row.query)
		r, issues := e.Parse("Observation", pairs, search.ParseOptions{})
		switch {
		case row.id == "" && r == nil, row.id != "" && (len(issues) != 1 || issues[0].ID != row.id || row.text != "" && issues[0].Text != row.text):
			t.Errorf("%s: %v", row.query, issues)
		}
	}
	e.SetTerminology(nil)
	if _, issues := e.Parse("Observation", []search.Pair{{Name: "code:in", Value: "http://x.example/vs"}}, search.ParseOptions{}); len(issues) != 1 || issues[0].ID != "search-modifier-unsupported" {
		t.Error(issues)
	}
	// Codes of the elements of type code have the system of their binding.
	e.SetTerminology(search.Catalog(terminology.New(definitions.R4(), terminology.Options{})))
	check(t, search.New(definitions.R4(), search.Options{Terminology: search.Catalog(catalog)}), w, "Observation", []finds{
		{"status:in=http://hl7.org/fhir/ValueSet/observation-status", "a a1 a11 b other none"},
	})
}

func TestFilter(t *testing.T) {
	w := world(t, engine(),
		`{"resourceType":"Patient","id":"peter","name":[{"family":"Pan","given":["Peter"]}],"birthDate":"2014-10-10","gender":"male","active":true,
			"generalPractitioner":[{"reference":"Practitioner/7"}],"identifier":[{"system":"urn:a","value":"1"}]}`,
		`{"resourceType":"Patient","id":"pet","name":[{"family":"Carpeter"}],"birthDate":"2014-10","gender":"female"}`,
		`{"resourceType":"Patient","id":"old","name":[{"family":"彼得"}],"birthDate":"1950","gender":"male","managingOrganization":{"reference":"Organization/o"}}`,
		`{"resourceType":"Patient","id":"blank"}`,
		`{"resourceType":"Organization","id":"o","name":"市医院","alias":["H (1)"]}`,
		`{"resourceType":"Practitioner","id":"7","name":[{"family":"Not"}]}`,
		`{"resourceType":"Observation","id":"x","code":{"coding":[{"system":"http://loinc.org","code":"1234-5"}]},"subject":{"reference":"Patient/peter"},"valueQuantity":{"value":5.4},
			"effectivePeriod":{"start":"2024-02-01","end":"2024-03-01"},"status":"final"}`,
		`{"resourceType":"Observation","id":"y","code":{"coding":[{"system":"http://loinc.org","code":"9"}]},"subject":{"reference":"Patient/old"},"status":"amended","valueString":"n"}`)
	check(t, engine(), w, "Patient", []finds{
		{`_filter=name co "pet"`, "peter pet"},
		{`_filter=name sw pet`, "peter"},
		{`_filter=name ew "ETER"`, "peter pet"},
		{`_filter=family eq pan`, "peter"},
		{`_filter=family eq pa`, ""},
		{`_filter=family ne pan`, "pet old"},
		{`_filter=family co 得`, "old"},
		{`_filter=given eq "peter" and birthdate ge 2014-10-10`, "peter"},
		{`_filter=birthdate eq 2014-10`, "peter pet"},
		{`_filter=birthdate lt 2000`, "old"},
		{`_filter=birthdate ne 2014-10-10`, "pet old"},
		{`_filter=birthdate po 2014-10-10`, "peter pet"},
		{`_filter=birthdate sa 2000 or birthdate eb 1951`, "peter pet old"},
		{`_filter=gender eq male`, "peter old"},
		{`_filter=gender ne male`, "pet"},
		{`_filter=not (gender eq male)`, "pet blank"},
		{`_filter=not(gender eq male or gender eq female)`, "blank"},
		{`_filter=gender pr true`, "peter pet old"},
		{`_filter=gender pr false`, "blank"},
		{`_filter=_id pr true`, "peter pet old blank"},
		{`_filter=_id pr false`, ""},
		{`_filter=_id eq pet`, "pet"},
		{`_filter=_id ne pet`, "peter old blank"},
		{`_filter=identifier eq urn:a|1`, "peter"},
		{`_filter=identifier eq "urn:a|1"`, "peter"},
		{`_filter=general-practitioner re Practitioner/7`, "peter"},
		{`_filter=general-practitioner eq Practitioner/8`, ""},
		{`_filter=organization ne Organization/7`, "old"},
		{`_filter=organization ne Organization/o`, ""},
		{`_filter=identifier ne urn:a|1`, ""},
		{`_filter=identifier ne urn:a|2`, "peter"},
		{`_filter=identifier ne urn:b|1`, "peter"},
		{`_filter=given ne peter`, ""},
		{`_filter=not (given ne peter)`, "peter pet old blank"},
		{`_filter=general-practitioner.name eq not`, "peter"},
		{`_filter=organization.name eq 市医院`, "old"},
		{`_filter=organization[name co "(1)"].name sw 市`, "old"},
		{`_filter=organization[name co "(2)"].name sw 市`, ""},
		// No operator binds closer: (old or peter) and active
		{`_filter=_id eq old or _id eq peter and active eq true`, "peter"},
		{`_filter=_id eq old or (_id eq peter and active eq true)`, "old peter"},
		{`_filter=active eq true and _id eq peter or _id eq old`, "old peter"},
		{`_filter=((gender eq male) and (not (active pr true)))`, "old"},
		{`_filter=_has:Observation:patient:code eq 1234-5`, "peter"},
		{`_filter=_has:Observation:patient:code eq 1234-5 or gender eq female`, "peter pet"},
		{`_filter=phonetic eq "Pann"`, "peter"},
		{"_filter=gender eq male&name=pan", "peter"},
		{"_filter=gender eq male&_filter=family eq 彼得", "old"},
	})
	check(t, engine(), w, "Observation", []finds{
		{`_filter=code eq http://loinc.org|1234-5`, "x"},
		{`_filter=subject.name co "pet"`, "x"},
		{`_filter=subject:Patient.name co "pet"`, "x"},
		{`_filter=subject[gender eq male].birthdate lt 2000`, "y"},
		{`_filter=subject[gender eq male and (active eq true)].birthdate gt 2000`, "x"},
		{`_filter=patient.organization.name eq 市医院`, "y"},
		{`_filter=value-quantity gt 5 and value-quantity le 5.4`, "x"},
		{`_filter=value-quantity ap 5`, "x"},
		{`_filter=value-quantity pr false`, "y"},
		{`_filter=date po 2024-02-15`, "x"},
		{`_filter=date po 2025`, ""},
		{`_filter=code-value-quantity eq 1234-5$5.4`, "x"},
		{`_filter=code-value-quantity pr true`, "x"},
		{`_filter=patient eq peter`, "x"},
		{`_filter=status eq final or status eq amended`, "x y"},
	})
	for _, row := range []struct{ filter, want string }{
		{"x eq 1", "Patient has no search parameter 'x' at character 1"},
		{"name xx 1", "'xx' is not an operation on a string parameter at character 6"},
		{"name ne x", "a resource may have several values of name, of which ne cannot tell what stands together; not (name eq …) finds where none is equal"},
		{"general-practitioner ne Practitioner/8", "a resource may have several values of general-practitioner, of which ne cannot tell what stands together; not (general-practitioner eq …) finds where none is equal"},
		{"language ne zh", "a resource may have several values of language, of which ne cannot tell what stands together; not (language eq …) finds where none is equal"},
		{"phonetic ne Pan", ""},
		{"_profile ne urn:x", ""},
		{"name gt 1", "'gt' is not an operation on a string parameter at character 6"},
		{"gender co m", "'co' is not an operation on a token parameter at character 8"},
		{"name eq", "expected an operation, white space and a value at character 8"},
		{"name eq )", "expected a value at character 9"},
		{`name eq "x`, "a string is malformed, begun at character 9"},
		{"(name eq x", "a parenthesis is not closed, opened at character 1"},
		{"名 eq x", "expected a search parameter, 'not' or '(' at character 1"},
		{"name eq 名 name eq x", "expected 'and', 'or' or the end at character 11"},
		{"name eq x)", "expected 'and', 'or' or the end at character 10"},
		{"name eq x and", "expected a search parameter, 'not' or '(' at character 14"},
		{"organization[name eq x.name eq y", "a bracket is not closed, opened at character 13"},
		{"organization[name eq x] eq y", "expected '.' and a search parameter at character 24"},
		{"name.given eq x", "'name' is not a reference, so nothing can be chained to it"},
		{"name:exact eq x", "modifiers are not part of a filter at character 1"},
		{"birthdate eq x", "expected a date such as 2024, 2024-02, 2024-02-29 or 2024-02-29T10:00:00+08:00, with or without one of the prefixes eq ne gt lt ge le sa eb ap"},
		{"birthdate eq gt2024", ""},
		{"birthdate po never", ""},
		{"name pr maybe", "pr expects true or false"},
		{"_has:Observation eq x", "expected _has:Type:reference:parameter at character 1"},
		{"organization.foo eq x", "nothing that 'organization' refers to has a search parameter 'foo' at character 14"},
		{"_text eq (", ""},
		{"general-practitioner.target eq x", "nothing that 'general-practitioner' refers to has a search parameter 'target' at character 22"},
		{"code in http://x", "Patient has no search parameter 'code' at character 1"},
		{strings.Repeat("(", 30) + "name eq x" + strings.Repeat(")", 30), "it nests deeper than 20"},
		{"name eq x" + strings.Repeat(" or name eq x", 100), "more than 100 conditions"},
		{"link.link.link.link.name eq x", "it follows more than 3 references"},
	} {
		r, issues := engine().Parse("Patient", []search.Pair{{Name: "_filter", Value: row.filter}}, search.ParseOptions{})
		if r != nil || len(issues) != 1 || row.want != "" && issues[0].Text != "parameter '_filter': "+row.want {
			t.Errorf("%s\ngot  %v\nwant %s", row.filter, issues, row.want)
		}
	}
}

// ne finds what has an item with another value, https://hl7.org/fhir/R4/search_filter.html.
func TestFilterNotEqualLooksAtEachItem(t *testing.T) {
	w := world(t, engine(),
		`{"resourceType":"Patient","id":"two","name":[{"family":"Pan","given":["Ann","Bo"]},{"family":"Li"}],"gender":"other","birthDate":"1990",
			"identifier":[{"system":"urn:a","value":"1"},{"system":"urn:b","value":"1"}],"telecom":[{"system":"phone","value":"120"},{"system":"email","value":"a@b"}],
			"meta":{"tag":[{"system":"urn:t","code":"x"},{"system":"urn:t","code":"y"}]}}`,
		`{"resourceType":"Patient","id":"one","name":[{"family":"PAN","given":["ann"]}],"gender":"male","identifier":[{"system":"urn:a","value":"1"}],
			"telecom":[{"system":"phone","value":"120"}],"meta":{"tag":[{"system":"urn:t","code":"x"}]},"managingOrganization":{"reference":"Organization/a"}}`,
		`{"resourceType":"Patient","id":"none"}`,
		`{"resourceType":"Observation","id":"both","status":"final","code":{"coding":[{"system":"urn:c","code":"1"},{"system":"urn:d","code":"2"}]}}`,
		`{"resourceType":"Observation","id":"other","status":"amended","code":{"coding":[{"system":"urn:c","code":"9"}]},"valueCodeableConcept":{"text":"v"}}`)
	check(t, engine(), w, "Patient", []finds{
		{"_filter=family ne pan", "two"},
		{"_filter=family ne li", "two one"},
		{"_filter=given ne Ann", "two"},
		{"_filter=given ne Cy", "two one"},
		{"_filter=not (family ne pan)", "one none"},
		{"_filter=family pr true and not (family eq pan)", ""},
		{"_filter=identifier ne urn:a|1", "two"},
		{"_filter=identifier ne 1", ""},
		{"_filter=identifier ne urn:c|1", "two one"},
		{"_filter=telecom ne 120", "two"},
		{"_filter=_tag ne urn:t|x", "two"},
		{"_filter=_tag ne urn:t|z", "two one"},
		{"_filter=gender ne male", "two"},
		{"_filter=organization ne Organization/a", ""},
		{"_filter=organization ne Organization/b", "one"},
		{"_filter=family ne pan or gender eq male", "two one"},
	})
	check(t, engine(), w, "Observation", []finds{
		{"_filter=code ne urn:c|1", "other"}, // an item has several codes, and equals each
		{"_filter=code ne urn:d|2", "other"},
		{"_filter=code ne urn:c|8", "both other"},
		{"_filter=status ne final", "other"},
	})
}

func TestReverseIncludeOfEverything(t *testing.T) {
	r, issues := engine().Parse("Patient", []search.Pair{{Name: "_revinclude", Value: "*"}}, search.ParseOptions{})
	if issues != nil || len(r.RevInclude) < 100 || !slices.Contains(r.RevInclude, search.Include{Source: "Observation", Param: "patient"}) {
		t.Error(len(r.RevInclude), issues)
	}
	var names []string
	for _, i := range r.RevInclude {
		names = append(names, i.Source+":"+i.Param)
	}
	if diff := cmp.Diff(engine().Capability("Patient").RevInclude, names); diff != "" {
		t.Error(diff)
	}
}
