package fieldtable

import "github.com/yilian/yilian/mapping"

// words are a paper's texts in one language.
type words struct {
	title, institution, version, summary              string
	maps, fields, tables, sign                        string
	field, element, kind, how, table, condition, must string
	local, name, system, target, targetName, remark   string
	hospital, vendor, date, signature, rule, writing  string
	yes, comma, more                                  string
	key, each, when, computed, refers, always         string
	otherwise, withChange, reads, columnMap           string
	writes                                            map[mapping.Write]string
	functions, uses                                   map[string]string
}

func wordsOf(language string) *words {
	if language == "zh" {
		return &chinese
	}
	return &english
}

// function names what makes a value; one that has no words of its own is named as maps name it.
func (w *words) function(name string) string {
	if t := w.functions[name]; t != "" {
		return t
	}
	return name
}

func (w *words) use(name string) string {
	if t := w.uses[name]; t != "" {
		return t
	}
	return name
}

var english = words{
	title: "Field table", institution: "Institution", version: "Version of the maps",
	summary: "Which local field becomes which element of FHIR R4. Written from the maps themselves: what stands here is what they do.",
	maps:    "Maps", fields: "Local fields", tables: "Code tables", sign: "Agreed",
	field: "Local field", element: "FHIR element", kind: "Type", how: "How", table: "Code table", condition: "Only when", must: "Mandatory",
	local: "Local code", name: "Local name", system: "system", target: "Standard code", targetName: "Standard name", remark: "Remark",
	hospital: "For the hospital", vendor: "For the vendor", date: "Date", signature: "Signature", rule: "Resource", writing: "Written",
	yes: "yes", comma: ", ", more: "further rows stand in the workbook",
	key: "told apart by", each: "one for each", when: "only when", computed: "computed:", refers: "refers to", always: "always",
	otherwise: "else", withChange: "only with another change:", reads: "Reads", columnMap: "Map",
	writes: map[mapping.Write]string{
		mapping.Replace: "replaces what is stored", mapping.Update: "updates what it gives",
		mapping.Merge: "fills gaps only", mapping.Reference: "is only referred to",
	},
	functions: map[string]string{
		"identifier": "as identifier", "name": "as name", "phone": "as phone numbers", "address": "as address", "result": "as result with number, unit or code",
		"quantity": "as number and unit", "range": "as reference range", "flag": "as interpretation", "codeable": "as coded concept", "coding": "as code",
		"annotation": "as remark", "narrative": "as text", "attachment": "as attached file", "document": "the record itself, byte by byte",
		"age-birth": "birth date out of the resident id", "id-sex": "sex out of the resident id", "authority": "as system of the authority",
		"coding-system": "as coding system", "date": "as date", "dateTime": "as date and time", "instant": "as instant", "time": "as time",
		"string": "as text", "code": "as code", "uri": "as URI", "boolean": "as yes or no", "integer": "as whole number", "decimal": "as number", "base64": "as bytes",
	},
	uses: map[string]string{"text": "printed text from", "display": "display from", "unit": "unit from", "reference": "reference from"},
}

var chinese = words{
	title: "字段对照表", institution: "机构", version: "映射版本",
	summary: "本地字段对应的 FHIR R4 元素。本表由映射文件直接生成,所列即所做。",
	maps:    "映射", fields: "本地字段索引", tables: "码表", sign: "确认",
	field: "本地字段", element: "FHIR 元素", kind: "类型", how: "处理方式", table: "码表", condition: "条件", must: "必填",
	local: "本地代码", name: "本地名称", system: "标识体系", target: "标准代码", targetName: "标准名称", remark: "备注",
	hospital: "医院", vendor: "厂商", date: "日期", signature: "签字", rule: "资源", writing: "写入",
	yes: "是", comma: ",", more: "其余各行见工作簿",
	key: "主键", each: "逐条", when: "仅当", computed: "计算:", refers: "引用", always: "固定为",
	otherwise: "否则", withChange: "仅随其他变更写入:", reads: "读取", columnMap: "映射",
	writes: map[mapping.Write]string{
		mapping.Replace: "整体替换", mapping.Update: "按所给内容更新", mapping.Merge: "仅补缺", mapping.Reference: "仅供引用",
	},
	functions: map[string]string{
		"identifier": "标识符", "name": "姓名", "phone": "电话", "address": "地址", "result": "检验结果(数值、单位或代码)",
		"quantity": "数值与单位", "range": "参考范围", "flag": "异常提示", "codeable": "编码概念", "coding": "编码",
		"annotation": "备注", "narrative": "文本", "attachment": "附件", "document": "原始记录全文",
		"age-birth": "由身份证号得出生日期", "id-sex": "由身份证号得性别", "authority": "发放机构", "coding-system": "编码体系",
		"date": "日期", "dateTime": "日期时间", "instant": "时刻", "time": "时间", "string": "文本", "code": "代码", "uri": "URI",
		"boolean": "是/否", "integer": "整数", "decimal": "小数", "base64": "字节",
	},
	uses: map[string]string{"text": "名称取自", "display": "显示取自", "unit": "单位取自", "reference": "引用自"},
}
