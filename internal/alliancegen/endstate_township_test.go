package alliancegen_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/yilian/yilian/internal/alliancegen"
)

// readRow keeps the cells that a row has; those its sheet did not have stay.
func (s *endState) readRow(kind string, row map[string]string) {
	key := kind
	for _, k := range keyColumns[kind] {
		key += " " + row[k]
	}
	if s.rows[key] == nil {
		s.rows[key] = map[string]string{}
	}
	for name, v := range row {
		s.rows[key][name] = strings.TrimRight(v, " ")
	}
}

var townshipWords = map[string]string{
	"就诊中": "in-progress", "已诊": "finished", "退号": "cancelled",
	"已申请": "active", "已出报告": "completed", "已撤销": "revoked",
	"已开方": "active", "已发药": "completed",
	"待诊断": "preliminary", "正常": "final", "已诊断": "final", "更正": "corrected", "作废": "entered-in-error",
}

// township compares what the workbooks say of a person.
func (s *endState) township(differ func(what, got, want string), p *alliancegen.Person) {
	for _, v := range p.Visits {
		if v.Institution != alliancegen.Township {
			continue
		}
		at, row := "visit "+v.Number, s.rows["门诊登记 "+v.Number]
		differ(at, townshipWords[row["状态"]], v.Status)
		differ(at+" patient", row["患者_档案号"], v.Patient)
		differ(at+" class", row["就诊_类型"], v.LocalClass)
		differ(at+" department", row["就诊_科室代码"]+row["就诊_科室"], v.Department.Code+v.Department.Text)
		differ(at+" doctor", row["就诊_医生工号"]+row["就诊_医生"], v.Doctor.Number+v.Doctor.Name)
		differ(at+" day", digits(row["就诊_日期"]), digits(v.Start.String())[:8])
		differ(at+" time", row["就诊_时间"], v.Start.Instant().Format("15:04"))
		dx, signs := []string{row["诊断_编码"], row["诊断_其他编码"]}, map[string]string{}
		for i, want := range v.Diagnoses {
			differ(at+" diagnosis", dx[i], want.Code)
		}
		for _, sign := range v.Vitals {
			signs[sign.Item.Code] = sign.Value.Sent
		}
		for _, name := range []string{"体温", "脉搏", "收缩压", "舒张压"} {
			differ(at+" "+name, row["体征_"+name], signs[name])
		}
	}
	for _, o := range p.Orders {
		if o.Institution == alliancegen.Township {
			at, row := "order "+o.Number, s.rows["检验申请 "+o.Number]
			differ(at, townshipWords[row["状态"]], o.Status)
			differ(at+" form", row["申请单号"], o.Group)
			differ(at+" item", row["项目代码"]+row["档案号"]+row["门诊号"], o.Item.Code+o.Patient+o.Visit)
			differ(at+" performer", map[string]string{"衡远市区域检验中心": alliancegen.Lab, "青崖县人民医院": alliancegen.County}[row["送检机构"]], o.Performer)
		}
	}
	for _, x := range p.Prescriptions {
		if x.Institution == alliancegen.Township {
			at := fmt.Sprintf("%s %d", x.Number, x.Row)
			row := s.rows["处方 "+at]
			status := townshipWords[row["状态"]]
			if row["状态"] == "作废" {
				status = "cancelled"
			}
			differ("prescription "+at, status, x.Status)
			differ("drug of "+at, row["药品编码"]+row["单次剂量"]+row["频次"]+row["用法"]+row["天数"], x.Drug.Code+x.Dose+x.Frequency+x.Route+fmt.Sprint(x.Days))
			differ("visit of "+at, row["门诊号"]+row["医生工号"], x.Visit+x.Requester.Number)
		}
	}
	for _, x := range p.Referrals {
		if x.Institution == alliancegen.Township {
			row := s.rows["转诊登记 "+x.Number]
			differ("referral "+x.Number, row["状态"], x.LocalStatus)
			answers := ""
			if x.Answers != nil {
				answers = x.Answers.Number
			}
			differ("what referral "+x.Number+" answers", row["原转诊单号"], answers)
			differ("direction of "+x.Number, row["转诊类型"], map[string]string{"up": "上转", "down": "下转"}[x.Direction])
			differ("words of "+x.Number, row["病情摘要"]+row["转诊原因"], x.Summary+x.Reason)
		}
	}
	for _, r := range p.Reports {
		if r.Institution == alliancegen.Township {
			s.townshipReport(differ, r)
		}
	}
}

func digits(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	for i := range parts {
		if len(parts[i]) == 1 {
			parts[i] = "0" + parts[i]
		}
	}
	return strings.Join(parts, "")
}

func (s *endState) townshipReport(differ func(what, got, want string), r *alliancegen.Report) {
	at, kind := "report "+r.Number, "检验报告"
	switch r.Number[:2] {
	case "NC":
		kind = "尿常规"
	case "XD":
		kind = "心电图"
	}
	row := s.rows[kind+" "+r.Number]
	differ(at, townshipWords[row["状态"]], r.Status)
	differ(at+" patient", row["档案号"]+row["门诊号"], r.Patient+r.Visit)
	if kind == "心电图" {
		differ(at+" text", row["心电图所见"]+"§"+row["诊断结论"]+"§"+row["诊断医师"], r.Findings+"§"+r.Conclusion+"§"+r.Author.Name)
		differ(at+" rate", row["心率"], r.Results[0].Value.Sent)
		return
	}
	differ(at+" specimen", row["标本条码"], r.SpecimenNumber)
	differ(at+" author", row["审核者工号"]+row["审核者"], r.Author.Number+r.Author.Name)
	for i, res := range r.Results {
		if kind == "尿常规" {
			differ(at+" result", row[res.Item.Code], res.Value.Sent)
			continue
		}
		line := s.rows[fmt.Sprintf("检验结果 %s %d", r.Number, i+1)]
		differ(at+" result", fmt.Sprint(line["项目代码"], line["结果"], line["单位"], line["参考范围"], line["提示"], townshipWords[line["状态"]]),
			fmt.Sprint(res.Item.Code, res.Value.Sent, res.Value.Unit, res.Range.Text, res.Flag, res.Status))
	}
}

// complete compares what stands beside the results of a report of the city.
func (s *endState) complete(differ func(what, got, want string), at string, r *alliancegen.Report) {
	var papers []string
	for _, p := range s.papers[r.Number] {
		f := strings.Split(p, "^") // OBX-3: code, title, system; OBX-5: system, kind, subtype, encoding, data
		raw, err := base64.StdEncoding.DecodeString(f[7])
		if err != nil {
			raw = nil
		}
		sum := sha256.Sum256(raw)
		mime := map[string]string{"Application/PDF": "application/pdf", "Image/PNG": "image/png"}[f[4]+"/"+f[5]]
		papers = append(papers, fmt.Sprint(f[1], mime, hex.EncodeToString(sum[:]), len(raw)))
	}
	var want []string
	for _, a := range r.Attachments {
		want = append(want, fmt.Sprint(a.Title, a.ContentType, a.SHA256, a.Size))
	}
	differ(at+" papers", strings.Join(papers, "\n"), strings.Join(want, "\n"))
	if st := r.Study; st != nil {
		differ(at+" study", strings.Join(s.studies[r.Number], " "), fmt.Sprintf("%s %d %d %s^HYPACS^TEXT^HTML", st.UID, st.Series, st.Instances, st.Viewer))
		differ(at+" accession", s.numbers[r.Number], st.Accession)
		return
	}
	differ(at+" study", strings.Join(s.studies[r.Number], " "), "")
	differ(at+" specimen", s.numbers[r.Number], r.SpecimenNumber)
}

// mentions keeps whom and what a segment names.
func (s *endState) mentions(f []string) {
	who := func(field, separator string) {
		if p := strings.Split(field, separator); len(p) > 1 && p[0] != "" {
			s.staff[p[0]] = p[1]
		}
	}
	where := func(code string) {
		if code != "" {
			s.wards[code] = true
		}
	}
	switch f[0] {
	case "PV1":
		p := append(strings.Split(f[3], "^"), "", "")
		where(p[0])
		where(p[1])
		who(f[7], "^")
	case "ORC":
		who(f[12], "^")
	case "OBR":
		who(f[16], "^")
		who(f[32], "&")
	case "PRD":
		where(strings.Split(f[4], "^")[0])
		who(f[7]+"^"+f[2], "^")
	case "AIG":
		where(strings.Split(f[3], "^")[0])
	case "AIP":
		who(f[3], "^")
	}
}

// masters compares departments and staff with every mention of them.
func (s *endState) masters(differ func(what, got, want string), l *alliancegen.Ledger) {
	known := map[string]string{}
	for _, d := range l.Departments {
		known[d.Institution+" department "+d.Code] = d.Name + "|" + d.PartOf
	}
	for _, m := range l.Staff {
		known[m.Institution+" staff "+m.Number] = m.Name + "|" + m.Department + "|" + m.Title.Code
	}
	seen := map[string]bool{}
	mention := func(institution, kind, code, want string, whole bool) {
		key := institution + " " + kind + " " + code
		seen[key] = true
		got := known[key]
		if !whole {
			got, _, _ = strings.Cut(got, "|")
		}
		differ(key, want, got)
	}
	for key, row := range s.rows {
		switch table, _, _ := strings.Cut(key, " "); table {
		case "HIS_KS":
			mention(alliancegen.County, "department", row["KSDM"], row["KSMC"]+"|"+row["SJKS"], true)
		case "HIS_ZG":
			mention(alliancegen.County, "staff", row["ZGGH"], row["XM"]+"|"+row["KSDM"]+"|"+row["ZC"], true)
		case "科室":
			mention(alliancegen.Township, "department", row["科室代码"], row["科室名称"]+"|"+row["上级科室"], true)
		case "职工":
			mention(alliancegen.Township, "staff", row["工号"], row["姓名"]+"|"+row["科室代码"]+"|"+row["职称"], true)
		case "HIS_JZXX":
			mention(alliancegen.County, "department", row["KSDM"], row["KSMC"], false)
			mention(alliancegen.County, "staff", row["YSGH"], row["YSXM"], false)
		case "HIS_CF":
			mention(alliancegen.County, "staff", row["KFYS"], row["KFYSXM"], false)
		}
	}
	for code := range s.wards {
		seen[alliancegen.City+" department "+code] = true
		if _, ok := known[alliancegen.City+" department "+code]; !ok {
			differ("ward or department "+code, "there", "unknown")
		}
	}
	for number, name := range s.staff {
		mention(alliancegen.City, "staff", number, name, false)
	}
	for key := range known {
		if !seen[key] && !strings.HasPrefix(key, alliancegen.Community) {
			differ(key, "nowhere", "known")
		}
	}
}

func reportWith(l *alliancegen.Ledger, has func(*alliancegen.Report) bool) *alliancegen.Report {
	for _, p := range l.Persons {
		for _, r := range p.Reports {
			if r.Institution == alliancegen.City && has(r) {
				return r
			}
		}
	}
	return nil
}

func townshipReport(l *alliancegen.Ledger, prefix string) *alliancegen.Report {
	for _, p := range l.Persons {
		for _, r := range p.Reports {
			if r.Institution == alliancegen.Township && strings.HasPrefix(r.Number, prefix) {
				return r
			}
		}
	}
	return nil
}

func townshipNumber(l *alliancegen.Ledger) string {
	for _, p := range l.Persons {
		for _, q := range p.Patients {
			if q.Institution == alliancegen.Township {
				return q.ID
			}
		}
	}
	return ""
}

func memberOf(l *alliancegen.Ledger, institution string) *alliancegen.Member {
	for i := range l.Staff {
		if l.Staff[i].Institution == institution {
			return &l.Staff[i]
		}
	}
	return nil
}

func departmentOf(l *alliancegen.Ledger, institution string) *alliancegen.Department {
	for i := range l.Departments {
		if l.Departments[i].Institution == institution {
			return &l.Departments[i]
		}
	}
	return nil
}
