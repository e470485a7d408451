package alliancegen

import "fmt"

// townshipUnit is a department or ward of the township centre.
type townshipUnit struct{ key, code, name, partOf, subject, subjectName string }

var townshipUnits = []townshipUnit{
	{"general", "0010", "全科门诊", "", "02", "全科医疗科"},
	{"tcm", "0020", "中医科", "", "50", "中医科"},
	{"women", "0030", "妇幼保健科", "", "", ""},
	{"public", "0040", "公共卫生科", "", "", ""},
	{"laboratory", "0090", "检验室", "", "30", "医学检验科"},
	{"ecg-room", "0095", "心电图室", "", "32.06", "心电诊断专业"},
	{"inpatients", "0110", "住院部", "", "02", "全科医疗科"},
	{"ward", "0111", "综合病区", "0110", "", ""},
	{"observation", "0112", "留观室", "0010", "", ""},
}

// Township codes of items are three digits, of which the workbook holds the number.
func (i item) townshipCode() string { return fmt.Sprintf("%03d", 11+3*i.index()) }

// townshipPanels are what the centre reports and orders, by its own code.
var townshipPanels = []struct{ key, code string }{
	{"cbc", "T01"}, {"electrolytes", "T02"}, {"liver", "T03"}, {"renal", "T04"}, {"lipids", "T05"}, {"hba1c", "T06"}, {"glucose", "T07"}, {"urine", "T08"},
	{"thyroid", "T10"}, {"chest-ct", "T20"}, {"ecg", "T21"}, {"abdomen-us", "T22"},
}

func townshipPanelCode(key string) string {
	for _, p := range townshipPanels {
		if p.key == key {
			return p.code
		}
	}
	return ""
}

// wideItems are the results that have a column of their own.
var wideItems = []struct{ column, item, unit string }{
	{"蛋白", "UPRO", ""}, {"葡萄糖", "UGLU", ""}, {"酮体", "UKET", ""}, {"酸碱度", "UPH", ""}, {"白细胞", "UWBC", "个/HP"},
}

// vitals are measured in visits. The local code is the column.
var vitalSigns = []struct{ column, text, loinc, display, unit, ucum string }{
	{"体温", "体温", "8310-5", "Body temperature", "℃", "Cel"},
	{"脉搏", "脉搏", "8867-4", "Heart rate", "次/分", "/min"},
	{"收缩压", "收缩压", "8480-6", "Systolic blood pressure", "mmHg", "mm[Hg]"},
	{"舒张压", "舒张压", "8462-4", "Diastolic blood pressure", "mmHg", "mm[Hg]"},
}

func townshipDrugCode(index int) string { return fmt.Sprintf("YP%03d", 3+4*index) }

var (
	townshipMarital   = [][3]string{{"10", "未婚", "S"}, {"20", "已婚", "M"}, {"30", "丧偶", "W"}, {"40", "离婚", "D"}}
	townshipFrequency = [][3]string{{"QD", "一日一次", "QD"}, {"BID", "一日两次", "BID"}, {"TID", "一日三次", "TID"}, {"QN", "每晚一次", ""}, {"Q12H", "每12小时一次", ""}, {"PRN", "必要时", ""}}
	townshipRoute     = [][3]string{{"1", "口服", "1"}, {"401", "皮下注射", "401"}, {"404", "静脉滴注", "404"}, {"5", "吸入", "5"}}
	townshipRelation  = [][3]string{{"1", "配偶", "SPS"}, {"2", "子", "SON"}, {"3", "女", "DAU"}, {"5", "父母", "PRN"}, {"7", "兄弟姐妹", "SIB"}, {"8", "其他", ""}}
)

// words gives the rows of a table whose codes are words.
func words(system string, of [][3]string) []Code {
	var rows []Code
	for _, w := range of {
		rows = append(rows, pairs(system, w[1], w[1], w[2])...)
	}
	return rows
}

// word translates a code of the catalogue into the centre's word.
func word(of [][3]string, code string) string {
	for _, w := range of {
		if w[0] == code {
			return w[1]
		}
	}
	panic("alliancegen: no word for " + code)
}

// Names by which the workbook calls members.
var townshipMember = map[string]string{
	City: "衡远市第一人民医院", County: "青崖县人民医院", Lab: "衡远市区域检验中心", Township: "白河镇卫生院",
}

// titles are 专业技术职务 by GB/T 8561 code; the township centre writes the words.
var titles = [][2]string{
	{"231", "主任医师"}, {"232", "副主任医师"}, {"233", "主治医师"}, {"234", "医师"}, {"235", "医士"},
	{"252", "副主任护师"}, {"253", "主管护师"}, {"254", "护师"}, {"255", "护士"}, {"263", "主管技师"}, {"264", "技师"}, {"243", "主管药师"},
}

func titleRows(words bool) []Code {
	var rows []Code
	for _, t := range titles {
		row := Code{Code: t[0], Name: t[1]}
		if words {
			row = Code{Code: t[1], Name: t[1], Note: t[0]}
		}
		rows = append(rows, row)
	}
	return rows
}

func townshipTables() []Table {
	var departments, items, wide, orders, drugRows []Code
	for _, u := range townshipUnits {
		row := Code{Code: u.code, Name: u.name}
		if u.subject != "" {
			row.System, row.Target, row.Display = systemSubject, u.subject, u.subjectName
		}
		if u.partOf != "" {
			row.Note = "病区 ward of " + u.partOf
		}
		departments = append(departments, row)
	}
	items = append(items, itemRows(func(i item) []string { return []string{i.townshipCode()} })...)
	for _, w := range wideItems {
		it := itemByKey(w.item)
		wide = append(wide, Code{Code: w.column, Name: w.column, System: systemLOINC, Target: it.loinc, Display: it.loincName, Note: w.unit})
	}
	wide = append(wide, Code{Code: "心率", Name: "心率", System: systemLOINC, Target: "8867-4", Display: "Heart rate", Note: "次/分"})
	for _, v := range vitalSigns {
		wide = append(wide, Code{Code: v.column, Name: v.text, System: systemLOINC, Target: v.loinc, Display: v.display, Note: v.unit})
	}
	for _, p := range townshipPanels {
		pan := panelByKey(p.key)
		row := Code{Code: p.code, Name: pan.name, Note: pan.section}
		switch pan.section { // the city's own; the rest are codes of v2-0074
		case "UA":
			row.Note = "LAB"
		case "US":
			row.Note = "RUS"
		}
		if pan.loinc != "" {
			row.System, row.Target, row.Display = systemLOINC, pan.loinc, pan.loincName
		}
		orders = append(orders, row)
	}
	for i, d := range drugs {
		drugRows = append(drugRows, Code{Code: townshipDrugCode(i), Name: d.name, System: systemATC, Target: d.atc, Display: d.atcName, Note: d.spec})
	}
	reports := pairs(systemReport, "待诊断", "待上级诊断", "preliminary", "正常", "正常", "final", "已诊断", "已诊断", "final", "更正", "更正", "corrected", "作废", "作废", "entered-in-error")
	return []Table{
		{"departments", "科室与病区 Departments and wards", "门诊登记 就诊_科室代码, 科室 科室代码, 职工 科室代码", departments},
		{"lab-items", "检验项目 Lab items", "检验结果 项目代码", items},
		{"wide-items", "自成一列的结果 Results that have a column", "columns of 尿常规, 心电图, 门诊登记 体征", wide},
		{"order-types", "申请与报告项目 Order and report types (the note is the section, v2-0074)", "检验申请 项目代码, 检验报告 项目代码", orders},
		{"specimens", "标本 Specimen types", "检验申请 标本, 检验报告 标本", specimenRows(func(s specimen) string { return s.name })},
		{"diagnoses", "诊断 Diagnoses", "门诊登记 诊断_编码 诊断_其他编码, 转诊登记 诊断编码", diagnosisRows(func(d diagnosis) string { return d.icd })},
		{"drugs", "药品 Drugs", "处方 药品编码", drugRows},
		{"frequencies", "频次 Frequencies", "处方 频次", words("http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", townshipFrequency)},
		{"routes", "用法 Routes", "处方 用法", words(systemRoute, townshipRoute)},
		{"sex", "性别 Sex", "居民档案 性别", pairs(systemSex, "男", "男", "male", "女", "女", "female", "1", "男", "male", "2", "女", "female", "未知", "未知", "unknown")},
		{"marital", "婚姻 Marital status", "居民档案 婚姻状况", append(words(systemMarital, townshipMarital), pairs(systemMaritalU, "未说明", "未说明", "UNK")...)},
		{"ethnicity", "民族 Ethnicity (GB/T 3304)", "居民档案 民族", ethnicRows()},
		{"relations", "关系 Relations", "居民档案 联系人关系", words(systemRelation, townshipRelation)},
		{"visit-class", "就诊类型 Visit class", "门诊登记 就诊_类型", pairs(systemAct, "门诊", "门诊", "AMB", "急诊", "急诊", "EMER")},
		{"visit-status", "就诊状态 Visit status", "门诊登记 状态", pairs(systemVisit, "就诊中", "就诊中", "in-progress", "已诊", "已诊", "finished", "退号", "退号", "cancelled")},
		{"order-status", "申请状态 Order status", "检验申请 状态", pairs(systemRequest, "已申请", "已申请", "active", "已出报告", "已出报告", "completed", "已撤销", "已撤销", "revoked")},
		{"order-priority", "加急 Priority", "检验申请 加急", pairs(systemPriority, "否", "普通", "routine", "是", "加急", "urgent")},
		{"report-status", "报告状态 Report status", "检验报告 尿常规 心电图 状态", reports},
		{"result-status", "结果状态 Status of one result", "检验结果 状态", pairs("http://hl7.org/fhir/observation-status", "正常", "正常", "final", "更正", "更正", "corrected", "作废", "作废", "entered-in-error")},
		{"flags", "提示 Flags", "检验结果 提示", flagRows("↑", "偏高", "H", "↓", "偏低", "L", "*", "异常", "A")},
		{"prescription-status", "处方状态 Prescription status", "处方 状态", pairs("http://hl7.org/fhir/CodeSystem/medicationrequest-status", "已开方", "已开方", "active", "已发药", "已发药", "completed", "作废", "作废", "cancelled")},
		{"referral-direction", "转诊类型 Referral direction", "转诊登记 转诊类型", pairs("", "上转", "上转 (up)", "", "下转", "下转 (down)", "")},
		{"referral-priority", "紧急程度 Referral priority", "转诊登记 紧急程度", pairs(systemPriority, "普通", "普通", "routine", "紧急", "紧急", "urgent")},
		{"referral-status", "转诊状态 Referral status", "转诊登记 状态", pairs(systemRequest, "待接收", "待接收", "active", "已接收", "已接收", "active", "已完成", "已完成", "completed", "已取消", "已取消", "revoked")},
		{"titles", "职称 Professional titles (the note is the GB/T 8561 code)", "职工 职称", titleRows(true)},
		{"members", "机构名称 Institutions as the workbook names them", "送检机构, 诊断机构, 转出机构, 转入机构", pairs(systemMember,
			townshipMember[City], institutionName(City), City, townshipMember[County], institutionName(County), County,
			townshipMember[Lab], institutionName(Lab), Lab, townshipMember[Township], institutionName(Township), Township)},
	}
}
