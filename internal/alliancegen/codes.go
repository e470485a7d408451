package alliancegen

// Systems that local codes are mapped to in the interface documents.
const (
	systemLOINC    = "http://loinc.org"
	systemICD10    = "http://hl7.org/fhir/sid/icd-10"
	systemATC      = "http://www.whocc.no/atc"
	systemSpecimen = "http://terminology.hl7.org/CodeSystem/v2-0487"
	systemSex      = "http://hl7.org/fhir/administrative-gender"
	systemMarital  = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
	systemMaritalU = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
	systemAct      = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	systemFlag     = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
	systemSubject  = "urn:yilian:clinical-department" // 诊疗科目
	systemSection  = "http://terminology.hl7.org/CodeSystem/v2-0074"
	systemReport   = "http://hl7.org/fhir/diagnostic-report-status"
	systemRequest  = "http://hl7.org/fhir/request-status"
	systemVisit    = "http://hl7.org/fhir/encounter-status"
	systemPriority = "http://hl7.org/fhir/request-priority"
	systemEthnic   = "urn:oid:2.16.156.10011.2.3.3.3"
	systemRoute    = "urn:oid:2.16.156.10011.2.3.1.158"
	systemIDType   = "http://terminology.hl7.org/CodeSystem/v2-0203"
	systemRelation = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
	systemAllergy  = "http://hl7.org/fhir/allergy-intolerance-category"
	systemAdmit    = "http://terminology.hl7.org/CodeSystem/admit-source"
	systemLeave    = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
	systemMember   = "urn:yilian:institution"
	systemModality = "http://dicom.nema.org/resources/ontology/DCM"
)

// Code is one row of a local code table. Target is empty where no standard code is
// certain: a map then keeps the local coding.
type Code struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	System  string `json:"system,omitempty"`
	Target  string `json:"target,omitempty"`
	Display string `json:"display,omitempty"`
	Note    string `json:"note,omitempty"`
}

// Table is one local code table of an institution.
type Table struct {
	Name  string `json:"name"`  // file-name-worthy, e.g. lab-items
	Title string `json:"title"` // Chinese and English heading
	Field string `json:"field"` // where the codes occur in the records
	Rows  []Code `json:"rows"`
}

// Codes returns every local code table by institution. It does not depend on a
// seed: a seed uses a part of what stands here, plus the one deliberately unknown
// item code of the unmapped-code trap.
func Codes() map[string][]Table {
	return map[string][]Table{
		City:   cityTables(),
		County: countyTables(),
		Lab:    labTables(),

		Community: communityTables(),
		Township:  townshipTables(),
	}
}

func itemRows(local func(item) []string) []Code {
	var rows []Code
	for _, it := range items {
		for n, c := range local(it) {
			note := ""
			if n > 0 {
				note = "another analyser, same item"
			}
			row := Code{Code: c, Name: it.name, Note: note}
			if it.loinc != "" {
				row.System, row.Target, row.Display = systemLOINC, it.loinc, it.loincName
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func orderRows(local func(panel) string) []Code {
	var rows []Code
	for _, p := range panels {
		c := local(p)
		if c == "" {
			continue
		}
		row := Code{Code: c, Name: p.name, Note: p.section}
		if p.loinc != "" {
			row.System, row.Target, row.Display = systemLOINC, p.loinc, p.loincName
		}
		rows = append(rows, row)
	}
	return rows
}

func departmentRows(local func(department) string) []Code {
	var rows []Code
	for _, d := range departments {
		if c := local(d); c != "" {
			rows = append(rows, Code{Code: c, Name: d.name, System: systemSubject, Target: d.subject, Display: d.subjectName})
		}
	}
	return rows
}

func diagnosisRows(local func(diagnosis) string) []Code {
	var rows []Code
	for _, d := range diagnoses {
		rows = append(rows, Code{Code: local(d), Name: d.name, System: systemICD10, Target: d.icd, Display: d.icdName})
	}
	return rows
}

func specimenRows(local func(specimen) string) []Code {
	var rows []Code
	for _, s := range specimens {
		if c := local(s); c != "" {
			rows = append(rows, Code{Code: c, Name: s.name, System: systemSpecimen, Target: s.v2, Display: s.v2Name})
		}
	}
	return rows
}

func allergenRows(local func(allergen) string) []Code {
	var rows []Code
	for _, a := range allergens {
		rows = append(rows, Code{Code: local(a), Name: a.name, System: systemAllergy, Target: a.category})
	}
	return rows
}

// pairs builds a table from code, name, target triples of one system.
func pairs(system string, triples ...string) []Code {
	var rows []Code
	for i := 0; i+2 < len(triples); i += 3 {
		row := Code{Code: triples[i], Name: triples[i+1]}
		if triples[i+2] != "" {
			row.System, row.Target = system, triples[i+2]
		}
		rows = append(rows, row)
	}
	return rows
}

func maritalRows() []Code {
	rows := pairs(systemMarital,
		"10", "未婚", "S", "20", "已婚", "M", "21", "初婚", "M", "22", "再婚", "M", "23", "复婚", "M",
		"30", "丧偶", "W", "40", "离婚", "D")
	return append(rows, pairs(systemMaritalU, "90", "未说明的婚姻状况", "UNK")...)
}

func ethnicRows() []Code {
	var rows []Code
	for _, e := range ethnicities {
		rows = append(rows, Code{Code: e[0], Name: e[1], System: systemEthnic, Target: e[0]})
	}
	return rows
}

func relationRows() []Code {
	return pairs(systemRelation,
		"1", "配偶", "SPS", "2", "子", "SON", "3", "女", "DAU", "5", "父母", "PRN", "7", "兄弟姐妹", "SIB", "8", "其他", "")
}

func flagRows(triples ...string) []Code { return pairs(systemFlag, triples...) }

func cityTables() []Table {
	return []Table{
		{"departments", "科室 Departments", "PV1-3.1, PV1-10, OBR-24 sender, PRD-4", departmentRows(func(d department) string { return d.city })},
		{"lab-items", "检验项目 Lab items", "OBX-3 (LIS)", itemRows(item.cityCodes)},
		{"ecg-items", "心电测量与文字 ECG items", "OBX-3 (ECG)", pairs(systemLOINC, "ECG_HR", "心率", "8867-4", "ECG_SJ", "心电图所见", "", "ECG_ZD", "心电图诊断", "", "ECG_PDF", "心电图报告", "")},
		{"blood-groups", "血型 Blood groups", "OBX-5 of item ABO (CE)", bloodGroupRows()},
		{"order-types", "申请项目 Order and report types", "OBR-4", orderRows(func(p panel) string { return p.city })},
		{"specimens", "标本类型 Specimen types", "OBR-15.1", specimenRows(func(s specimen) string { return s.city })},
		{"diagnoses", "诊断 Diagnoses (国家临床版 2.0 form)", "DG1-3", diagnosisRows(func(d diagnosis) string { return d.code })},
		{"allergens", "过敏原 Allergens", "AL1-3", allergenRows(func(a allergen) string { return a.city })},
		{"sex", "性别 Sex", "PID-8", pairs(systemSex, "M", "男", "male", "F", "女", "female", "男", "男", "male", "女", "女", "female", "U", "未知", "unknown")},
		{"marital", "婚姻 Marital status (GB/T 2261.2)", "PID-16", maritalRows()},
		{"ethnicity", "民族 Ethnicity (GB/T 3304)", "PID-22", ethnicRows()},
		{"visit-class", "就诊类型 Visit class", "PV1-2", pairs(systemAct, "O", "门诊", "AMB", "E", "急诊", "EMER", "I", "住院", "IMP", "P", "预住院", "PRENC", "T", "体检", "AMB")},
		{"admit-source", "入院途径 Admit source", "PV1-14", pairs(systemAdmit, "1", "急诊", "emd", "2", "门诊", "outp", "3", "其他医疗机构转入", "hosp-trans", "9", "其他", "other")},
		{"discharge-disposition", "离院方式 Discharge disposition", "PV1-36", dispositionRows()},
		{"payers", "医疗付费方式 Payers", "ZPI-3", payerRows()},
		{"relations", "与患者关系 Relations (GB/T 4761, first digit)", "NK1-3", relationRows()},
		{"sections", "报告类别 Diagnostic service sections", "OBR-24", pairs(systemSection, "CH", "临床化学", "CH", "HM", "血液学", "HM", "SR", "免疫", "SR", "UA", "尿液", "LAB", "MB", "微生物", "MB", "RX", "放射", "RX", "CT", "CT", "CT", "US", "超声", "RUS", "EC", "心电", "EC", "SP", "病理", "SP")},
		{"flags", "异常标志 Abnormal flags; S I R of susceptibilities", "OBX-8", flagRows("H", "偏高", "H", "L", "偏低", "L", "HH", "危急高", "HH", "LL", "危急低", "LL", "N", "正常", "N", "A", "异常", "A", "↑", "偏高", "H", "↓", "偏低", "L", "S", "敏感", "S", "I", "中介", "I", "R", "耐药", "R")},
		{"report-status", "报告状态 Report status", "OBR-25, OBX-11", pairs(systemReport, "P", "初步报告", "preliminary", "F", "正式报告", "final", "C", "更正报告", "corrected", "X", "作废 (OBR-25)", "entered-in-error", "D", "删除 (OBX-11)", "entered-in-error")},
		{"order-status", "医嘱控制 Order control and status", "ORC-1 / ORC-5", pairs(systemRequest, "NW", "新申请 (ORC-1)", "active", "SC", "状态变更 (ORC-1, ORC-5 decides)", "", "CA", "取消 (ORC-1)", "revoked", "IP", "执行中 (ORC-5)", "active", "CM", "已完成 (ORC-5)", "completed")},
		{"order-priority", "优先级 Priority", "ORC-7.6, OBR-27.6", pairs(systemPriority, "R", "普通", "routine", "S", "急", "stat", "A", "尽快", "asap")},
		{"referral-direction", "转诊方向 Referral direction", "RF1-3", pairs("", "1", "上转 (up)", "", "2", "下转 (down)", "")},
		{"referral-status", "转诊状态 Referral status", "RF1-1", pairs(systemRequest, "P", "待接收", "active", "A", "已接收", "active", "R", "拒收", "active", "E", "过期", "revoked")},
		{"members", "机构代码 Institution codes used in this sender's messages", "PRD-4.4, MSH-4", pairs(systemMember, "HYSYY", "衡远市第一人民医院", City, "QYXYY", "青崖县人民医院", County, "HYQYJY", "衡远市区域检验中心", Lab, "QYXBHZ", "青崖县白河镇卫生院", Township)},
		{"pathology-items", "病理项目与文字 Pathology items", "OBX-3 (PIS)", pairs(systemLOINC, "BL_HP", "幽门螺杆菌(特殊染色)", "", "BL_DT", "大体所见", "", "BL_JX", "镜下所见", "", "BL_ZD", "病理诊断", "", "BL_TX", "镜下图像", "")},
		{"organisms", "细菌 Organisms", "OBX-5 (CE) of a culture", organismRows()},
		{"antibiotics", "抗生素 Antibiotics", "OBX-3 of a susceptibility", antibioticRows()},
		{"modalities", "检查设备 DICOM modality of a section's study", "OBR-24", pairs(systemModality, "CT", "CT", "CT", "RX", "数字X线", "DX", "US", "超声", "US")},
	}
}

func dispositionRows() []Code {
	return pairs(systemLeave, "1", "医嘱离院", "home", "2", "医嘱转院", "other-hcf", "3", "医嘱转社区卫生服务机构/乡镇卫生院", "other-hcf",
		"4", "非医嘱离院", "aadvice", "5", "死亡", "exp", "9", "其他", "oth")
}

func payerRows() []Code {
	return pairs("", "01", "城镇职工基本医疗保险", "", "02", "城乡居民基本医疗保险", "", "05", "商业健康保险", "", "07", "全自费", "", "99", "其他", "")
}

func countyTables() []Table {
	return []Table{
		{"departments", "科室 Departments", "KSDM, SQKS, ZRKS", departmentRows(func(d department) string { return d.county })},
		{"lab-items", "检验项目 Lab items (leading zeros belong to the code)", "LIS_BGXM.XMDM", itemRows(item.countyCodes)},
		{"order-types", "申请与报告项目 Order and report types", "HIS_SQD.XMDM, LIS_BG.BGLX, RIS_BG.JCXM", orderRows(func(p panel) string { return p.county })},
		{"specimens", "标本 Specimen types", "HIS_SQD.BBDM, LIS_BG.BBLX", specimenRows(func(s specimen) string { return s.county })},
		{"diagnoses", "诊断 Diagnoses", "ZDBM, CBZD", diagnosisRows(func(d diagnosis) string { return d.code })},
		{"allergens", "过敏原 Allergens", "HIS_GM.GMYDM", allergenRows(func(a allergen) string { return a.county })},
		{"drugs", "药品 Drugs", "HIS_CF.YPBM", drugRows()},
		{"frequencies", "频次 Frequencies", "HIS_CF.PC", pairs("http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "QD", "每日一次", "QD", "BID", "每日两次", "BID", "TID", "每日三次", "TID", "QN", "每晚一次", "", "Q12H", "每12小时一次", "", "PRN", "必要时", "")},
		{"routes", "用药途径 Routes (CV06.00.102)", "HIS_CF.YF", pairs(systemRoute, "1", "口服", "1", "401", "皮下注射", "401", "404", "静脉滴注", "404", "5", "吸入", "5")},
		{"sex", "性别 Sex (one column mixes all of them)", "HIS_HZXX.XB", pairs(systemSex, "0", "未知的性别", "unknown", "1", "男", "male", "2", "女", "female", "9", "未说明的性别", "unknown", "男", "男", "male", "女", "女", "female", "M", "男", "male", "F", "女", "female", "男性", "男", "male", "女性", "女", "female", "未知", "未知", "unknown")},
		{"marital", "婚姻 Marital status (GB/T 2261.2; old rows have one digit)", "HIS_HZXX.HYZK", append(maritalRows(), append(pairs(systemMarital, "1", "未婚 (old)", "S", "2", "已婚 (old)", "M", "3", "丧偶 (old)", "W", "4", "离婚 (old)", "D"), pairs(systemMaritalU, "9", "未说明 (old)", "UNK")...)...)},
		{"ethnicity", "民族 Ethnicity (GB/T 3304)", "HIS_HZXX.MZ", ethnicRows()},
		{"id-types", "证件类型 Identity document types (CV02.01.101)", "HIS_HZXX.ZJLX", pairs(systemIDType, "01", "居民身份证", "NI", "02", "居民户口簿", "", "03", "护照", "PPN", "99", "其他法定有效证件", "")},
		{"visit-class", "就诊类型 Visit class (CV09.00.404)", "HIS_JZXX.JZLX", pairs(systemAct, "1", "门诊", "AMB", "2", "急诊", "EMER", "3", "住院", "IMP", "9", "其他(体检)", "AMB")},
		{"visit-status", "就诊状态 Visit status", "HIS_JZXX.ZTBZ", pairs(systemVisit, "1", "在诊/在院", "in-progress", "2", "已结束", "finished", "9", "退号/取消", "cancelled")},
		{"admit-source", "入院途径 Admit source (1 and 2 are the other way round than at the city hospital)", "HIS_JZXX.RYTJ", pairs(systemAdmit, "1", "门诊", "outp", "2", "急诊", "emd", "3", "其他医疗机构转入", "hosp-trans", "9", "其他", "other")},
		{"discharge-disposition", "离院方式 Discharge disposition", "HIS_JZXX.LYFS", dispositionRows()},
		{"order-category", "申请类型 Order category", "HIS_SQD.SQLX", pairs("", "1", "检验", "", "2", "检查", "")},
		{"order-status", "申请状态 Order status", "HIS_SQD.ZT", pairs(systemRequest, "0", "已开立", "active", "1", "已执行", "active", "2", "已报告", "completed", "9", "作废", "revoked")},
		{"order-priority", "加急标志 Priority", "HIS_SQD.JJBZ", pairs(systemPriority, "0", "普通", "routine", "1", "加急", "urgent")},
		{"report-section", "检查类别 Report section", "LIS_BG.JCLB, RIS_BG.JCLX", pairs(systemSection, "SH", "生化", "CH", "XY", "血液", "HM", "MY", "免疫", "SR", "NY", "尿液", "LAB", "WSW", "微生物", "MB", "US", "超声", "RUS", "DR", "放射", "RAD", "CT", "CT", "CT", "ECG", "心电", "EC")},
		{"report-status", "报告状态 Report status", "LIS_BG.BGZT, RIS_BG.BGZT", pairs(systemReport, "0", "初步", "preliminary", "1", "正常", "final", "2", "更正", "corrected", "3", "作废", "entered-in-error", "正常", "正常", "final", "更正", "更正", "corrected", "作废", "作废", "entered-in-error")},
		{"flags", "高低标志 Flags (P means normal here!)", "LIS_BGXM.GDBZ", flagRows("↑", "偏高", "H", "↓", "偏低", "L", "H", "偏高", "H", "L", "偏低", "L", "偏高", "偏高", "H", "偏低", "偏低", "L", "N", "正常", "N", "P", "正常", "N", "*", "异常", "A")},
		{"prescription-status", "处方状态 Prescription status", "HIS_CF.ZT", pairs("http://hl7.org/fhir/CodeSystem/medicationrequest-status", "1", "有效", "active", "2", "已发药", "completed", "9", "作废", "cancelled")},
		{"referral-direction", "转诊类型 Referral direction", "HIS_ZZ.ZZLX", pairs("", "1", "上转 (up)", "", "2", "下转 (down)", "")},
		{"referral-reason", "转诊原因 Referral reason", "HIS_ZZ.ZZYY", pairs("", "1", "患者要求", "", "2", "药品资源不足", "", "3", "床位不足", "", "4", "诊治能力不足", "", "99", "其它", "")},
		{"referral-status", "转诊状态 Referral status", "HIS_ZZ.ZZZT", pairs(systemRequest, "0", "待确认", "active", "1", "已确认", "active", "2", "已完成", "completed", "3", "已取消", "revoked")},
		{"relations", "与患者关系 Relations", "HIS_HZXX.LXRGX", relationRows()},
		{"members", "机构代码 Institution codes used in these tables", "ZCJG, ZRJG, ZXJG", pairs(systemMember, "990100018", "衡远市第一人民医院", City, "990121003", "青崖县人民医院", County, "990100093", "衡远市区域检验中心", Lab, "99012102X", "白河镇卫生院", Township)},
		{"department-kinds", "科室类别 Kind of department", "HIS_KS.KSLB", pairs("", "1", "临床科室 department", "", "2", "医技科室 department", "", "3", "病区 ward", "")},
		{"titles", "专业技术职务 Professional titles (GB/T 8561)", "HIS_ZG.ZC", titleRows(false)},
	}
}

func labTables() []Table {
	return []Table{
		{"lab-items", "检验项目 Lab items", "items[].itemCode", itemRows(item.labCodes)},
		{"order-types", "报告项目 Report types", "report.packCode", orderRows(func(p panel) string { return p.lab })},
		{"specimens", "标本 Specimen types", "report.specimen.type", specimenRows(func(s specimen) string { return s.lab })},
		{"sex", "性别 Sex (GB/T 2261.1)", "patient.sex", pairs(systemSex, "0", "未知", "unknown", "1", "男", "male", "2", "女", "female", "9", "未说明", "unknown")},
		{"id-types", "证件类型 (CV02.01.101)", "patient.idType", pairs(systemIDType, "01", "居民身份证", "NI", "03", "护照", "PPN", "99", "其他", "")},
		{"report-status", "报告状态 Report status", "report.status", pairs(systemReport, "1", "已审核", "final", "2", "更正", "corrected", "3", "作废", "entered-in-error")},
		{"sections", "报告类别 Report section", "report.category", pairs(systemSection, "SH", "生化", "CH", "XY", "血液", "HM", "MY", "免疫", "SR", "WSW", "微生物", "MB", "NY", "尿液", "LAB")},
		{"flags", "结果提示 Result code (检查/检验结果代码: 1 is abnormal)", "items[].resultFlag", flagRows("1", "异常", "A", "2", "正常", "N", "3", "不确定", "IND", "↑", "偏高", "H", "↓", "偏低", "L", "", "未给出", "")},
		{"organisms", "细菌 Organisms", "cultures[].菌名代码", organismRows()},
		{"antibiotics", "抗生素 Antibiotics", "cultures[].药敏[].抗生素代码", antibioticRows()},
		{"susceptibility", "药敏判读 Susceptibility", "cultures[].药敏[].判读", flagRows("S", "敏感", "S", "I", "中介", "I", "R", "耐药", "R")},
		{"growth", "培养结果 Culture result (microbiology: 1 阴性, 2 阳性)", "report.cultureResult", pairs("", "1", "阴性", "", "2", "阳性", "")},
		{"members", "送检机构 Sender codes used by the laboratory", "sender.orgCode", pairs(systemMember, "A01", "衡远市第一人民医院", City, "B02", "青崖县人民医院", County, "C17", "青崖县石桥镇卫生院 (not a member)", "", "C21", "青崖县白河镇卫生院", Township, "Z00", "衡远市区域检验中心", Lab)},
	}
}
