package bench_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What a patient brings into the store. Together they are perPatient resources.
const (
	encounters   = 2
	requests     = 2
	observations = 15
	perPatient   = 1 + encounters + requests + observations
)

const (
	residentID = "urn:oid:2.16.156.10011.1.3"
	loinc      = "http://loinc.org"
	codes      = 40 // different codes of observations
)

var (
	surnames = []string{"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马", "罗", "欧阳", "司马"}
	givens   = []string{"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀兰", "建国", "文博", "雨桐", "子轩"}
	// The surnames as people type them, and the first letters of the given names.
	typedSurnames = []string{"wang", "li", "zhang", "liu", "chen", "yang", "zhao", "huang", "zhou", "wu", "xu", "sun", "hu", "zhu", "gao", "lin", "he", "guo", "ma", "luo", "ouyang", "sima"}
	typedGivens   = []string{"w", "f", "n", "m", "j", "l", "q", "l", "j", "y", "y", "y", "j", "j", "t", "m", "c", "x", "j", "w", "y", "z"}
)

// mix spreads n, so that neighbours have nothing in common.
func mix(n int) uint64 {
	x := uint64(n) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// resident returns the n-th resident number: region 99, a birth date, a sequence and the check digit. No number comes twice
// below 36 million.
func resident(n int) string {
	born := birth(n)
	head := fmt.Sprintf("99%04d%s%03d", n/1000%10000, born.Format("20060102"), n%1000)
	sum, weight := 0, 1
	for i := len(head) - 1; i >= 0; i-- {
		weight = weight * 2 % 11
		sum += int(head[i]-'0') * weight
	}
	return head + "10X98765432"[sum%11:sum%11+1]
}

func birth(n int) time.Time {
	return time.Date(1940, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(mix(n)>>8%25000))
}

func gender(n int) string { return []string{"female", "male"}[mix(n)%2] }

func nameOf(n int) (family, given string) {
	x := mix(n)
	return surnames[x>>3%uint64(len(surnames))], givens[x>>16%uint64(len(givens))] + givens[x>>24%uint64(len(givens))]
}

// typedName is how people begin to type the name of the n-th patient.
func typedName(n int) string {
	x := mix(n)
	return typedSurnames[x>>3%uint64(len(surnames))] + typedGivens[x>>16%uint64(len(givens))]
}

// day returns when things happened: one of 1500 days before 2025.
func day(n int) time.Time {
	return time.Date(2025, 1, 1, 8, 0, 0, 0, time.UTC).Add(-time.Duration(mix(n)>>5%(1500*24*60)) * time.Minute)
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05") + "+08:00" }

// patient returns the n-th patient; version makes one that differs.
func patient(n, version int) string {
	family, given := nameOf(n)
	return `{"resourceType":"Patient",
"extension":[{"url":"https://yilian.dev/fhir/StructureDefinition/ethnicity","valueCoding":{"system":"urn:oid:2.16.156.10011.2.3.3.3","code":"01","display":"汉族"}}],
"identifier":[
 {"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"https://yilian.dev/fhir/institution/bench/patient","value":"P` + fmt.Sprintf("%08d", n) + `"},
 {"use":"official","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"NI"}]},"system":"` + residentID + `","value":"` + resident(n) + `"}],
"active":true,
"name":[{"use":"official","text":"` + family + given + `","family":"` + family + `","given":["` + given + `"]}],
"telecom":[{"system":"phone","value":"` + fmt.Sprintf("12%09d", n) + `","use":"mobile","rank":` + strconv.Itoa(1+version) + `}],
"gender":"` + gender(n) + `","birthDate":"` + birth(n).Format("2006-01-02") + `","deceasedBoolean":false,
"address":[{"use":"home","type":"both","text":"示范省衡远市示范区一号路` + strconv.Itoa(n%900+1) + `号","line":["一号路` + strconv.Itoa(n%900+1) + `号"],"city":"衡远市","district":"示范区","state":"示范省","postalCode":"999000","country":"CHN"}],
"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"}],"text":"已婚"},
"contact":[{"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"N"}]}],"name":{"text":"测试家属"},"telecom":[{"system":"phone","value":"12000000002"}]}]}`
}

// encounter returns the n-th encounter, of a patient given by reference.
func encounter(n, version int, patient string) string {
	at := day(n)
	return `{"resourceType":"Encounter",
"identifier":[{"use":"usual","system":"https://yilian.dev/fhir/institution/bench/encounter","value":"E` + fmt.Sprintf("%09d", n) + `"}],
"status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"` + []string{"AMB", "IMP", "EMER"}[mix(n)%3] + `"},
"type":[{"coding":[{"system":"https://yilian.dev/fhir/institution/bench/visit","code":"` + strconv.Itoa(n%9) + `","display":"普通门诊"}],"text":"普通门诊"}],
"priority":{"text":"普通"},
"subject":{"reference":"` + patient + `"},
"period":{"start":"` + stamp(at) + `","end":"` + stamp(at.Add(time.Duration(1+version)*time.Hour)) + `"},
"reasonCode":[{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"I10","display":"特发性(原发性)高血压"}],"text":"高血压复诊，头晕一周，无胸闷气短"}],
"location":[{"location":{"display":"心内科门诊三诊室"},"status":"completed"}],
"serviceProvider":{"identifier":{"system":"urn:oid:2.16.156.10011.1.26","value":"99000000"},"display":"示范市人民医院"}}`
}

// request returns the n-th order.
func request(n, version int, patient, encounter string) string {
	return `{"resourceType":"ServiceRequest",
"identifier":[{"use":"usual","system":"https://yilian.dev/fhir/institution/bench/order","value":"S` + fmt.Sprintf("%09d", n) + `"}],
"status":"` + []string{"completed", "active", "on-hold"}[version%3] + `","intent":"order",
"category":[{"coding":[{"system":"http://snomed.info/sct","code":"108252007"}],"text":"检验"}],
"code":{"coding":[{"system":"https://yilian.dev/fhir/institution/bench/panel","code":"P` + strconv.Itoa(n%20) + `"}],"text":"血常规（五分类）"},
"subject":{"reference":"` + patient + `"},"encounter":{"reference":"` + encounter + `"},
"authoredOn":"` + stamp(day(n)) + `",
"requester":{"identifier":{"system":"https://yilian.dev/fhir/institution/bench/practitioner","value":"D` + strconv.Itoa(n%300) + `"},"display":"测试医师"},
"reasonCode":[{"text":"高血压复诊"}],
"note":[{"text":"空腹采血，早八点至十点于门诊二楼采血室"}]}`
}

// observation returns the n-th result.
func observation(n, version int, patient, encounter, request string) string {
	x := mix(n)
	value := strconv.Itoa(40+int(x>>9%160)) + "." + strconv.Itoa(version%10)
	based := ""
	if request != "" {
		based = `"basedOn":[{"reference":"` + request + `"}],`
	}
	if encounter != "" {
		based += `"encounter":{"reference":"` + encounter + `"},`
	}
	return `{"resourceType":"Observation",
"identifier":[{"use":"official","system":"https://yilian.dev/fhir/institution/bench/result","value":"O` + fmt.Sprintf("%010d", n) + `"}],
` + based + `"status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}],"text":"检验"}],
"code":{"coding":[{"system":"` + loinc + `","code":"` + code(n) + `","display":"Hemoglobin [Mass/volume] in Blood"},{"system":"https://yilian.dev/fhir/institution/bench/item","code":"HGB` + strconv.Itoa(n%codes) + `","display":"血红蛋白"}],"text":"血红蛋白"},
"subject":{"reference":"` + patient + `"},
"effectiveDateTime":"` + stamp(day(n)) + `","issued":"` + stamp(day(n).Add(2*time.Hour)) + `",
"performer":[{"identifier":{"system":"urn:oid:2.16.156.10011.1.26","value":"99000000"},"display":"示范市人民医院检验科"}],
"valueQuantity":{"value":` + value + `,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},
"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N","display":"Normal"}],"text":"正常"}],
"referenceRange":[{"low":{"value":115,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"high":{"value":150,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"text":"115-150"}]}`
}

// code returns the code of the n-th observation; some are much more common than others.
func code(n int) string {
	x := mix(n) >> 20
	return fmt.Sprintf("%d-7", 700+min(x%codes, x>>8%codes))
}

// entry is one POST of a transaction.
func entry(b *strings.Builder, fullURL, resource string) {
	if b.Len() == 0 {
		b.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[`)
	} else {
		b.WriteByte(',')
	}
	typ, _, _ := strings.Cut(resource[len(`{"resourceType":"`):], `"`)
	b.WriteString(`{"fullUrl":"` + fullURL + `","resource":` + resource + `,"request":{"method":"POST","url":"` + typ + `"}}`)
}

// family returns a transaction of patients from..to-1 with all that belongs to them.
func family(from, to int) []byte {
	var b strings.Builder
	for p := from; p < to; p++ {
		who := urn(p, 0)
		entry(&b, who, patient(p, 0))
		for i := range encounters {
			entry(&b, urn(p, 1+i), encounter(p*encounters+i, 0, who))
		}
		for i := range requests {
			entry(&b, urn(p, 10+i), request(p*requests+i, p+i, who, urn(p, 1+i%encounters)))
		}
		for i := range observations {
			entry(&b, urn(p, 20+i), observation(p*observations+i, 0, who, urn(p, 1+i%encounters), urn(p, 10+i%requests)))
		}
	}
	b.WriteString("]}")
	return []byte(b.String())
}

func urn(p, i int) string {
	return fmt.Sprintf("urn:uuid:%08x-0000-4000-8000-%012x", uint32(p), i)
}
