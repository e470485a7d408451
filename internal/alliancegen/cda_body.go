package alliancegen

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// consultation is what a doctor writes about one visit.
type consultation struct {
	complaint, present, past, exam, plan string
	vitals                               []string // keys of what was not measured are left out
	unmeasured                           []string // sent with nullFlavor
	allergies                            []*Allergy
}

func dataElement(code, name string, children ...any) *element {
	o := xe("observation").has("classCode", "OBS", "moodCode", "EVN")
	o.add(cdaCode("code", code, systemElements, "卫生信息数据元目录", name))
	return o.add(children...)
}

func component(o *element) *element { return xe("component", o) }

func related(o *element) *element { return xe("entryRelationship", o).has("typeCode", "COMP") }

func st(text string) *element { return xe("value", texts(text)...).has("xsi:type", "ST") }

func cd(code, system, display string) *element {
	return xe("value").has("xsi:type", "CD", "code", code, "codeSystem", system, "displayName", display)
}

func bl(b bool) *element {
	return xe("value").has("xsi:type", "BL", "value", map[bool]string{true: "true", false: "false"}[b])
}

func pq(number, unit string) *element {
	e := xe("value").has("xsi:type", "PQ", "value", number)
	if unit != "" {
		e.has("unit", unit)
	}
	return e
}

// outpatientSections are the sections of C0002, in an order that differs from
// document to document.
func (c *community) outpatientSections(v *Visit, n consultation, at time.Time) []cdaSection {
	out := []cdaSection{
		{"10154-3", "CHIEF COMPLAINT", "主诉", lines(n.complaint), []*element{dataElement("DE04.01.119.00", "主诉", st(n.complaint))}},
		{"10164-2", "HISTORY OF PRESENT ILLNESS", "现病史", lines(n.present), []*element{dataElement("DE02.10.071.00", "现病史", st(n.present))}},
		{"11348-0", "HISTORY OF PAST ILLNESS", "既往史", lines(n.past), []*element{dataElement("DE02.10.099.00", "既往史", st(n.past))}},
		allergySection(n.allergies),
		c.vitalSection(v, n, at),
		{"29545-1", "PHYSICAL EXAMINATION", "体格检查", lines(n.exam), []*element{dataElement("DE04.10.258.00", "体格检查", st(n.exam))}},
		diagnosisSection(v.Diagnoses, true),
	}
	if n.plan != "" {
		out = append(out, cdaSection{"18776-5", "TREATMENT PLAN", "治疗计划", lines(n.plan), []*element{dataElement("DE06.00.159.00", "治疗计划", st(n.plan))}})
	}
	return shuffled(c.s.r, out)
}

func allergySection(all []*Allergy) cdaSection {
	s := cdaSection{code: "48765-2", display: "ALLERGIES, ADVERSE REACTIONS, ALERTS", title: "过敏史", text: lines("否认药物及食物过敏史")}
	flag := dataElement("DE02.10.023.00", "过敏史标志", bl(len(all) > 0))
	var told []string
	for _, a := range all {
		told = append(told, a.Allergen.Text+"过敏:"+a.Reaction)
		allergen := dataElement("DE02.10.022.00", "过敏史", cd(a.Allergen.Code, communityOID+".2.7", a.Allergen.Text))
		if a.Reaction != "" {
			allergen.add(related(dataElement("DE04.01.118.00", "症状", st(a.Reaction))))
		}
		flag.add(related(allergen))
	}
	if told != nil {
		s.text = lines(told...)
	}
	s.entries = []*element{flag}
	return s
}

func diagnosisSection(all []Diagnosis, first bool) cdaSection {
	s := cdaSection{code: "29548-5", display: "DIAGNOSIS", title: "诊断"}
	var told []string
	if first {
		s.entries = append(s.entries, dataElement("DE06.00.196.00", "初诊标志代码", cd("2", oidRoot+"2.3.2.39", "复诊")))
	}
	for i, dx := range all {
		told = append(told, strconv.Itoa(i+1)+". "+dx.Text)
		s.entries = append(s.entries, dataElement("DE05.01.024.00", "西医诊断编码", cd(dx.Code, oidRoot+"2.3.3.11.3", dx.Text),
			related(dataElement("DE05.01.025.00", "西医诊断名称", st(dx.Text)))))
	}
	s.text = lines(told...)
	return s
}

func (c *community) vitalSection(v *Visit, n consultation, at time.Time) cdaSection {
	s := cdaSection{code: "8716-3", display: "VITAL SIGNS", title: "生命体征"}
	s.text = narrative{table: true, rows: [][]string{{"项目", "结果", "单位"}}}
	pressure := xe("organizer").has("classCode", "BATTERY", "moodCode", "EVN")
	pressure.add(xe("code").has("displayName", "血压"), xe("statusCode"))
	for _, res := range v.Vitals {
		s.text.rows = append(s.text.rows, []string{res.Item.Text, res.Value.Sent, res.Value.Unit})
		o := dataElement(res.Item.Code, res.Item.Text, c.timeElement("effectiveTime", at), pq(res.Value.Number, res.Value.Unit))
		if strings.HasSuffix(res.Item.Text, "压") {
			pressure.add(component(o))
			continue
		}
		s.entries = append(s.entries, o)
	}
	for _, key := range n.unmeasured {
		vs := communityVitalByKey(key)
		s.text.rows = append(s.text.rows, []string{vs.name, "未测", "-"})
		s.entries = append(s.entries, dataElement(vs.de, vs.name, xe("value").has("xsi:type", "PQ", "nullFlavor", "NASK")))
	}
	if slices.Contains(n.vitals, "systolic") {
		s.entries = append(s.entries, pressure)
	}
	return s
}

// reportSections are the sections of an examination or laboratory document.
func (c *community) reportSections(d *cdaDocument) []cdaSection {
	r := d.report
	laboratory := d.code == "C0007"
	what := map[bool]string{true: "检验", false: "检查"}[laboratory]
	studies := cdaSection{code: "30954-2", display: "STUDIES SUMMARY", title: what, text: lines(r.Item.Text)}
	studies.entries = []*element{
		dataElement("DE02.10.027.00", what+"方法名称", st(communityMethod(r))),
		dataElement("DE04.30.018.00", what+"类别", cd(r.Section, communityOID+".2.6", nameOf(communitySectionRows(), r.Section))),
		dataElement("DE04.30.020.00", "检查检验项目名称", c.timeElement("effectiveTime", r.Collected.t), cd(r.Item.Code, communityOID+".2.2", r.Item.Text)),
	}
	if len(r.Results) > 0 {
		studies.text = narrative{table: true, rows: [][]string{{"项目", "结果", "单位", "参考值"}}}
	}
	for _, res := range r.Results {
		studies.text.rows = append(studies.text.rows, []string{res.Item.Text, dash(res.Value.Sent), dash(res.Value.Unit), dash(res.Range.Text)})
		studies.entries = append(studies.entries, c.itemOf(d, res))
	}
	told := cdaSection{display: what + "报告", title: what + "报告"}
	if laboratory {
		abnormal := 0
		for _, res := range r.Results {
			if res.Interpret != "" && res.Interpret != "N" {
				abnormal++
			}
		}
		sum := strconv.Itoa(len(r.Results)) + "项,异常" + strconv.Itoa(abnormal) + "项"
		told.text = lines(sum)
		told.entries = append(told.entries, dataElement("DE04.50.130.00", "检验报告结果", st(sum)))
	} else {
		told.text = lines("检查所见:"+r.Findings, "检查提示:"+r.Conclusion)
		told.entries = append(told.entries, dataElement("DE04.50.131.00", "检查报告结果-客观所见", st(r.Findings)),
			dataElement("DE04.50.132.00", "检查报告结果-主观提示", st(r.Conclusion)), resultCode(map[bool]string{true: "2", false: "1"}[strings.Contains(r.Conclusion, "未见") || strings.Contains(r.Conclusion, "正常")]))
	}
	if r.Remark != "" {
		told.text.rows = append(told.text.rows, []string{"备注:" + r.Remark})
		told.entries = append(told.entries, dataElement("DE06.00.179.00", what+"报告备注", st(r.Remark)))
	}
	told.entries = append(told.entries, dataElement("DE08.10.026.00", what+"报告科室", st(communityDepartmentName(d.author.Department))),
		dataElement("DE08.10.013.00", what+"报告机构名称", st(communityName)))
	return []cdaSection{diagnosisSection(d.visit.Diagnoses[:1], false), studies, told}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func resultCode(code string) *element {
	return dataElement("DE04.30.017.00", "检查/检验结果代码", xe("value").has("xsi:type", "CD", "code", code, "codeSystem", oidRoot+"2.3.2.38",
		"codeSystemName", "检查/检验结果代码表", "displayName", map[string]string{"1": "异常", "2": "正常", "3": "不确定"}[code]))
}

// itemOf writes one item of a report as a cluster.
func (c *community) itemOf(d *cdaDocument, res Result) *element {
	r := d.report
	code := dataElement("DE04.30.019.00", "检验项目代码", c.timeElement("effectiveTime", r.Issued.t.Add(-15*time.Minute)), cd(res.Item.Code, communityOID+".2.1", res.Item.Text))
	if r.Specimen.Code != "" {
		code.add(related(dataElement("DE04.50.134.00", "标本类别",
			xe("effectiveTime", c.timeElement("low", r.Collected.t), c.timeElement("high", r.Collected.t.Add(12*time.Minute))), cd(r.Specimen.Code, communityOID+".2.3", r.Specimen.Text))),
			related(dataElement("DE04.50.135.00", "标本状态", st(map[bool]string{true: "溶血", false: "合格"}[res.Value.Reason == "specimen"]))))
	}
	value := dataElement("DE04.30.015.00", "检验定量结果", valueOf(res))
	flagged := strings.ContainsAny(res.Flag, "HLNA")
	if flagged {
		value.add(cdaCode("interpretationCode", res.Flag, "2.16.840.1.113883.5.83", "ObservationInterpretation", nameOf(flagRows("H", "偏高", "", "L", "偏低", "", "N", "正常", "", "A", "异常", ""), res.Flag)))
	}
	if res.Range.Text != "" {
		o := xe("observationRange", xe("text", res.Range.Text))
		if res.Range.Low+res.Range.High != "" {
			o.add(interval(res.Range.Low, res.Range.High, res.Value.Unit, ""))
		}
		value.add(xe("referenceRange", o))
	}
	cluster := xe("organizer", xe("statusCode").has("code", "completed"), component(code), component(value)).has("classCode", "CLUSTER", "moodCode", "EVN")
	if res.Value.Unit != "" {
		cluster.add(component(dataElement("DE04.30.016.00", "计量单位", st(res.Value.Unit))))
	}
	switch {
	case flagged:
		cluster.add(component(resultCode(map[bool]string{true: "2", false: "1"}[res.Flag == "N"])))
	case res.Flag != "":
		cluster.add(component(resultCode(res.Flag)))
	}
	return cluster
}

// interval writes limits; inclusive is an attribute of both, unless empty.
func interval(low, high, unit, inclusive string) *element {
	e := xe("value").has("xsi:type", "IVL_PQ")
	for _, l := range [][2]string{{"low", low}, {"high", high}} {
		if l[1] == "" {
			continue
		}
		limit := xe(l[0]).has("value", l[1])
		if unit != "" {
			limit.has("unit", unit)
		}
		if inclusive != "" {
			limit.has("inclusive", inclusive)
		}
		e.add(limit)
	}
	return e
}

func valueOf(res Result) *element {
	v := res.Value
	switch v.Kind {
	case Quantity:
		switch v.Comparator {
		case "<":
			return interval("", v.Number, v.Unit, "false")
		case ">":
			return interval(v.Number, "", v.Unit, "false")
		}
		return pq(v.Number, v.Unit)
	case Ordinal:
		if n := slices.Index([]string{"", "阴性", "弱阳性", "阳性"}, v.Sent); n > 0 {
			return cd(strconv.Itoa(n), communityOID+".2.4", v.Sent)
		}
	case Absent:
		if v.Sent == "" {
			return xe("value").has("xsi:type", "PQ", "nullFlavor", "NAV")
		}
	}
	return st(v.Sent)
}

func communityMethod(r *Report) string {
	switch {
	case r.Kind == "ecg":
		return "同步十二导联"
	case r.Section == "US":
		return "二维及彩色多普勒"
	case r.Kind == "imaging":
		return "数字化X线摄影"
	}
	return "全自动分析仪"
}
