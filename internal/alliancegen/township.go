package alliancegen

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// township writes the workbooks of the township health centre.
type township struct {
	s      *story
	sex    map[string]*wheel[string]
	births *wheel[string]
	whens  *wheel[string]
	days   *wheel[string]
	clocks *wheel[string]
	phones *wheel[string]
	books  []*book
	lists  []*list
}

// book is one week's workbook. Columns named in missing are not exported that week; a
// suffix stands behind the names of some sheets.
type book struct {
	dir, suffix string
	day         time.Time
	date1904    bool
	inline      bool
	missing     map[string][]string
	rows        map[string][]*bookRow
}

// bookRow is a row of a sheet. Rows of one group stand together and share merged cells.
type bookRow struct {
	cells  map[string]xcell
	group  string
	record *Record
}

// list is the register alone, as HTML that is called .xls.
type list struct {
	dir  string
	day  time.Time
	rows []*bookRow
}

// suffixed are the sheets that carry the month behind their name.
var suffixed = []string{"门诊登记", "处方", "检验结果"}

// merged are the columns whose cells are merged over the rows of a group.
var merged = map[string][]string{
	"检验申请": {"申请单号", "档案号", "姓名", "门诊号", "申请时间", "申请医生工号", "申请医生", "临床诊断"},
	"检验结果": {"报告号", "报告名称"},
	"处方":   {"处方号", "档案号", "姓名", "门诊号", "开方时间", "医生工号", "医生"},
}

func newTownship(s *story) *township {
	r := s.r
	return &township{
		s: s,
		sex: map[string]*wheel[string]{
			"male": newWheel(r, "男", "1", "男"), "female": newWheel(r, "女", "2", "女"), "unknown": newWheel(r, "未知"),
		},
		births: newWheel(r, "yyyy-mm-dd", "2006-01-02", "#14", `yyyy"年"m"月"d"日"`, "2006年1月2日", "0", "yyyy/m/d"),
		whens:  newWheel(r, "yyyy-mm-dd hh:mm:ss", "2006-01-02 15:04", "m/d/yy h:mm", "2006/1/2 15:04", "#22"),
		days:   newWheel(r, "yyyy-mm-dd", "2006-01-02", "yyyy/m/d", "2006年1月2日"),
		clocks: newWheel(r, "h:mm", "15:04", "h:mm", "h:mm"),
		phones: newWheel(r, "number", "text", "number"),
	}
}

func (t *township) book(dir string, day time.Time) *book {
	b := &book{dir: dir, day: day, missing: map[string][]string{}, rows: map[string][]*bookRow{}}
	t.books = append(t.books, b)
	return b
}

// put adds a row; its key is read from the sheet's key columns.
func (t *township) put(b *book, name, patient, group string, cells map[string]xcell) *Record {
	sh := sheetByName(name)
	rec := &Record{Institution: Township, Kind: name, Key: rowKey(sh, cells), Patient: patient, Fate: Committed}
	t.s.records = append(t.s.records, rec)
	b.rows[name] = append(b.rows[name], &bookRow{cells, group, rec})
	return rec
}

func rowKey(sh sheet, cells map[string]xcell) string {
	var key []string
	for _, k := range sh.key {
		key = append(key, k+"="+shown(cells[k]))
	}
	for name := range cells {
		if !slices.ContainsFunc(sh.columns, func(c column) bool { return c.name == name }) {
			panic("alliancegen: " + sh.name + " has no column " + name)
		}
	}
	return strings.Join(key, " ")
}

// shown is what a cell of a key shows.
func shown(c xcell) string {
	if c.kind == xnumber && strings.Trim(c.format, "0") == "" {
		for len(c.text) < len(c.format) {
			c.text = "0" + c.text
		}
	}
	return c.text
}

// again sends the last row of a record once more, unchanged.
func (t *township) again(b *book, rec *Record) *Record {
	for _, from := range t.books {
		for _, r := range from.rows[rec.Kind] {
			if r.record == rec {
				dup := t.put(b, rec.Kind, rec.Patient, r.group, r.cells)
				dup.Fate, dup.Reason = Duplicate, "row equals the last state of its key"
				return dup
			}
		}
	}
	panic("alliancegen: no such row")
}

// when writes a moment in one of the forms of the house; a day without time shorter.
func (t *township) when(at Time) xcell {
	switch at.precision {
	case Day:
		return dated(at.t, t.days.next())
	case Second:
		return dated(at.t, t.whens.next())
	}
	return xcell{}
}

// dated writes a moment as a serial with a format, or as text in a layout of Go.
func dated(at time.Time, form string) xcell {
	switch {
	case form == "0":
		return figure(at.Format("20060102"), "0")
	case strings.Contains(form, "06"):
		return text(at.Format(form))
	}
	return xcell{kind: xdate, at: at, format: form}
}

func (t *township) clock(at time.Time) xcell {
	if form := t.clocks.next(); form != "h:mm" {
		return text(at.Format(form))
	}
	return xcell{kind: xclock, at: at, format: "h:mm"}
}

func stamped(at time.Time) xcell {
	return xcell{kind: xdate, at: at, format: "yyyy-mm-dd hh:mm:ss"}
}

// code is a code of digits, kept as a number with a format that shows its zeros.
func code(digits string) xcell {
	if digits == "" {
		return xcell{}
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic("alliancegen: no digits: " + digits)
	}
	return figure(strconv.Itoa(n), strings.Repeat("0", len(digits)))
}

func (t *township) phone(number string) xcell {
	if number == "" || t.phones.next() == "text" {
		return text(number)
	}
	return figure(number, "0")
}

func (t *township) patient(b *book, p *Patient, changed time.Time) *Record {
	return t.put(b, "居民档案", p.ID, "", t.resident(p, changed))
}

func (t *township) resident(p *Patient, changed time.Time) map[string]xcell {
	if p.style.sex == "" {
		p.style.sex = t.sex[p.Sex].next()
	}
	sex := text(p.style.sex)
	if p.style.sex == "1" || p.style.sex == "2" {
		sex = figure(p.style.sex, "0")
	}
	cells := map[string]xcell{
		"档案号": text(p.ID), "姓名": text(p.Name + p.style.trailing), "性别": sex, "联系电话": t.phone(p.Phone), "现住址": text(p.Address),
		"民族": code(p.Ethnicity), "婚姻状况": text(p.Marital), "建档日期": dated(t.s.day0.AddDate(0, 0, -300), "yyyy-mm-dd"), "修改时间": stamped(changed),
		"签约医生工号": text(p.style.doctor.Number), "签约医生": text(p.style.doctor.Name),
	}
	if p.style.runs { // as somebody marked a part of the name
		half := len(string([]rune(p.Name)[:1]))
		cells["姓名"] = xcell{kind: xruns, text: p.Name, runs: []string{p.Name[:half], p.Name[half:]}}
	}
	if p.style.wide {
		cells["联系电话"] = text(fullWidth(p.Phone))
	}
	if p.Birth.precision != "" {
		cells["出生日期"] = dated(p.Birth.t, p.style.birth)
		age := changed.Year() - p.Birth.t.Year()
		cells["年龄"] = xcell{kind: xcount, text: strconv.Itoa(age), formula: "DATEDIF(D4,TODAY(),\"y\")", format: "0"}
	}
	for _, id := range p.Identifiers {
		switch id.Kind {
		case ResidentID, Placeholder:
			cells["身份证号"] = xcell{kind: xtext, text: id.Sent, format: "@"}
		case HealthCard:
			cells["健康卡号"] = text(id.Sent)
		}
	}
	if p.Contact != nil {
		cells["联系人"], cells["联系人关系"], cells["联系人电话"] = text(p.Contact.Name), text(p.Contact.Relation), t.phone(p.Contact.Phone)
	}
	return cells
}

func (t *township) visit(b *book, v *Visit, p *Patient, changed time.Time) *Record {
	cells := map[string]xcell{
		"门诊号": text(v.Number), "患者_档案号": text(v.Patient), "患者_姓名": text(p.Name), "就诊_类型": text(v.LocalClass),
		"就诊_日期": dated(v.Start.t, t.days.next()), "就诊_时间": t.clock(v.Start.t), "就诊_科室代码": code(v.Department.Code), "就诊_科室": text(v.Department.Text),
		"就诊_医生工号": text(v.Doctor.Number), "就诊_医生": text(v.Doctor.Name),
		"状态": text(map[string]string{"in-progress": "就诊中", "finished": "已诊", "cancelled": "退号"}[v.Status]), "修改时间": stamped(changed),
	}
	if c := cells["就诊_日期"]; c.kind == xdate {
		c.at = midnight(c.at)
		cells["就诊_日期"] = c
	}
	for _, m := range v.Vitals {
		cells["体征_"+m.Item.Code] = printed(m.Value)
	}
	for i, dx := range v.Diagnoses {
		if i == 0 {
			cells["诊断_编码"] = text(dx.Code)
			cells["诊断_名称"] = xcell{kind: xlookup, text: dx.Text, formula: "VLOOKUP(O4,代码表!A:B,2,FALSE)"}
		} else {
			cells["诊断_其他编码"], cells["诊断_其他名称"] = text(dx.Code), text(dx.Text)
		}
	}
	return t.put(b, "门诊登记", v.Patient, "", cells)
}

func midnight(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
}

// printed writes a value: a plain decimal as a number whose format shows its digits,
// everything else as text.
func printed(v Value) xcell {
	if v.Kind != Quantity || v.Comparator != "" || v.Sent != v.Number {
		return text(v.Sent)
	}
	whole, frac, _ := strings.Cut(v.Number, ".")
	if frac == "" {
		return figure(whole, "0")
	}
	return figure(strings.TrimRight(strings.TrimRight(v.Number, "0"), "."), "0."+strings.Repeat("0", len(frac)))
}

func (t *township) orders(b *book, orders []*Order, p *Patient, changed time.Time) []*Record {
	var out []*Record
	at := t.when(orders[0].Ordered)
	for _, o := range orders {
		specimen := ""
		if o.panel.specimen != "" {
			specimen = specimenAt(Township, o.panel.specimen).Text
		}
		out = append(out, t.put(b, "检验申请", o.Patient, o.Group, map[string]xcell{
			"申请单号": text(o.Group), "项目申请号": text(o.Number), "档案号": text(o.Patient), "姓名": text(p.Name), "门诊号": text(o.Visit),
			"项目代码": text(o.Item.Code), "项目名称": text(o.Item.Text), "标本": text(specimen), "送检机构": text(townshipMember[o.Performer]), "申请时间": at,
			"申请医生工号": text(o.Requester.Number), "申请医生": text(o.Requester.Name), "临床诊断": text(o.Reason),
			"加急": text(map[string]string{"routine": "否", "urgent": "是"}[o.Priority]),
			"状态": text(map[string]string{"active": "已申请", "completed": "已出报告", "revoked": "已撤销"}[o.Status]), "修改时间": stamped(changed),
		}))
	}
	return out
}

var townshipStates = map[string]string{"preliminary": "待诊断", "final": "正常", "corrected": "更正", "entered-in-error": "作废"}

// report writes a report as it now stands; its own row comes first.
func (t *township) report(b *book, rep *Report, p *Patient, changed time.Time) []*Record {
	head := map[string]xcell{
		"报告号": text(rep.Number), "档案号": text(rep.Patient), "姓名": text(p.Name), "门诊号": text(rep.Visit),
		"状态": text(townshipStates[rep.Status]), "修改时间": stamped(changed),
	}
	set := func(cells map[string]xcell) map[string]xcell {
		for k, v := range head {
			cells[k] = v
		}
		return cells
	}
	switch rep.panel.key {
	case "ecg":
		if rep.Status == "final" {
			head["状态"] = text("已诊断")
		}
		cells := set(map[string]xcell{
			"检查日期": dated(midnight(rep.Collected.t), "yyyy/m/d"), "检查时间": t.clock(rep.Collected.t), "检查者工号": text(rep.recorder.Number), "检查者": text(rep.recorder.Name),
			"心率": printed(rep.Results[0].Value), "心电图所见": text(rep.Findings), "诊断机构": text(townshipMember[County]),
			"诊断医师": text(rep.Author.Name), "诊断时间": t.when(rep.Issued), "诊断结论": text(rep.Conclusion),
		})
		return []*Record{t.put(b, "心电图", rep.Patient, "", cells)}
	case "urine":
		cells := set(map[string]xcell{
			"标本条码": text(rep.SpecimenNumber), "采集时间": t.when(rep.Collected), "报告时间": t.when(rep.Issued),
			"审核者工号": text(rep.Author.Number), "审核者": text(rep.Author.Name),
		})
		for _, res := range rep.Results {
			cells[res.Item.Code] = printed(res.Value)
		}
		return []*Record{t.put(b, "尿常规", rep.Patient, "", cells)}
	}
	cells := set(map[string]xcell{
		"项目代码": text(rep.Item.Code), "项目名称": text(rep.Item.Text), "标本": text(rep.Specimen.Text), "标本条码": text(rep.SpecimenNumber),
		"采集时间": t.when(rep.Collected), "报告时间": t.when(rep.Issued), "检验者": text(rep.recorder.Name),
		"审核者工号": text(rep.Author.Number), "审核者": text(rep.Author.Name), "备注": text(rep.Remark),
	})
	out := []*Record{t.put(b, "检验报告", rep.Patient, "", cells)}
	for i, res := range rep.Results {
		value := printed(res.Value)
		if res.Value.Kind == Quantity && res.Value.Sent != res.Value.Comparator+res.Value.Number {
			value = text(res.Value.Sent) // full-width
		}
		out = append(out, t.put(b, "检验结果", rep.Patient, rep.Number+rep.Status, map[string]xcell{
			"报告号": text(rep.Number), "报告名称": text(rep.Item.Text), "序号": figure(strconv.Itoa(i+1), "0"), "项目代码": code(res.Item.Code), "项目名称": text(res.Item.Text),
			"结果": value, "单位": text(res.Value.Unit), "参考范围": text(res.Range.Text), "提示": text(res.Flag), "状态": text(townshipStates[res.Status]),
		}))
	}
	return out
}

func (t *township) prescriptions(b *book, rows []*Rx, p *Patient, changed time.Time) []*Record {
	var out []*Record
	at := t.when(rows[0].Written)
	for _, x := range rows {
		out = append(out, t.put(b, "处方", x.Patient, x.Number+x.Status, map[string]xcell{
			"处方号": text(x.Number), "序号": figure(strconv.Itoa(x.Row), "0"), "档案号": text(x.Patient), "姓名": text(p.Name), "门诊号": text(x.Visit), "开方时间": at,
			"药品编码": text(x.Drug.Code), "药品名称": text(x.Drug.Text), "规格": text(x.Strength), "单次剂量": printed(Value{Kind: Quantity, Number: x.Dose, Sent: x.Dose}),
			"剂量单位": text(x.DoseUnit), "用法": text(x.Route), "频次": text(x.Frequency), "天数": figure(strconv.Itoa(x.Days), "0"), "数量": figure(x.Quantity, "0"),
			"数量单位": text(x.Pack), "医生工号": text(x.Requester.Number), "医生": text(x.Requester.Name),
			"状态": text(map[string]string{"active": "已开方", "completed": "已发药", "cancelled": "作废"}[x.Status]), "修改时间": stamped(changed),
		}))
	}
	return out
}

func (t *township) referral(b *book, r *Referral, p *Patient, changed time.Time) *Record {
	cells := map[string]xcell{
		"转诊单号": text(r.Number), "档案号": text(r.Patient), "姓名": text(p.Name), "门诊号": text(r.Visit),
		"转诊类型": text(map[string]string{"up": "上转", "down": "下转"}[r.Direction]), "转出机构": text(townshipMember[r.From]), "转入机构": text(townshipMember[r.To]),
		"转入科室": text(r.Department), "转诊原因": text(r.Reason), "诊断编码": text(r.Diagnoses[0].Code), "诊断名称": text(r.Diagnoses[0].Text), "病情摘要": text(r.Summary),
		"紧急程度": text(map[string]string{"routine": "普通", "urgent": "紧急"}[r.Priority]), "转诊医生工号": text(r.Requester.Number), "转诊医生": text(r.Requester.Name),
		"转诊日期": t.when(r.Date), "状态": text(r.LocalStatus), "修改时间": stamped(changed),
	}
	if r.Answers != nil {
		cells["原转诊单号"] = text(r.Answers.Number)
	}
	return t.put(b, "转诊登记", r.Patient, "", cells)
}

// masters writes the lists of departments and staff.
func (t *township) masters(b *book, changed time.Time) {
	for _, u := range townshipUnits {
		kind := "科室"
		if u.partOf != "" {
			kind = "病区"
		}
		t.put(b, "科室", "", "", map[string]xcell{
			"科室代码": code(u.code), "科室名称": text(u.name), "类别": text(kind), "上级科室": code(u.partOf), "修改时间": stamped(changed),
		})
		t.s.department(Department{Institution: Township, Code: u.code, Name: u.name, Kind: map[string]string{"科室": "department", "病区": "ward"}[kind], PartOf: u.partOf})
	}
	for _, m := range t.s.staff {
		if m.Institution == Township {
			t.put(b, "职工", "", "", map[string]xcell{
				"工号": text(m.Number), "姓名": text(m.Name), "科室代码": code(m.Department), "职称": text(m.Title.Code), "修改时间": stamped(changed),
			})
		}
	}
}
