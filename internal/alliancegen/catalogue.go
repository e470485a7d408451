package alliancegen

import "fmt"

// Ids of the demo institutions, usable as tags.
const (
	City      = "city-hospital"
	County    = "county-hospital"
	Township  = "township-center"
	Community = "community-center"
	Lab       = "regional-lab"
)

// valueKind says how an item's result is written.
type valueKind byte

const (
	numeric valueKind = iota
	ordinal           // 阴性(-), 弱阳性(±), ++
	titre             // 1:80
	group             // ABO group: a code and its text
)

// item is one laboratory item. Ranges are decimal texts; a range that differs by
// sex has its female limits in lowF and highF. The typical value lies in the range,
// high and low tell how far an abnormal one lies outside it.
type item struct {
	key, name        string
	loinc, loincName string
	kind             valueKind
	unit             string // UCUM
	low, high        string
	lowF, highF      string
	decimals         int
	spellings        []string // ways of writing the unit; the first is the usual one
}

// Local codes: the city uses mnemonics, the county six digits with leading zeros,
// the laboratory RL and four digits. Every third item has a second code.
func (i item) cityCodes() []string {
	if i.second() {
		return []string{i.key, i.key + "_2"}
	}
	return []string{i.key}
}

func (i item) countyCodes() []string {
	n := 1000 + i.index()*7
	if i.second() {
		return []string{fmt.Sprintf("%06d", n), fmt.Sprintf("%06d", n+50000)}
	}
	return []string{fmt.Sprintf("%06d", n)}
}

func (i item) labCodes() []string {
	n := 100 + i.index()*3
	if i.second() {
		return []string{fmt.Sprintf("RL%04d", n), fmt.Sprintf("RL%04d", n+5000)}
	}
	return []string{fmt.Sprintf("RL%04d", n)}
}

func (i item) index() int {
	for n := range items {
		if items[n].key == i.key {
			return n
		}
	}
	panic("alliancegen: item outside the catalogue: " + i.key)
}

func (i item) second() bool { return i.index()%3 == 0 }

var (
	perLitre9  = []string{"10^9/L", "×10^9/L", "×10⁹/L", "*10^9/L", "10E9/L", "10~9/L", "G/L"}
	perLitre12 = []string{"10^12/L", "×10^12/L", "T/L"}
	micromol   = []string{"μmol/L", "umol/L", "µmol/L"}
	percent    = []string{"%", "％"}
)

// New items go to the end: local codes follow from the place.
var items = []item{
	{key: "HbA1c", name: "糖化血红蛋白", loinc: "4548-4", loincName: "Hemoglobin A1c/Hemoglobin.total in Blood", unit: "%", low: "4.0", high: "6.0", decimals: 1, spellings: percent},
	{key: "GLU", name: "葡萄糖", loinc: "14749-6", loincName: "Glucose [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "3.9", high: "6.1", decimals: 2},
	{key: "K", name: "钾", loinc: "2823-3", loincName: "Potassium [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "3.5", high: "5.5", decimals: 2},
	{key: "NA", name: "钠", loinc: "2951-2", loincName: "Sodium [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "137", high: "147", decimals: 1},
	{key: "CL", name: "氯", loinc: "2075-0", loincName: "Chloride [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "99", high: "110", decimals: 1},
	{key: "CA", name: "钙", loinc: "2000-8", loincName: "Calcium [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "2.11", high: "2.52", decimals: 2},
	{key: "UREA", name: "尿素", loinc: "22664-7", loincName: "Urea [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "3.1", high: "8.0", decimals: 2},
	{key: "CREA", name: "肌酐", loinc: "14682-9", loincName: "Creatinine [Moles/volume] in Serum or Plasma", unit: "umol/L", low: "57", high: "97", lowF: "41", highF: "73", decimals: 1, spellings: micromol},
	{key: "UA", name: "尿酸", loinc: "14933-6", loincName: "Urate [Moles/volume] in Serum or Plasma", unit: "umol/L", low: "208", high: "428", lowF: "155", highF: "357", decimals: 0, spellings: micromol},
	{key: "ALT", name: "丙氨酸氨基转移酶", loinc: "1742-6", loincName: "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", unit: "U/L", low: "9", high: "50", lowF: "7", highF: "40", decimals: 0},
	{key: "AST", name: "天门冬氨酸氨基转移酶", loinc: "1920-8", loincName: "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma", unit: "U/L", low: "15", high: "40", lowF: "13", highF: "35", decimals: 0},
	{key: "GGT", name: "γ-谷氨酰转移酶", loinc: "2324-2", loincName: "Gamma glutamyl transferase [Enzymatic activity/volume] in Serum or Plasma", unit: "U/L", low: "10", high: "60", lowF: "7", highF: "45", decimals: 0},
	{key: "TBIL", name: "总胆红素", loinc: "14631-6", loincName: "Bilirubin.total [Moles/volume] in Serum or Plasma", unit: "umol/L", low: "0", high: "26.0", lowF: "0", highF: "21.0", decimals: 1, spellings: micromol},
	{key: "TP", name: "总蛋白", loinc: "2885-2", loincName: "Protein [Mass/volume] in Serum or Plasma", unit: "g/L", low: "65", high: "85", decimals: 1},
	{key: "ALB", name: "白蛋白", loinc: "1751-7", loincName: "Albumin [Mass/volume] in Serum or Plasma", unit: "g/L", low: "40", high: "55", decimals: 1},
	{key: "TC", name: "总胆固醇", loinc: "14647-2", loincName: "Cholesterol [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "0", high: "5.18", decimals: 2},
	{key: "TG", name: "甘油三酯", loinc: "14927-8", loincName: "Triglyceride [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "0", high: "1.70", decimals: 2},
	{key: "HDLC", name: "高密度脂蛋白胆固醇", loinc: "14646-4", loincName: "Cholesterol in HDL [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "1.04", high: "1.55", decimals: 2},
	{key: "LDLC", name: "低密度脂蛋白胆固醇", loinc: "22748-8", loincName: "Cholesterol in LDL [Moles/volume] in Serum or Plasma", unit: "mmol/L", low: "0", high: "3.37", decimals: 2},
	{key: "WBC", name: "白细胞计数", loinc: "6690-2", loincName: "Leukocytes [#/volume] in Blood by Automated count", unit: "10*9/L", low: "3.5", high: "9.5", decimals: 2, spellings: perLitre9},
	{key: "RBC", name: "红细胞计数", loinc: "789-8", loincName: "Erythrocytes [#/volume] in Blood by Automated count", unit: "10*12/L", low: "4.3", high: "5.8", lowF: "3.8", highF: "5.1", decimals: 2, spellings: perLitre12},
	{key: "HGB", name: "血红蛋白", loinc: "718-7", loincName: "Hemoglobin [Mass/volume] in Blood", unit: "g/L", low: "130", high: "175", lowF: "115", highF: "150", decimals: 0},
	{key: "HCT", name: "红细胞压积", loinc: "4544-3", loincName: "Hematocrit [Volume Fraction] of Blood by Automated count", unit: "%", low: "40", high: "50", lowF: "35", highF: "45", decimals: 1, spellings: percent},
	{key: "MCV", name: "平均红细胞体积", loinc: "787-2", loincName: "MCV [Entitic volume] by Automated count", unit: "fL", low: "82", high: "100", decimals: 1},
	{key: "PLT", name: "血小板计数", loinc: "777-3", loincName: "Platelets [#/volume] in Blood by Automated count", unit: "10*9/L", low: "125", high: "350", decimals: 0, spellings: perLitre9},
	{key: "NEUT%", name: "中性粒细胞百分比", loinc: "770-8", loincName: "Neutrophils/100 leukocytes in Blood by Automated count", unit: "%", low: "40", high: "75", decimals: 1, spellings: percent},
	{key: "CRP", name: "C反应蛋白", loinc: "1988-5", loincName: "C reactive protein [Mass/volume] in Serum or Plasma", unit: "mg/L", low: "0", high: "10", decimals: 1},
	{key: "TSH", name: "促甲状腺激素", loinc: "3016-3", loincName: "Thyrotropin [Units/volume] in Serum or Plasma", unit: "u[IU]/mL", low: "0.27", high: "4.20", decimals: 2, spellings: []string{"uIU/mL", "μIU/mL"}},
	{key: "FT4", name: "游离甲状腺素", loinc: "14920-3", loincName: "Thyroxine (T4) free [Moles/volume] in Serum or Plasma", unit: "pmol/L", low: "12.0", high: "22.0", decimals: 1},
	{key: "AFP", name: "甲胎蛋白", loinc: "1834-1", loincName: "Alpha-1-Fetoprotein [Mass/volume] in Serum or Plasma", unit: "ng/mL", low: "0", high: "7.00", decimals: 2},
	{key: "CEA", name: "癌胚抗原", loinc: "2039-6", loincName: "Carcinoembryonic Ag [Mass/volume] in Serum or Plasma", unit: "ng/mL", low: "0", high: "5.00", decimals: 2},
	{key: "NTproBNP", name: "N末端B型钠尿肽前体", loinc: "33762-6", loincName: "Natriuretic peptide.B prohormone N-Terminal [Mass/volume] in Serum or Plasma", unit: "pg/mL", low: "0", high: "125", decimals: 0},
	{key: "HBsAg", name: "乙肝表面抗原", loinc: "5196-1", loincName: "Hepatitis B virus surface Ag [Presence] in Serum or Plasma by Immunoassay", kind: ordinal},
	{key: "HBsAb", name: "乙肝表面抗体定量", loinc: "16935-9", loincName: "Hepatitis B virus surface Ab [Units/volume] in Serum", unit: "m[IU]/mL", low: "0", high: "10", decimals: 2, spellings: []string{"mIU/mL"}},
	{key: "HCVAb", name: "丙肝抗体", loinc: "13955-0", loincName: "Hepatitis C virus Ab [Presence] in Serum or Plasma by Immunoassay", kind: ordinal},
	{key: "ANA", name: "抗核抗体滴度", loinc: "5048-4", loincName: "Nuclear Ab [Titer] in Serum by Immunofluorescence", kind: titre, unit: "{titer}", spellings: []string{"滴度", ""}},
	{key: "RPR", name: "快速血浆反应素试验", loinc: "31147-2", loincName: "Reagin Ab [Titer] in Serum by RPR", kind: titre, unit: "{titer}", spellings: []string{"滴度", ""}},
	{key: "UPRO", name: "尿蛋白", loinc: "20454-5", loincName: "Protein [Presence] in Urine by Test strip", kind: ordinal},
	{key: "UGLU", name: "尿葡萄糖", loinc: "25428-4", loincName: "Glucose [Presence] in Urine by Test strip", kind: ordinal},
	{key: "UKET", name: "尿酮体", loinc: "2514-8", loincName: "Ketones [Presence] in Urine by Test strip", kind: ordinal},
	{key: "UPH", name: "尿酸碱度", loinc: "5803-2", loincName: "pH of Urine by Test strip", unit: "[pH]", low: "4.5", high: "8.0", decimals: 1, spellings: []string{"", "pH"}},
	{key: "UWBC", name: "尿白细胞(镜检)", loinc: "5821-4", loincName: "Leukocytes [#/area] in Urine sediment by Microscopy high power field", unit: "/[HPF]", low: "0", high: "5", decimals: 0, spellings: []string{"/HP", "个/HP", "/HPF"}},
	{key: "UALB", name: "尿微量白蛋白", loinc: "14957-5", loincName: "Microalbumin [Mass/volume] in Urine", unit: "mg/L", low: "0", high: "20", decimals: 1},
	{key: "PT", name: "凝血酶原时间", loinc: "5902-2", loincName: "Prothrombin time (PT)", unit: "s", low: "9.4", high: "12.5", decimals: 1, spellings: []string{"秒", "s"}},
	{key: "INR", name: "国际标准化比值", loinc: "6301-6", loincName: "INR in Platelet poor plasma by Coagulation assay", unit: "{INR}", low: "0.8", high: "1.2", decimals: 2, spellings: []string{""}},
	{key: "LIX", name: "院内自建免疫指数", kind: numeric, unit: "{S/CO}", low: "0", high: "1.00", decimals: 2, spellings: []string{"S/CO"}},
	{key: "ABO", name: "ABO血型", loinc: "883-9", loincName: "ABO group [Type] in Blood", kind: group},
}

// panel is something that can be ordered and reported: a group of laboratory items,
// or one imaging or ECG examination (no items).
type panel struct {
	key, name          string
	loinc, loincName   string
	items              []string
	specimen           string
	section            string // HL7 table 0074-like, the city's code
	countySection      string
	labSection         string
	city, county, lab  string // local order codes; empty: not offered there
	findings, conclude []string
}

var panels = []panel{
	{key: "cbc", name: "血常规", loinc: "58410-2", loincName: "CBC panel - Blood by Automated count", items: []string{"WBC", "RBC", "HGB", "HCT", "MCV", "PLT", "NEUT%"}, specimen: "blood", section: "HM", countySection: "XY", labSection: "XY", city: "JY001", county: "J0101", lab: "P001"},
	{key: "electrolytes", name: "电解质", loinc: "24326-1", loincName: "Electrolytes 1998 panel - Serum or Plasma", items: []string{"K", "NA", "CL", "CA"}, specimen: "serum", section: "CH", countySection: "SH", labSection: "SH", city: "JY002", county: "J0102", lab: "P002"},
	{key: "liver", name: "肝功能", loinc: "24325-3", loincName: "Hepatic function 2000 panel - Serum or Plasma", items: []string{"ALT", "AST", "GGT", "TBIL", "TP", "ALB"}, specimen: "serum", section: "CH", countySection: "SH", labSection: "SH", city: "JY003", county: "J0103", lab: "P003"},
	{key: "renal", name: "肾功能", loinc: "24362-6", loincName: "Renal function 2000 panel - Serum or Plasma", items: []string{"UREA", "CREA", "UA"}, specimen: "serum", section: "CH", countySection: "SH", labSection: "SH", city: "JY004", county: "J0104", lab: "P004"},
	{key: "lipids", name: "血脂四项", loinc: "24331-1", loincName: "Lipid 1996 panel - Serum or Plasma", items: []string{"TC", "TG", "HDLC", "LDLC"}, specimen: "serum", section: "CH", countySection: "SH", labSection: "SH", city: "JY005", county: "J0105", lab: "P005"},
	{key: "hba1c", name: "糖化血红蛋白", loinc: "4548-4", loincName: "Hemoglobin A1c/Hemoglobin.total in Blood", items: []string{"HbA1c"}, specimen: "blood", section: "CH", countySection: "SH", labSection: "SH", city: "JY006", county: "J0106", lab: "P006"},
	{key: "glucose", name: "空腹血糖", loinc: "14749-6", loincName: "Glucose [Moles/volume] in Serum or Plasma", items: []string{"GLU"}, specimen: "serum", section: "CH", countySection: "SH", labSection: "SH", city: "JY007", county: "J0107", lab: "P007"},
	{key: "urine", name: "尿常规", loinc: "24357-6", loincName: "Urinalysis macro (dipstick) panel - Urine", items: []string{"UPRO", "UGLU", "UKET", "UPH", "UWBC"}, specimen: "urine", section: "UA", countySection: "NY", labSection: "NY", city: "JY008", county: "J0108", lab: "P008"},
	{key: "hepatitis", name: "肝炎标志物", items: []string{"HBsAg", "HBsAb", "HCVAb"}, specimen: "serum", section: "SR", countySection: "MY", labSection: "MY", city: "JY009", county: "J0109", lab: "P009"},
	{key: "thyroid", name: "甲状腺功能", items: []string{"TSH", "FT4"}, specimen: "serum", section: "SR", countySection: "MY", labSection: "MY", city: "JY010", county: "J0110", lab: "P010"},
	{key: "markers", name: "肿瘤标志物", items: []string{"AFP", "CEA"}, specimen: "serum", section: "SR", labSection: "MY", city: "JY011", county: "J0111", countySection: "MY", lab: "P011"},
	{key: "autoimmune", name: "自身抗体与梅毒血清学", items: []string{"ANA", "RPR", "LIX"}, specimen: "serum", section: "SR", countySection: "MY", labSection: "MY", city: "JY012", county: "J0112", lab: "P012"},
	{key: "coagulation", name: "凝血功能", items: []string{"PT", "INR"}, specimen: "plasma", section: "HM", countySection: "XY", labSection: "XY", city: "JY013", county: "J0113", lab: "P013"},
	{key: "crp", name: "C反应蛋白", loinc: "1988-5", loincName: "C reactive protein [Mass/volume] in Serum or Plasma", items: []string{"CRP"}, specimen: "serum", section: "SR", countySection: "MY", labSection: "MY", city: "JY014", county: "J0114", lab: "P014"},
	{key: "bnp", name: "N末端B型钠尿肽前体", loinc: "33762-6", loincName: "Natriuretic peptide.B prohormone N-Terminal [Mass/volume] in Serum or Plasma", items: []string{"NTproBNP"}, specimen: "plasma", section: "CH", countySection: "SH", labSection: "SH", city: "JY015", county: "J0115", lab: "P015"},
	{key: "microalbumin", name: "尿微量白蛋白", loinc: "14957-5", loincName: "Microalbumin [Mass/volume] in Urine", items: []string{"UALB"}, specimen: "urine", section: "CH", countySection: "SH", labSection: "SH", city: "JY016", county: "J0116", lab: "P016"},
	{key: "blood-group", name: "血型鉴定", loinc: "883-9", loincName: "ABO group [Type] in Blood", items: []string{"ABO"}, specimen: "blood", section: "HM", countySection: "XY", labSection: "XY", city: "JY017", county: "J0117", lab: "P017"},
	{key: "blood-culture", name: "血培养及药敏", loinc: "600-7", loincName: "Bacteria identified in Blood by Culture", specimen: "blood", labSection: "WSW", section: "MB", countySection: "WSW", city: "JY020", county: "J0120", lab: "P020"},
	{key: "urine-culture", name: "尿培养及药敏", loinc: "630-4", loincName: "Bacteria identified in Urine by Culture", specimen: "urine", labSection: "WSW", section: "MB", countySection: "WSW", city: "JY021", county: "J0121", lab: "P021"},
	{key: "chest-ct", name: "胸部CT平扫", loinc: "24627-2", loincName: "CT Chest", section: "CT", countySection: "CT", city: "JC101", county: "C0201",
		findings: []string{"双肺纹理增多、紊乱,右肺下叶见斑片状密度增高影,边缘模糊", "双肺透亮度增高,未见明确实变影,纵隔内未见肿大淋巴结"},
		conclude: []string{"右肺下叶炎症,建议治疗后复查", "双肺未见明显活动性病变"}},
	{key: "abdomen-us", name: "腹部彩超", loinc: "24558-9", loincName: "US Abdomen", section: "US", countySection: "US", city: "JC201", county: "C0301",
		findings: []string{"肝脏大小形态正常,实质回声细密增强;胆囊内见强回声团,后伴声影", "肝胆胰脾双肾未见明显异常回声"},
		conclude: []string{"脂肪肝;胆囊结石", "肝胆胰脾双肾未见明显异常"}},
	{key: "chest-xr", name: "胸部正位片", loinc: "36554-4", loincName: "XR Chest Single view", section: "RX", countySection: "DR", city: "JC301", county: "C0401",
		findings: []string{"胸廓对称,双肺纹理清晰,心影不大,双膈光滑", "主动脉结突出,心影向左增大,心胸比约0.58"},
		conclude: []string{"心肺膈未见明显异常", "心影增大,请结合临床"}},
	{key: "ecg", name: "十二导联心电图", loinc: "11524-6", loincName: "EKG study", section: "EC", countySection: "ECG", city: "JC401", county: "C0501",
		findings: []string{"窦性心律,心率78次/分,PR间期0.16s,QRS 0.09s,ST段未见偏移", "窦性心律,心率96次/分,V4-V6导联ST段压低0.05mV,T波低平"},
		conclude: []string{"窦性心律,正常心电图", "窦性心律,ST-T改变"}},
	{key: "gastric-biopsy", name: "胃镜活检病理", loinc: "11526-1", loincName: "Pathology study", section: "SP", specimen: "tissue", city: "BL101",
		findings: []string{"灰白色组织3粒,直径0.2-0.3cm\n胃窦黏膜慢性炎,腺体轻度肠上皮化生,固有层淋巴细胞浸润", "灰红色组织2粒,直径0.2cm\n胃体黏膜慢性炎,未见肠上皮化生及异型增生"},
		conclude: []string{"(胃窦)慢性非萎缩性胃炎,轻度肠化", "(胃体)慢性浅表性胃炎"}},
}

type department struct{ key, name, subject, subjectName, city, county string }

var departments = []department{
	{"endocrine", "内分泌科", "03.07", "内分泌专业", "NFM", "0107"},
	{"cardiology", "心血管内科", "03.04", "心血管内科专业", "XNK", "0104"},
	{"respiratory", "呼吸内科", "03.01", "呼吸内科专业", "HXK", "0101"},
	{"gastro", "消化内科", "03.02", "消化内科专业", "XHK", "0102"},
	{"neuro", "神经内科", "03.03", "神经内科专业", "SNK", "0103"},
	{"nephrology", "肾内科", "03.06", "肾病学专业", "SHN", ""},
	{"surgery", "普通外科", "04.01", "普通外科专业", "PWK", "0201"},
	{"orthopaedics", "骨科", "04.03", "骨科专业", "GK", "0203"},
	{"obstetrics", "产科", "05.02", "产科专业", "CK", "0302"},
	{"paediatrics", "儿科", "07", "儿科", "EK", "0400"},
	{"emergency", "急诊科", "20", "急诊医学科", "JZK", "0900"},
	{"general", "全科医学科", "02", "全科医疗科", "QKK", "0050"},
	{"checkup", "健康体检中心", "", "", "TJZX", "0990"},
	{"laboratory", "检验科", "30", "医学检验科", "JYK", "1100"},
	{"imaging", "医学影像科", "32", "医学影像科", "YXK", "1200"},
	{"ecg-room", "心电图室", "32.06", "心电诊断专业", "XDS", "1206"},
	{"pathology", "病理科", "31", "病理科", "BLK", ""},
}

type diagnosis struct{ key, code, name, icd, icdName string }

var diagnoses = []diagnosis{
	{"t2dm", "E11.900", "2型糖尿病", "E11.9", "Type 2 diabetes mellitus without complications"},
	{"t2dm-kidney", "E11.200x021", "2型糖尿病性肾病", "E11.2", "Type 2 diabetes mellitus with renal complications"},
	{"hypertension", "I10.x00x002", "高血压", "I10", "Essential (primary) hypertension"},
	{"chd", "I25.103", "冠状动脉粥样硬化性心脏病", "I25.1", "Atherosclerotic heart disease"},
	{"chf", "I50.900", "心力衰竭", "I50.9", "Heart failure, unspecified"},
	{"pneumonia", "J18.900", "肺炎", "J18.9", "Pneumonia, unspecified"},
	{"copd", "J44.100", "慢性阻塞性肺病伴急性加重", "J44.1", "Chronic obstructive pulmonary disease with acute exacerbation, unspecified"},
	{"gallstone", "K80.200", "胆囊结石不伴胆囊炎", "K80.2", "Calculus of gallbladder without cholecystitis"},
	{"uti", "N39.000", "泌尿道感染", "N39.0", "Urinary tract infection, site not specified"},
	{"infarct", "I63.900", "脑梗死", "I63.9", "Cerebral infarction, unspecified"},
	{"hyperlipidaemia", "E78.500", "高脂血症", "E78.5", "Hyperlipidaemia, unspecified"},
	{"hyperthyroid", "E05.900", "甲状腺功能亢进症", "E05.9", "Thyrotoxicosis, unspecified"},
	{"anaemia", "D50.900", "缺铁性贫血", "D50.9", "Iron deficiency anaemia, unspecified"},
	{"delivery", "O80.900", "单胎顺产", "O80.9", "Single spontaneous delivery, unspecified"},
	{"liveborn", "Z38.000", "单胎活产", "Z38.0", "Singleton, born in hospital"},
	{"hepatitisB", "B18.100x001", "慢性乙型病毒性肝炎", "B18.1", "Chronic viral hepatitis B without delta-agent"},
	{"chestpain", "R07.400", "胸痛", "R07.4", "Chest pain, unspecified"},
	{"checkup", "Z00.000", "一般医学检查", "Z00.0", "General medical examination"},
	{"sepsis", "A41.900", "脓毒症", "A41.9", "Sepsis, unspecified organism"},
}

type specimen struct{ key, name, v2, v2Name, city, county, lab string }

var specimens = []specimen{
	{"blood", "全血", "BLD", "Whole blood", "01", "QX", "3"},
	{"serum", "血清", "SER", "Serum", "02", "XQ", "1"},
	{"plasma", "血浆", "PLAS", "Plasma", "03", "XJ", "2"},
	{"urine", "尿液", "UR", "Urine", "04", "NY", "4"},
	{"sputum", "痰液", "SPT", "Sputum", "06", "TY", "5"},
	{"tissue", "组织", "TISS", "Tissue", "09", "", ""},
}

type drug struct{ key, code, name, spec, atc, atcName, form, dose, doseUnit, frequency, route, pack string }

var drugs = []drug{
	{"metformin", "XY00101", "盐酸二甲双胍片", "0.5g*20片", "A10BA02", "metformin", "片", "0.5", "g", "BID", "1", "盒"},
	{"acarbose", "XY00102", "阿卡波糖片", "50mg*30片", "A10BF01", "acarbose", "片", "50", "mg", "TID", "1", "盒"},
	{"glimepiride", "XY00103", "格列美脲片", "2mg*15片", "A10BB12", "glimepiride", "片", "2", "mg", "QD", "1", "盒"},
	{"glargine", "XY00104", "甘精胰岛素注射液", "3ml:300单位", "A10AE04", "insulin glargine", "支", "12", "单位", "QN", "401", "支"},
	{"amlodipine", "XY00201", "苯磺酸氨氯地平片", "5mg*28片", "C08CA01", "amlodipine", "片", "5", "mg", "QD", "1", "盒"},
	{"valsartan", "XY00202", "缬沙坦胶囊", "80mg*14粒", "C09CA03", "valsartan", "粒", "80", "mg", "QD", "1", "盒"},
	{"metoprolol", "XY00203", "琥珀酸美托洛尔缓释片", "47.5mg*7片", "C07AB02", "metoprolol", "片", "47.5", "mg", "QD", "1", "盒"},
	{"atorvastatin", "XY00301", "阿托伐他汀钙片", "20mg*7片", "C10AA05", "atorvastatin", "片", "20", "mg", "QN", "1", "盒"},
	{"aspirin", "XY00302", "阿司匹林肠溶片", "100mg*30片", "B01AC06", "acetylsalicylic acid", "片", "100", "mg", "QD", "1", "盒"},
	{"amoxicillin", "XY00401", "阿莫西林胶囊", "0.25g*24粒", "J01CA04", "amoxicillin", "粒", "0.5", "g", "TID", "1", "盒"},
	{"cefuroxime", "XY00402", "注射用头孢呋辛钠", "0.75g", "J01DC02", "cefuroxime", "支", "1.5", "g", "Q12H", "404", "支"},
	{"salbutamol", "XY00501", "沙丁胺醇气雾剂", "100μg*200揿", "R03AC02", "salbutamol", "揿", "200", "μg", "PRN", "5", "支"},
	{"omeprazole", "XY00601", "奥美拉唑肠溶胶囊", "20mg*14粒", "A02BC01", "omeprazole", "粒", "20", "mg", "QD", "1", "盒"},
}

func drugRows() []Code {
	var rows []Code
	for _, d := range drugs {
		rows = append(rows, Code{Code: d.code, Name: d.name, System: systemATC, Target: d.atc, Display: d.atcName, Note: d.spec})
	}
	return rows
}

type allergen struct{ key, name, category, city, county string }

var allergens = []allergen{
	{"penicillin", "青霉素", "medication", "YW01", "G001"},
	{"cephalosporin", "头孢菌素类", "medication", "YW02", "G002"},
	{"sulfonamide", "磺胺类", "medication", "YW03", "G003"},
	{"contrast", "碘造影剂", "medication", "YW04", "G004"},
	{"seafood", "海鲜", "food", "SW01", "G101"},
	{"pollen", "花粉", "environment", "HJ01", "G201"},
}

// bloodGroups are ABO groups: the city's code and the text everybody prints.
var bloodGroups = [][2]string{{"A", "A型"}, {"B", "B型"}, {"O", "O型"}, {"AB", "AB型"}}

func bloodGroupRows() []Code {
	var rows []Code
	for _, g := range bloodGroups {
		rows = append(rows, Code{Code: g[0], Name: g[1]})
	}
	return rows
}

type organism struct{ code, name, latin string }

var organisms = []organism{
	{"ECO", "大肠埃希菌", "Escherichia coli"},
	{"KPN", "肺炎克雷伯菌", "Klebsiella pneumoniae"},
	{"SAU", "金黄色葡萄球菌", "Staphylococcus aureus"},
}

func organismRows() []Code {
	var rows []Code
	for _, o := range organisms {
		rows = append(rows, Code{Code: o.code, Name: o.name, Note: o.latin})
	}
	return rows
}

type antibiotic struct{ code, name, loinc, loincName string }

var antibiotics = []antibiotic{
	{"CIP", "环丙沙星", "18906-8", "Ciprofloxacin [Susceptibility]"},
	{"LVX", "左氧氟沙星", "20629-2", "levoFLOXacin [Susceptibility]"},
	{"CRO", "头孢曲松", "18895-3", "cefTRIAXone [Susceptibility]"},
	{"MEM", "美罗培南", "18943-1", "Meropenem [Susceptibility]"},
	{"AMK", "阿米卡星", "18860-7", "Amikacin [Susceptibility]"},
	{"GEN", "庆大霉素", "18928-2", "Gentamicin [Susceptibility]"},
}

func antibioticRows() []Code {
	var rows []Code
	for _, a := range antibiotics {
		rows = append(rows, Code{Code: a.code, Name: a.name, System: systemLOINC, Target: a.loinc, Display: a.loincName})
	}
	return rows
}

var ethnicities = [][2]string{{"01", "汉族"}, {"02", "蒙古族"}, {"03", "回族"}, {"05", "维吾尔族"}, {"06", "苗族"}, {"08", "壮族"}, {"11", "满族"}, {"15", "土家族"}}
