package alliancegen

import (
	"fmt"
	"strings"
)

// sheet is one sheet of the township centre's workbook, as its interface document
// lists it. A column whose name has an underscore stands under a heading of two rows.
type sheet struct {
	name, title string
	key         []string
	heading     string // the rows above the data
	banner      string // text of the title row merged over the whole sheet; empty: none
	columns     []column
}

var sheets = []sheet{
	{"居民档案", "居民健康档案 Residents", []string{"档案号"}, "row 1 title, row 2 who exported and when, both merged over the sheet; row 3 heading", "白河镇卫生院居民健康档案", []column{
		{"档案号", "local patient number", "key; text `BH000123`"},
		{"姓名", "name", "may consist of several formatted runs; may carry spaces at its end"},
		{"性别", "sex", "table sex: words and numbers in one column"},
		{"出生日期", "birth date", "true dates in several formats, text, and `yyyymmdd` as a number, in one column; may be empty"},
		{"身份证号", "resident id", "text; full-width digits, lower-case x; `无` and `不详` are placeholders. A number, or the text of one such as `1.10105E+17`, has lost digits: refuse the row"},
		{"健康卡号", "health card number", "text"},
		{"联系电话", "phone", "number or text, also full-width digits"},
		{"现住址", "home address", "text, may have line breaks"},
		{"民族", "ethnicity", "number with format `00`: shown `01`; table ethnicity"},
		{"婚姻状况", "marital status", "word: table marital"},
		{"联系人", "contact name", ""},
		{"联系人关系", "contact relation", "word: table relations"},
		{"联系人电话", "contact phone", "number or text"},
		{"签约医生工号", "family doctor's staff number", "→ 职工; who the resident has a contract with"},
		{"签约医生", "family doctor's name", ""},
		{"年龄", "age", "a formula over 出生日期: not a fact, changes by itself"},
		{"建档日期", "registered", "date"},
		{"修改时间", "last changed", "version stamp; date and time"},
	}},
	{"门诊登记", "门诊登记 Outpatient register", []string{"门诊号"}, "row 1 title merged over the sheet; heading in rows 2 and 3: a name with `_` stands as upper name (merged to the right) and lower name, one without is merged over both rows", "白河镇卫生院门诊登记表", []column{
		{"门诊号", "visit number", "key; text `MZ25…`"},
		{"患者_档案号", "patient", "→ 居民档案"},
		{"患者_姓名", "name", ""},
		{"就诊_类型", "class", "word: table visit-class"},
		{"就诊_日期", "day of the visit", "true date, or text"},
		{"就诊_时间", "time of the visit", "time of day: a fraction with format `h:mm`, or text `8:05`; belongs to 就诊_日期"},
		{"就诊_科室代码", "department", "number with format `0000`: shown `0010`; table departments"},
		{"就诊_科室", "department name", ""},
		{"就诊_医生工号", "doctor's staff number", "→ 职工"},
		{"就诊_医生", "doctor's name", ""},
		{"体征_体温", "body temperature, ℃", "number with format `0.0`; LOINC 8310-5, Cel. Each 体征 is one result of the visit; empty: not measured"},
		{"体征_脉搏", "pulse, 次/分", "number; LOINC 8867-4, /min"},
		{"体征_收缩压", "systolic pressure, mmHg", "number; LOINC 8480-6, mm[Hg]"},
		{"体征_舒张压", "diastolic pressure, mmHg", "number; LOINC 8462-4, mm[Hg]"},
		{"诊断_编码", "main diagnosis code", "table diagnoses"},
		{"诊断_名称", "main diagnosis", "a formula (lookup in a hidden sheet) with the saved value, or text"},
		{"诊断_其他编码", "second diagnosis code", "table diagnoses; empty: none"},
		{"诊断_其他名称", "second diagnosis", ""},
		{"状态", "status", "word: table visit-status"},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"检验申请", "检验检查申请 Orders sent to the county and the regional laboratory", []string{"项目申请号"}, "row 1 heading; cells of one form are merged downwards over its items", "", []column{
		{"申请单号", "number of the form", "merged over the items of a form"},
		{"项目申请号", "order number", "key; text; `sender.applyNo` at the regional laboratory"},
		{"档案号", "patient", "→ 居民档案; merged"},
		{"姓名", "name", "merged"},
		{"门诊号", "visit", "→ 门诊登记; merged"},
		{"项目代码", "ordered item", "table order-types"},
		{"项目名称", "its name", ""},
		{"标本", "specimen", "word: table specimens; empty for examinations"},
		{"送检机构", "who performs it", "name: table members"},
		{"申请时间", "ordered", "mixed date and time forms; merged"},
		{"申请医生工号", "doctor's staff number", "→ 职工; merged"},
		{"申请医生", "doctor's name", "merged"},
		{"临床诊断", "reason", "text; merged"},
		{"加急", "urgent", "是 / 否: table order-priority"},
		{"状态", "status", "word: table order-status"},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"检验报告", "检验报告 Reports of the centre's own laboratory", []string{"报告号"}, "row 1 heading", "", []column{
		{"报告号", "report number", "key; text `JY25…`"},
		{"档案号", "patient", "→ 居民档案"},
		{"姓名", "name", ""},
		{"门诊号", "visit", "→ 门诊登记; may be empty"},
		{"项目代码", "report type", "table order-types"},
		{"项目名称", "its name", ""},
		{"标本", "specimen", "word: table specimens"},
		{"标本条码", "barcode of the specimen", "text; identifies the specimen; two reports may come from one"},
		{"采集时间", "collected", "mixed date and time forms"},
		{"报告时间", "reported", "mixed date and time forms"},
		{"检验者", "tester's name", ""},
		{"审核者工号", "approver's staff number", "→ 职工"},
		{"审核者", "approver's name", ""},
		{"状态", "status", "word: table report-status"},
		{"备注", "remark", ""},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"检验结果", "检验结果 Results", []string{"报告号", "序号"}, "row 1 title merged over the sheet, row 2 heading; 报告号 and 报告名称 are merged downwards over the items of a report", "检验结果明细", []column{
		{"报告号", "report", "→ 检验报告; merged"},
		{"报告名称", "report's name", "merged"},
		{"序号", "row", "1, 2, … in print order; not an identity of the item"},
		{"项目代码", "item", "number with format `000`: shown `011`; table lab-items"},
		{"项目名称", "its name", ""},
		{"结果", "value", "a number with a format (7.2 shown `7.20`: what is shown counts), or text: `<0.01`, `阴性(-)`, full-width digits"},
		{"单位", "unit", "several spellings"},
		{"参考范围", "range", "text as at the county"},
		{"提示", "flag", "table flags"},
		{"状态", "status of this row", "正常 · 更正 · 作废: table result-status"},
	}},
	{"尿常规", "尿常规 Urinalysis, one row a report, one column an item", []string{"报告号"}, "row 1 title merged over the sheet, row 2 heading", "尿液分析登记", []column{
		{"报告号", "report number", "key; text `NC25…`; its report type is order type `T08`, its specimen 尿液"},
		{"档案号", "patient", "→ 居民档案"},
		{"姓名", "name", ""},
		{"门诊号", "visit", "→ 门诊登记"},
		{"标本条码", "barcode of the specimen", "text"},
		{"采集时间", "collected", "mixed date and time forms"},
		{"报告时间", "reported", "mixed date and time forms"},
		{"蛋白", "protein", "a result if not empty: `阴性(-)`, `+`, … (table wide-items says the item of each column)"},
		{"葡萄糖", "glucose", "as 蛋白"},
		{"酮体", "ketones", "as 蛋白"},
		{"酸碱度", "pH", "number with format `0.0`, no unit"},
		{"白细胞", "leukocytes per field", "number; the unit is 个/HP"},
		{"审核者工号", "approver's staff number", "→ 职工"},
		{"审核者", "approver's name", ""},
		{"状态", "status", "word: table report-status"},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"心电图", "心电图 ECG: recorded here, diagnosed at the county hospital", []string{"报告号"}, "row 1 title merged over the sheet, row 2 heading", "远程心电登记", []column{
		{"报告号", "report number", "key; text `XD25…`; its report type is order type `T21`"},
		{"档案号", "patient", "→ 居民档案"},
		{"姓名", "name", ""},
		{"门诊号", "visit", "→ 门诊登记"},
		{"检查日期", "examined, day", "true date"},
		{"检查时间", "examined, time", "time of day, as 就诊_时间"},
		{"检查者工号", "who recorded it", "→ 职工"},
		{"检查者", "recorder's name", ""},
		{"心率", "heart rate, 次/分", "number; a result, table wide-items (LOINC 8867-4, /min)"},
		{"心电图所见", "findings", "text, may have line breaks"},
		{"诊断机构", "who diagnoses", "name: table members"},
		{"诊断医师", "diagnosing doctor's name", "author of the report, without a number; empty until diagnosed"},
		{"诊断时间", "diagnosed, reported", "mixed date and time forms; empty until diagnosed"},
		{"诊断结论", "conclusion", "empty until diagnosed"},
		{"状态", "status", "待诊断 · 已诊断 · 更正 · 作废: table report-status"},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"处方", "处方 Prescriptions", []string{"处方号", "序号"}, "row 1 title merged over the sheet, row 2 heading; the cells of one prescription are merged downwards over its drugs", "门诊处方登记", []column{
		{"处方号", "prescription number", "merged"},
		{"序号", "row", "1, 2, … of the prescription"},
		{"档案号", "patient", "→ 居民档案; merged"},
		{"姓名", "name", "merged"},
		{"门诊号", "visit", "→ 门诊登记; merged"},
		{"开方时间", "written", "mixed date and time forms; a date alone is a day; merged"},
		{"药品编码", "drug", "table drugs"},
		{"药品名称", "drug name", ""},
		{"规格", "strength", "text"},
		{"单次剂量", "dose", "number, shown as it was written"},
		{"剂量单位", "dose unit", ""},
		{"用法", "route", "word: table routes"},
		{"频次", "frequency", "words: table frequencies"},
		{"天数", "days", "number"},
		{"数量", "quantity", "number"},
		{"数量单位", "pack", ""},
		{"医生工号", "doctor's staff number", "→ 职工; merged"},
		{"医生", "doctor's name", "merged"},
		{"状态", "status", "word: table prescription-status"},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"转诊登记", "双向转诊登记 Referrals", []string{"转诊单号"}, "row 1 title merged over the sheet, row 2 heading", "双向转诊登记表", []column{
		{"转诊单号", "referral number", "key; text `ZBH…`"},
		{"档案号", "patient", "→ 居民档案"},
		{"姓名", "name", ""},
		{"门诊号", "visit", "→ 门诊登记"},
		{"转诊类型", "direction", "上转 / 下转: table referral-direction"},
		{"转出机构", "from", "name: table members"},
		{"转入机构", "to", "name: table members"},
		{"转入科室", "department there", "text"},
		{"转诊原因", "reason", "text"},
		{"诊断编码", "diagnosis", "table diagnoses"},
		{"诊断名称", "its name", ""},
		{"病情摘要", "summary", "text, several lines"},
		{"紧急程度", "priority", "word: table referral-priority"},
		{"转诊医生工号", "doctor's staff number", "→ 职工"},
		{"转诊医生", "doctor's name", ""},
		{"转诊日期", "date", "date, mixed forms"},
		{"状态", "status", "word: table referral-status"},
		{"原转诊单号", "the referral of this register that this one answers", "of a referral down: what was sent up; else empty"},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"科室", "科室 Departments and wards", []string{"科室代码"}, "row 1 heading", "", []column{
		{"科室代码", "code", "key; number with format `0000`: shown `0010`; table departments"},
		{"科室名称", "name", ""},
		{"类别", "kind", "科室 department · 病区 ward"},
		{"上级科室", "department that a ward belongs to", "number with format `0000`; empty for departments"},
		{"修改时间", "last changed", "version stamp"},
	}},
	{"职工", "职工 Staff", []string{"工号"}, "row 1 title merged over the sheet, row 2 heading", "在岗职工名册", []column{
		{"工号", "staff number", "key; text `B01`"},
		{"姓名", "name", ""},
		{"科室代码", "department", "number with format `0000`; → 科室, never a ward"},
		{"职称", "title", "word: table titles"},
		{"修改时间", "last changed", "version stamp"},
	}},
}

func sheetByName(name string) sheet {
	for _, s := range sheets {
		if s.name == name {
			return s
		}
	}
	panic("alliancegen: no sheet " + name)
}

// sheetTables writes the sheets as Markdown.
func sheetTables() string {
	var b strings.Builder
	for _, s := range sheets {
		fmt.Fprintf(&b, "### 工作表 `%s` %s\n\n主键 Key: %s. %s.\n\n| 列 Column | 含义 Meaning | 说明 Note |\n|---|---|---|\n", s.name, s.title, strings.Join(s.key, " + "), s.heading)
		for _, c := range s.columns {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.name, c.meaning, cell(c.note))
		}
		b.WriteString("\n")
	}
	return b.String()
}
