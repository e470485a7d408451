package alliancegen

import "fmt"

// communityOID is the arc of the community centre's own numbers and tables. 2.999 is
// the arc that is set aside for examples.
const communityOID = "2.999.990102304"

type communityDepartment struct{ key, code, name, subject, subjectName string }

var communityDepartments = []communityDepartment{
	{"general", "QK", "全科医疗科", "02", "全科医疗科"},
	{"tcm", "ZYK", "中医科", "50", "中医科"},
	{"homecare", "JTBC", "家庭病床科", "", ""},
	{"laboratory", "JYS", "检验室", "30", "医学检验科"},
	{"ultrasound", "CSS", "超声室", "32.05", "超声诊断专业"},
	{"radiology", "FSS", "放射室", "32.01", "X线诊断专业"},
	{"ecg-room", "XDT", "心电图室", "32.06", "心电诊断专业"},
}

// communityPanels are what the centre reports itself, by key of the panel.
var communityPanels = []struct{ key, code, section string }{
	{"cbc", "T01", "XY"}, {"glucose", "T02", "SH"}, {"hba1c", "T03", "SH"}, {"lipids", "T04", "SH"}, {"renal", "T05", "SH"},
	{"urine", "T06", "NY"}, {"hepatitis", "T07", "MY"}, {"autoimmune", "T08", "MY"}, {"blood-group", "T09", "XY"}, {"liver", "T10", "SH"},
	{"abdomen-us", "E01", "US"}, {"chest-xr", "E02", "DR"}, {"ecg", "E03", "ECG"},
}

var communitySpecimens = map[string]string{"blood": "11", "serum": "12", "plasma": "13", "urine": "21"}

// communityVital is a vital sign with its data element of the national catalogue.
type communityVital struct{ key, de, name, loinc, loincName, unit, ucum string }

var communityVitals = []communityVital{
	{"temperature", "DE04.10.186.00", "体温", "8310-5", "Body temperature", "℃", "Cel"},
	{"pulse", "DE04.10.118.00", "脉率", "8893-0", "Heart rate Peripheral artery by Palpation", "次/min", "/min"},
	{"heart", "DE04.10.206.00", "心率", "8867-4", "Heart rate", "次/min", "/min"},
	{"breathing", "DE04.10.082.00", "呼吸频率", "9279-1", "Respiratory rate", "次/min", "/min"},
	{"systolic", "DE04.10.174.00", "收缩压", "8480-6", "Systolic blood pressure", "mmHg", "mm[Hg]"},
	{"diastolic", "DE04.10.176.00", "舒张压", "8462-4", "Diastolic blood pressure", "mmHg", "mm[Hg]"},
	{"weight", "DE04.10.188.00", "体重", "29463-7", "Body weight", "kg", "kg"},
	{"height", "DE04.10.167.00", "身高", "8302-2", "Body height", "cm", "cm"},
}

var (
	communityTitles        = [][2]string{{"231", "主任医师"}, {"232", "副主任医师"}, {"233", "主治医师"}, {"234", "医师"}, {"254", "技师"}}
	communityDocumentTypes = []Code{
		{Code: "C0002", Name: "门(急)诊病历", System: systemLOINC, Target: "34108-1", Display: "Outpatient Note"},
		{Code: "C0006", Name: "检查报告"},
		{Code: "C0007", Name: "检验报告", System: systemLOINC, Target: "11502-2", Display: "Laboratory report"},
		{Code: "CYXJ", Name: "出院小结", System: systemLOINC, Target: "18842-5", Display: "Discharge summary", Note: "报文头/@bizType; C0053 of WS/T 500"},
	}
	communityDischargeSections = []Code{
		{Code: "入院情况", Name: "入院情况"},
		{Code: "诊疗经过", Name: "诊疗经过", System: systemLOINC, Target: "8648-8", Display: "Hospital course Narrative"},
		{Code: "出院情况", Name: "出院情况"},
		{Code: "出院医嘱", Name: "出院医嘱", System: systemLOINC, Target: "8653-8", Display: "Hospital Discharge instructions"},
	}
)

func communityItem(it item) string { return fmt.Sprintf("SQ%03d", it.index()+1) }

func communityDrug(d drug) string { return "SQ86" + d.code[len("XY"):] }

func communityAllergen(key string) string {
	for i, a := range allergens {
		if a.key == key {
			return fmt.Sprintf("GM%d", i+1)
		}
	}
	panic("alliancegen: no allergen " + key)
}

func communityTables() []Table {
	return []Table{
		{"document-types", "文档类型 Document types", "ClinicalDocument/code; 报文头/@bizType", communityDocumentTypes},
		{"discharge-sections", "出院小结章节 Sections of a discharge summary", "elements of 文书", communityDischargeSections},
		{"departments", "科室 Departments", "…1.26; 科室/@code", communityDepartmentRows()},
		{"titles", "专业技术职务 Professional titles (GB/T 8561)", "assignedAuthor/code", communityTitleRows()},
		{"lab-items", "检验项目 Lab items", "DE04.30.019.00 in C0007", itemRows(func(it item) []string { return []string{communityItem(it)} })},
		{"ecg-items", "心电测量 ECG items", "DE04.30.019.00 in C0006", pairs(systemLOINC, "XDHR", "心率", "8867-4")},
		{"order-types", "报告项目 Report types", "DE04.30.020.00", communityPanelRows()},
		{"sections", "检验/检查类别 Report sections", "DE04.30.018.00", communitySectionRows()},
		{"specimens", "标本类别 Specimen types", "DE04.50.134.00", specimenRows(func(s specimen) string { return communitySpecimens[s.key] })},
		{"ordinals", "定性结果 Ordinal results", "DE04.30.015.00 as CD", pairs("", "1", "阴性", "", "2", "弱阳性", "", "3", "阳性", "")},
		{"flags", "异常标志 Abnormal flags", "interpretationCode", flagRows("H", "偏高", "H", "L", "偏低", "L", "N", "正常", "N", "A", "异常", "A")},
		{"result-codes", "检查/检验结果代码 Result codes (1 is abnormal)", "DE04.30.017.00", flagRows("1", "异常", "A", "2", "正常", "N", "3", "不确定", "IND")},
		{"vital-signs", "生命体征 Vital signs", "entries of section 8716-3", communityVitalRows()},
		{"diagnoses", "诊断 Diagnoses", "DE05.01.024.00; 诊断/@icd", diagnosisRows(func(d diagnosis) string { return d.code })},
		{"allergens", "过敏原 Allergens", "DE02.10.022.00", allergenRows(func(a allergen) string { return communityAllergen(a.key) })},
		{"drugs", "药品 Drugs", "药品/@ypbm", communityDrugRows()},
		{"frequencies", "频次 Frequencies", "频次", pairs("http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "qd", "每日一次", "QD", "bid", "每日两次", "BID", "tid", "每日三次", "TID", "qn", "每晚一次", "", "prn", "必要时", "")},
		{"routes", "用药途径 Routes (CV06.00.102)", "用法/@code", pairs(systemRoute, "1", "口服", "1", "401", "皮下注射", "401", "5", "吸入", "5")},
		{"sex", "性别 Sex (GB/T 2261.1)", "administrativeGenderCode; 患者/@sex", pairs(systemSex, "0", "未知的性别", "unknown", "1", "男性", "male", "2", "女性", "female", "9", "未说明的性别", "unknown")},
		{"marital", "婚姻 Marital status (GB/T 2261.2)", "maritalStatusCode; 婚姻", maritalRows()},
		{"ethnicity", "民族 Ethnicity (GB/T 3304)", "ethnicGroupCode; 民族", ethnicRows()},
		{"relations", "与患者关系 Relations (GB/T 4761)", "participant NOT; 联系人/@关系", communityRelationRows()},
		{"visit-class", "患者类型 Visit class", "encompassingEncounter/code; 住院/@类型", pairs(systemAct, "1", "门诊", "AMB", "2", "急诊", "EMER", "4", "日间病床", "SS", "5", "家庭病床", "HH")},
		{"discharge-disposition", "离院方式 Discharge disposition", "离院方式", dispositionRows()},
		{"prescription-status", "处方状态 Prescription status", "处方/@状态", pairs("http://hl7.org/fhir/CodeSystem/medicationrequest-status", "1", "有效", "active", "2", "已发药", "completed", "9", "作废", "cancelled")},
	}
}

func communityDepartmentRows() []Code {
	var rows []Code
	for _, d := range communityDepartments {
		row := Code{Code: d.code, Name: d.name}
		if d.subject != "" {
			row.System, row.Target, row.Display = systemSubject, d.subject, d.subjectName
		}
		rows = append(rows, row)
	}
	return rows
}

func communityTitleRows() []Code {
	var rows []Code
	for _, t := range communityTitles {
		rows = append(rows, Code{Code: t[0], Name: t[1]})
	}
	return rows
}

func communityPanelRows() []Code {
	var rows []Code
	for _, c := range communityPanels {
		p := panelByKey(c.key)
		row := Code{Code: c.code, Name: p.name, Note: c.section}
		if p.loinc != "" {
			row.System, row.Target, row.Display = systemLOINC, p.loinc, p.loincName
		}
		rows = append(rows, row)
	}
	return rows
}

func communityVitalRows() []Code {
	var rows []Code
	for _, v := range communityVitals {
		rows = append(rows, Code{Code: v.de, Name: v.name, System: systemLOINC, Target: v.loinc, Display: v.loincName, Note: v.unit})
	}
	return rows
}

func communityDrugRows() []Code {
	var rows []Code
	for _, d := range drugs {
		rows = append(rows, Code{Code: communityDrug(d), Name: d.name, System: systemATC, Target: d.atc, Display: d.atcName, Note: d.spec})
	}
	return rows
}

func communitySectionRows() []Code {
	return pairs(systemSection, "SH", "生化", "CH", "XY", "血液", "HM", "MY", "免疫", "SR", "NY", "尿液", "LAB", "US", "超声", "RUS", "DR", "放射", "RX", "ECG", "心电", "EC")
}

func communityRelationRows() []Code {
	return pairs(systemRelation, "10", "配偶", "SPS", "20", "子", "SON", "30", "女", "DAU", "50", "父母", "PRN", "70", "兄弟姐妹", "SIB", "97", "其他", "")
}

func communityRelation(code string) string { return nameOf(communityRelationRows(), code) }

func communityVitalByKey(key string) communityVital {
	for _, v := range communityVitals {
		if v.key == key {
			return v
		}
	}
	panic("alliancegen: no vital sign " + key)
}

func communityDepartmentByKey(key string) communityDepartment {
	for _, d := range communityDepartments {
		if d.key == key {
			return d
		}
	}
	panic("alliancegen: no department " + key)
}

func communityDepartmentName(code string) string {
	for _, d := range communityDepartments {
		if d.code == code {
			return d.name
		}
	}
	panic("alliancegen: no department " + code)
}
