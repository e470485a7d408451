package codes

import "strings"

// OrdinalSystem is the alliance's own code system of ordinal results; OrdinalCodeSystem shows it.
const OrdinalSystem = "https://yilian.dev/fhir/CodeSystem/ordinal-result"

// ordinal is one step of a scale, with the interpretation that goes with it.
type ordinal struct {
	code, display, flag string
}

// The scales: agglutination and dipsticks, reactivity, detection.
var (
	negative       = ordinal{"negative", "阴性", "NEG"}
	indeterminate  = ordinal{"indeterminate", "可疑", "IND"}
	weakPositive   = ordinal{"weak-positive", "弱阳性", "POS"}
	positive       = ordinal{"positive", "阳性", "POS"}
	onePlus        = ordinal{"1+", "1+", "POS"}
	twoPlus        = ordinal{"2+", "2+", "POS"}
	threePlus      = ordinal{"3+", "3+", "POS"}
	fourPlus       = ordinal{"4+", "4+", "POS"}
	strongPositive = ordinal{"strong-positive", "强阳性", "POS"}
	nonReactive    = ordinal{"non-reactive", "无反应性", "NR"}
	reactive       = ordinal{"reactive", "有反应性", "RR"}
	notDetected    = ordinal{"not-detected", "未检出", "ND"}
	detected       = ordinal{"detected", "检出", "DET"}
)

var ordinals = [...]ordinal{negative, indeterminate, weakPositive, positive, onePlus, twoPlus, threePlus, fourPlus,
	strongPositive, nonReactive, reactive, notDetected, detected}

func (o ordinal) coding() Coding { return Coding{OrdinalSystem, o.code, o.display} }

// ordinalWords are the words and signs, folded to narrow small letters. Longer ones come first where one begins another.
var ordinalWords = []struct {
	word string
	ordinal
}{
	{"阴性", negative}, {"negative", negative}, {"neg.", negative}, {"neg", negative}, {"(-)", negative}, {"[-]", negative},
	{"弱阳性", weakPositive}, {"弱阳", weakPositive}, {"微弱阳性", weakPositive}, {"weakly positive", weakPositive}, {"weak positive", weakPositive},
	{"(±)", weakPositive}, {"±", weakPositive}, {"(+-)", weakPositive}, {"+-", weakPositive}, {"+/-", weakPositive}, {"(+/-)", weakPositive},
	{"微量", weakPositive}, {"trace", weakPositive}, {"痕量", weakPositive},
	{"强阳性", strongPositive}, {"strong positive", strongPositive}, {"strongly positive", strongPositive},
	{"阳性", positive}, {"positive", positive}, {"pos.", positive}, {"pos", positive},
	{"可疑阳性", indeterminate}, {"可疑", indeterminate}, {"临界", indeterminate}, {"灰区", indeterminate}, {"不确定", indeterminate},
	{"borderline", indeterminate}, {"equivocal", indeterminate}, {"indeterminate", indeterminate},
	{"++++", fourPlus}, {"+++", threePlus}, {"++", twoPlus}, {"+", onePlus},
	{"(++++)", fourPlus}, {"(+++)", threePlus}, {"(++)", twoPlus}, {"(+)", onePlus},
	{"4+", fourPlus}, {"3+", threePlus}, {"2+", twoPlus}, {"1+", onePlus}, {"+4", fourPlus}, {"+3", threePlus}, {"+2", twoPlus}, {"+1", onePlus},
	{"(4+)", fourPlus}, {"(3+)", threePlus}, {"(2+)", twoPlus}, {"(1+)", onePlus}, {"(+4)", fourPlus}, {"(+3)", threePlus}, {"(+2)", twoPlus}, {"(+1)", onePlus},
	{"无反应性", nonReactive}, {"非反应性", nonReactive}, {"无反应", nonReactive}, {"non-reactive", nonReactive}, {"nonreactive", nonReactive}, {"non reactive", nonReactive},
	{"有反应性", reactive}, {"反应性", reactive}, {"有反应", reactive}, {"reactive", reactive},
	{"未检出", notDetected}, {"未检测到", notDetected}, {"未查见", notDetected}, {"未查到", notDetected}, {"未见到", notDetected}, {"未发现", notDetected}, {"not detected", notDetected},
	{"检出", detected}, {"检测到", detected}, {"查见", detected}, {"查到", detected}, {"detected", detected},
	{"阴", negative}, {"阳", positive},
}

var ordinalByWord = func() map[string]ordinal {
	m := make(map[string]ordinal, len(ordinalWords))
	for _, w := range ordinalWords {
		m[w.word] = w.ordinal
	}
	return m
}()

// signs are the words that an ordinal may repeat as a sign: 阳性(++).
func sign(s string) (ordinal, bool) {
	s = strings.TrimSpace(s)
	if s == "-" {
		return negative, true
	}
	o, ok := ordinalByWord[s]
	if !ok || strings.Trim(s, "()[]+-±/1234") != "" {
		return ordinal{}, false
	}
	return o, true
}

// parseOrdinal reads a whole text as an ordinal: a word, a sign, or a word with its sign. A sign with a degree says more than
// 阳性 alone and wins; a sign that contradicts its word makes the text no ordinal.
func parseOrdinal(key string) (ordinal, bool) {
	if o, ok := ordinalByWord[key]; ok {
		return o, true
	}
	for _, w := range ordinalWords {
		rest, ok := strings.CutPrefix(key, w.word)
		if !ok {
			if rest, ok = strings.CutSuffix(key, w.word); !ok {
				continue
			}
		}
		s, ok := sign(rest)
		switch {
		case !ok:
			continue
		case s == w.ordinal, s == onePlus && w.ordinal == positive:
			return w.ordinal, true
		case w.ordinal == positive && (s.flag == "POS" && s != weakPositive):
			return s, true
		case w.ordinal == strongPositive && s.flag == "POS" && s != weakPositive:
			return s, true
		case w.ordinal == weakPositive && s == onePlus, w.ordinal == reactive && s == onePlus, w.ordinal == nonReactive && s == negative,
			w.ordinal == indeterminate && s == weakPositive, w.ordinal == notDetected && s == negative, w.ordinal == detected && s == onePlus:
			return w.ordinal, true
		}
		return ordinal{}, false
	}
	return ordinal{}, false
}

// OrdinalCodeSystem returns the code system of ordinal results as a FHIR R4 CodeSystem in JSON.
func OrdinalCodeSystem() ([]byte, error) {
	s := codeSystem{
		ResourceType: "CodeSystem", ID: "ordinal-result", URL: OrdinalSystem, Version: "1", Name: "OrdinalResult",
		Title: "Ordinal laboratory results", Status: "active", CaseSensitive: true, Content: "complete", Count: len(ordinals),
	}
	for _, o := range ordinals {
		s.Concept = append(s.Concept, concept{Code: o.code, Display: o.display})
	}
	return encode(s)
}
