package alliancegen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Codes of the members in the county's tables.
var countyMember = map[string]string{City: "990100018", County: "990121003", Lab: "990100093", Township: "99012102X"}

// county writes the extracts of the county hospital.
type county struct {
	s                          *story
	sexForms                   map[string]*wheel[string]
	births, whens, days, wrong *wheel[string]
	states                     map[string]*wheel[string]
	marks                      *wheel[string]
	nights                     []*night
	written                    int // nights that were rendered
}

// night is one nightly set: rows by table. Columns named in missing are not exported
// that night; quoteAll quotes every cell.
type night struct {
	dir      string
	missing  map[string][]string
	quoteAll bool
	rows     map[string][]*row
}

type row struct {
	cells  map[string]string
	record *Record
}

func newCounty(s *story) *county {
	r := s.r
	return &county{
		s: s,
		sexForms: map[string]*wheel[string]{
			"male":    newWheel(r, "1", "男", "M", "1", "男性"),
			"female":  newWheel(r, "2", "女", "F", "2", "女性"),
			"unknown": newWheel(r, "9", "0", "未知"),
		},
		births: newWheel(r, "2006-01-02", "20060102", "2006/1/2", "2006年1月2日", "2006-01-02 00:00:00"),
		whens:  newWheel(r, "2006-01-02 15:04:05", "2006/1/2 15:04", "20060102150405", "2006-01-02T15:04:05"),
		days:   newWheel(r, "20060102", "2006年1月2日", "2006-01-02", "2006/1/2"),
		wrong:  newWheel(r, "2006-01-02 15:04:05", "2006-01-02T15:04:05Z", "20060102150405", "2006/1/2 15:04"),
		states: map[string]*wheel[string]{
			"preliminary":      newWheel(r, "0"),
			"final":            newWheel(r, "1", "正常"),
			"corrected":        newWheel(r, "2", "更正"),
			"entered-in-error": newWheel(r, "3", "作废"),
		},
		marks: newWheel(r, "★", "【全国HR】"),
	}
}

func (c *county) style() patientStyle {
	return patientStyle{birth: c.births.next(), trailing: pick(c.s.r, []string{"", "", "  "})}
}

func (c *county) night(dir string) *night {
	n := &night{dir: dir, missing: map[string][]string{}, rows: map[string][]*row{}}
	c.nights = append(c.nights, n)
	return n
}

// put adds a row. The key is read from the extract's key columns.
func (c *county) put(n *night, table string, patient string, cells map[string]string) *Record {
	var key []string
	for _, e := range extracts {
		if e.name == table {
			for _, k := range e.key {
				key = append(key, k+"="+cells[k])
			}
			for name := range cells {
				if !slices.ContainsFunc(e.columns, func(col column) bool { return col.name == name }) {
					panic("alliancegen: " + table + " has no column " + name)
				}
			}
		}
	}
	rec := &Record{Institution: County, Kind: table, Key: strings.Join(key, " "), Patient: patient, Fate: Committed}
	c.s.records = append(c.s.records, rec)
	n.rows[table] = append(n.rows[table], &row{cells, rec})
	return rec
}

// again sends the last row of a record once more, unchanged.
func (c *county) again(n *night, rec *Record) *Record {
	for _, night := range c.nights {
		for _, rows := range night.rows {
			for _, r := range rows {
				if r.record == rec {
					dup := c.put(n, rec.Kind, rec.Patient, r.cells)
					dup.Fate, dup.Reason = Duplicate, "row equals the last state of its key"
					return dup
				}
			}
		}
	}
	panic("alliancegen: no such row")
}

// when writes a moment in one of the forms of the house.
func (c *county) when(t time.Time) string { return t.Format(c.whens.next()) }

func (c *county) whenOf(t Time) string {
	switch t.precision {
	case Day:
		return t.t.Format(c.days.next())
	case Second:
		return c.when(t.t)
	}
	return ""
}

func (c *county) end(t *Time) string {
	if t == nil {
		return ""
	}
	return c.whenOf(*t)
}

func stamp(t time.Time) string { return t.Format(time.DateTime) }

func (c *county) patient(n *night, p *Patient, changed time.Time) *Record {
	if p.style.sex == "" {
		p.style.sex = c.sexForms[p.Sex].next()
	}
	cells := map[string]string{
		"HZID": p.ID, "XM": p.Name + p.style.trailing, "XB": p.style.sex,
		"CSRQ": p.Birth.t.Format(p.style.birth), "ZJLX": "01", "LXDH": p.Phone, "HYZK": p.Marital, "MZ": p.Ethnicity,
		"JTZZ": p.Address, "JDRQ": c.s.day0.AddDate(0, 0, -200).Format(time.DateOnly), "XGSJ": stamp(changed),
	}
	if p.style.wide { // as an old front end exports it
		cells["LXDH"] = fullWidth(p.Phone)
	}
	for _, id := range p.Identifiers {
		switch id.Kind {
		case ResidentID, Placeholder:
			cells["SFZH"] = id.Sent
		case Passport:
			cells["SFZH"], cells["ZJLX"] = id.Sent, "03"
		case HealthCard:
			cells["JKKH"] = id.Sent
		}
	}
	if p.Contact != nil {
		cells["LXRXM"], cells["LXRGX"], cells["LXRDH"] = p.Contact.Name, p.Contact.Relation, p.Contact.Phone
	}
	if p.Deceased != nil {
		cells["SWSJ"] = c.whenOf(*p.Deceased)
	}
	c.s.trapOnce("sex-"+p.style.sex, 2, p)
	return c.put(n, "HIS_HZXX", p.ID, cells)
}

func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == 'X' {
			return r + 0xFEE0
		}
		return r
	}, s)
}

func (c *county) visit(n *night, v *Visit, changed time.Time) *Record {
	status := map[string]string{"in-progress": "1", "finished": "2", "cancelled": "9"}[v.Status]
	cells := map[string]string{
		"JZLSH": v.Number, "MZH": v.DailyNumber, "HZID": v.Patient, "JZLX": v.LocalClass, "KSDM": v.Department.Code, "KSMC": v.Department.Text,
		"YSGH": v.Doctor.Number, "YSXM": v.Doctor.Name, "JZSJ": c.whenOf(v.Start), "CYSJ": c.end(v.End),
		"RYTJ": v.AdmitSource, "LYFS": v.Disposition, "ZTBZ": status, "XGSJ": stamp(changed),
	}
	c.s.mention(County, v.Department, "", v.Doctor)
	for _, dx := range v.Diagnoses {
		if dx.Rank == 1 {
			cells["ZDBM"], cells["ZDMC"] = dx.Code, dx.Text
			continue
		}
		c.put(n, "HIS_ZD", v.Patient, map[string]string{"JZLSH": v.Number, "ZDXH": strconv.Itoa(dx.Rank), "ZDBM": dx.Code, "ZDMC": dx.Text})
	}
	return c.put(n, "HIS_JZXX", v.Patient, cells)
}

func (c *county) allergy(n *night, a *Allergy) *Record {
	return c.put(n, "HIS_GM", a.Patient, map[string]string{
		"HZID": a.Patient, "GMYDM": a.Allergen.Code, "GMYMC": a.Allergen.Text, "GMZZ": a.Reaction, "DJSJ": stamp(a.Recorded.t),
	})
}

func (c *county) order(n *night, o *Order, v *Visit, changed time.Time) *Record {
	category := "1"
	specimen := ""
	if o.panel.findings != nil {
		category = "2"
	} else {
		specimen = specimenAt(County, o.panel.specimen).Code
	}
	state := map[string]string{"active": "0", "completed": "2", "revoked": "9"}[o.Status]
	c.s.mention(County, v.Department, "", o.Requester)
	return c.put(n, "HIS_SQD", o.Patient, map[string]string{
		"SQDH": o.Number, "JZLSH": o.Visit, "HZID": o.Patient, "SQLX": category, "XMDM": o.Item.Code, "XMMC": o.Item.Text, "BBDM": specimen,
		"SQKS": v.Department.Code, "SQYS": o.Requester.Number, "SQYSXM": o.Requester.Name, "SQSJ": c.whenOf(o.Ordered),
		"JJBZ": map[string]string{"routine": "0", "urgent": "1"}[o.Priority], "ZXJG": countyMember[o.Performer], "LCZD": o.Reason,
		"ZT": state, "XGSJ": stamp(changed),
	})
}

func (c *county) prescription(n *night, x *Rx, changed time.Time) *Record {
	c.s.mention(County, Coded{}, "", x.Requester)
	return c.put(n, "HIS_CF", x.Patient, map[string]string{
		"CFH": x.Number, "XH": strconv.Itoa(x.Row), "JZLSH": x.Visit, "HZID": x.Patient, "YPBM": x.Drug.Code, "YPMC": x.Drug.Text, "GG": x.Strength,
		"YF": x.Route, "YL": x.Dose, "DW": x.DoseUnit, "PC": x.Frequency, "TS": strconv.Itoa(x.Days), "SL": x.Quantity, "SLDW": x.Pack,
		"KFYS": x.Requester.Number, "KFYSXM": x.Requester.Name, "KFSJ": c.whenOf(x.Written),
		"ZT": map[string]string{"active": "1", "completed": "2", "cancelled": "9"}[x.Status], "XGSJ": stamp(changed),
	})
}

func (c *county) referral(n *night, r *Referral, changed time.Time) *Record {
	c.s.mention(County, Coded{}, "", r.Requester)
	return c.put(n, "HIS_ZZ", r.Patient, map[string]string{
		"ZZDH": r.Number, "HZID": r.Patient, "JZLSH": r.Visit, "ZZLX": map[string]string{"up": "1", "down": "2"}[r.Direction],
		"ZCJG": countyMember[r.From], "ZRJG": countyMember[r.To], "ZRKS": r.Department, "ZZYY": r.ReasonCode, "ZZYYSM": r.Reason,
		"CBZD": r.Diagnoses[0].Code, "CBZDMC": r.Diagnoses[0].Text, "BQZY": r.Summary,
		"JJCD": map[string]string{"routine": "0", "urgent": "1"}[r.Priority], "ZZYS": r.Requester.Number, "ZZYSXM": r.Requester.Name,
		"ZZRQ": c.whenOf(r.Date), "ZZZT": r.LocalStatus, "XGSJ": stamp(changed),
	})
}

// report writes a laboratory report with its items, or an examination report. The
// header comes first among the returned records.
func (c *county) report(n *night, rep *Report, changed time.Time) []*Record {
	orderNo := ""
	if rep.Order != nil {
		orderNo = rep.Order.Number
	}
	state := c.states[rep.Status].next()
	if rep.panel.findings != nil {
		return []*Record{c.put(n, "RIS_BG", rep.Patient, map[string]string{
			"BGDH": rep.Number, "SQDH": orderNo, "HZID": rep.Patient, "JZLSH": rep.Visit, "JCLX": rep.Section, "JCXM": rep.Item.Code, "BGMC": rep.Item.Text,
			"JCBW": bodySite(rep.panel.key), "JCSJ": c.whenOf(rep.Collected), "BGSJ": c.whenOf(rep.Issued), "YXSJ": rep.Findings, "YXZD": rep.Conclusion,
			"BGYS": rep.Author.Name, "SHYS": rep.Author.Name, "BGZT": state, "XGSJ": stamp(changed),
		})}
	}
	received := c.wrongZone(rep.Collected.t.Add(20*time.Minute), rep)
	issued := c.wrongZone(rep.Issued.t, rep)
	out := []*Record{c.put(n, "LIS_BG", rep.Patient, map[string]string{
		"BGDH": rep.Number, "SQDH": orderNo, "HZID": rep.Patient, "JZLSH": rep.Visit, "BGLX": rep.Item.Code, "BGMC": rep.Item.Text, "JCLB": rep.Section,
		"BBLX": rep.Specimen.Code, "CJSJ": c.whenOf(rep.Collected), "JSSJ": received, "WCSJ": issued, "BGZT": state,
		"JYYS": rep.Author.Name, "SHYS": rep.Author.Name, "BZ": rep.Remark, "XGSJ": stamp(changed),
	})}
	for i, res := range rep.Results {
		name := res.Item.Text
		if res.Marked {
			name = c.marks.next() + name
		}
		out = append(out, c.put(n, "LIS_BGXM", rep.Patient, map[string]string{
			"BGDH": rep.Number, "XH": strconv.Itoa(i + 1), "XMDM": res.Item.Code, "XMMC": name, "XMJG": res.Value.Sent,
			"XMDW": res.Value.Unit, "JGCKZ": res.Range.Text, "GDBZ": res.Flag,
		}))
	}
	return out
}

// wrongZone writes a time, now and then with a Z that is not true.
func (c *county) wrongZone(t time.Time, rep *Report) string {
	form := c.wrong.next()
	if strings.HasSuffix(form, "Z") {
		c.s.trapOnce("mislabelled-utc", 3, rep)
	}
	return t.Format(form)
}

func bodySite(panelKey string) string {
	switch panelKey {
	case "ecg":
		return ""
	case "abdomen-us":
		return "上腹部"
	}
	return "胸部"
}

// files renders the nights that were not rendered yet; every night has its own column
// order.
func (c *county) files() []File {
	var out []File
	for _, n := range c.nights[c.written:] {
		for _, e := range extracts {
			rows := n.rows[e.name]
			if len(rows) == 0 {
				continue
			}
			f := File{Path: fmt.Sprintf("deliveries/%s/%s.csv", n.dir, e.name)}
			f.Bytes = gb18030(c.render(n, e, rows, f.Path))
			out = append(out, f)
		}
	}
	c.written = len(c.nights)
	return out
}

func (c *county) render(n *night, e extract, rows []*row, path string) string {
	var names []string
	for _, col := range e.columns {
		if !slices.Contains(n.missing[e.name], col.name) {
			names = append(names, col.name)
		}
	}
	// The first night of the first seed keeps the order of the documents.
	if n != c.nights[0] || c.s.seed != 1 {
		names = shuffled(c.s.r, names)
	}
	var b strings.Builder
	writeRow(&b, names, false)
	line := 2
	for _, r := range rows {
		cells := make([]string, len(names))
		for i, name := range names {
			cells[i] = r.cells[name]
		}
		r.record.File, r.record.Position = path, line
		before := b.Len()
		writeRow(&b, cells, n.quoteAll)
		line += strings.Count(b.String()[before:], "\n")
	}
	return b.String()
}

func writeRow(b *strings.Builder, cells []string, quoteAll bool) {
	for i, cell := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		if quoteAll || strings.ContainsAny(cell, ",\"\r\n") {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		b.WriteString(cell)
	}
	b.WriteString("\r\n")
}
