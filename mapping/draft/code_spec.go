package draft

// tableSpec is a code table as it is drafted.
type tableSpec struct {
	name     string // of the file, without .csv
	title    string
	system   string            // of the targets; "" when no standard is wanted
	known    map[string]string // words, folded, whose target is certain
	builtin  []string          // tables that come with the gateway, asked for codes and for names
	whole    bool              // such a table is used itself when it has all codes
	words    bool              // words in place of codes are translated, too
	digits   bool              // that digits mean what the built-in table says is likely only
	fallback string            // for mandatory elements: what an unknown code is taken for
	icd      bool              // codes of the national editions of ICD-10
	names    string            // a built-in table of names, asked after those of institutions that are connected already
}

const (
	v2System = "http://terminology.hl7.org/CodeSystem/"
	loinc    = "http://loinc.org"
)

var (
	sexTable = tableSpec{name: "sex", title: "性别", system: "http://hl7.org/fhir/administrative-gender", builtin: []string{"gb-sex"}, whole: true}
	// sexCodeTable is for the sex as it was recorded, in the national codes.
	sexCodeTable = tableSpec{name: "sex-code", title: "性别 GB/T 2261.1", system: "urn:oid:2.16.156.10011.2.3.3.4",
		known: pairs("0 0 1 1 2 2 9 9 01 1 02 2 09 9 男 1 男性 1 m 1 male 1 女 2 女性 2 f 2 female 2 未知 0 不详 0 未知的性别 0 u 0 未说明 9 未说明的性别 9")}
	maritalTable = tableSpec{name: "marital", title: "婚姻状况", system: v2System + "v3-MaritalStatus", builtin: []string{"gb-marital", "gb-marital-short"},
		digits: true, known: pairs("未婚 S 已婚 M 初婚 M 再婚 M 复婚 M 丧偶 W 离婚 D 离异 D")}
	ethnicityTable = tableSpec{name: "ethnicity", title: "民族", system: "urn:oid:2.16.156.10011.2.3.3.3", builtin: []string{"gb-ethnicity"}, whole: true}
	relationTable  = tableSpec{name: "relations", title: "与患者关系", system: v2System + "v3-RoleCode", builtin: []string{"gb-relationship"}, digits: true}
	classTable     = tableSpec{name: "visit-class", title: "就诊类型", system: v2System + "v3-ActCode", builtin: []string{"visit-names", "cv-visit"}, words: true, digits: true, fallback: "AMB",
		known: pairs("门诊 AMB 急诊 EMER 住院 IMP 普通门诊 AMB 专家门诊 AMB 专科门诊 AMB 体检 AMB 留观 OBSENC O AMB E EMER I IMP outpatient AMB inpatient IMP emergency EMER op AMB ip IMP er EMER mz AMB zy IMP jz EMER")}
	deptTable        = tableSpec{name: "departments", title: "科室", words: true}
	visitStatusTable = tableSpec{name: "visit-status", title: "就诊状态", system: "http://hl7.org/fhir/encounter-status",
		known: pairs("在诊 in-progress 在院 in-progress 就诊中 in-progress 接诊 in-progress 已接诊 in-progress 入院 in-progress 已入院 in-progress 结束 finished 已结束 finished 完成 finished 已完成 finished 出院 finished 已出院 finished 离院 finished 已就诊 finished 取消 cancelled 已取消 cancelled 退号 cancelled 已退号 cancelled 作废 cancelled 预约 planned 已预约 planned 挂号 arrived 已挂号 arrived 候诊 arrived 待诊 arrived finished finished cancelled cancelled active in-progress closed finished discharged finished")}
	orderStatusTable = tableSpec{name: "order-status", title: "申请状态", system: "http://hl7.org/fhir/request-status",
		known: pairs("已开立 active 开立 active 已申请 active 申请 active 有效 active 待执行 active 待确认 active 已确认 active 执行中 active 已接收 active 已采样 active 已收费 active 完成 completed 已完成 completed 已执行 completed 已报告 completed 已审核 completed 作废 revoked 已作废 revoked 取消 revoked 已取消 revoked 撤销 revoked 已撤销 revoked 退费 revoked 停止 revoked 已停止 revoked 草稿 draft 暂存 draft active active completed completed cancelled revoked revoked revoked new active done completed")}
	reportStatusTable = tableSpec{name: "report-status", title: "报告状态", system: "http://hl7.org/fhir/diagnostic-report-status", builtin: []string{"report-status-names"},
		known: pairs("正常 final 已审核 final 审核 final 已发布 final 已报告 final 终审 final 已完成 final 完成 final 正式 final 有效 final 初步 preliminary 初审 preliminary 未审核 preliminary 待审核 preliminary 临时 preliminary 更正 corrected 已更正 corrected 修正 corrected 作废 entered-in-error 已作废 entered-in-error 撤销 entered-in-error 已撤销 entered-in-error 召回 entered-in-error 取消 cancelled 已取消 cancelled f final p preliminary c corrected x cancelled final final preliminary preliminary corrected corrected")}
	// resultStatusTable is for results where a report has states that a result has not.
	resultStatusTable = tableSpec{name: "result-status", title: "结果状态", system: "http://hl7.org/fhir/observation-status",
		known: withKnown(reportStatusTable.known, "部分报告 preliminary 部分结果 preliminary 补充报告 amended 补充 amended 已登记 registered 登记 registered 待检 registered 未检 registered 已申请 registered 标本已接收 registered 检验中 registered 检查中 registered 初步报告 preliminary 初报 preliminary 临时报告 preliminary 正式报告 final 最终报告 final 更正报告 corrected 修改 corrected 已修改 corrected 已撤销 entered-in-error 召回 entered-in-error 拒检 cancelled 退检 cancelled")}
	rxStatusTable = tableSpec{name: "prescription-status", title: "处方状态", system: "http://hl7.org/fhir/CodeSystem/medicationrequest-status",
		known: pairs("有效 active 已开立 active 开立 active 已审核 active 审核 active 已缴费 active 已收费 active 未发药 active 待发药 active 已发药 completed 发药 completed 已完成 completed 完成 completed 已执行 completed 作废 cancelled 已作废 cancelled 取消 cancelled 已取消 cancelled 退药 cancelled 已退药 cancelled 停止 stopped 已停止 stopped active active completed completed cancelled cancelled")}
	priorityTable = tableSpec{name: "priority", title: "优先级", system: "http://hl7.org/fhir/request-priority", words: true,
		known: pairs("普通 routine 常规 routine 一般 routine 平诊 routine 否 routine n routine 加急 urgent 紧急 urgent 急 urgent 急诊 urgent 优先 urgent 是 urgent y urgent 特急 stat 抢救 stat 绿色通道 stat 紧急(绿色通道) urgent routine routine urgent urgent stat stat r routine s stat")}
	categoryTable  = tableSpec{name: "order-category", title: "申请类型", words: true}
	directionTable = tableSpec{name: "referral-direction", title: "转诊方向", system: "https://yilian.dev/fhir/CodeSystem/referral-direction", words: true, known: pairs("上转 up 下转 down")}
	reasonTable    = tableSpec{name: "referral-reason", title: "转诊原因", words: true}
	memberTable    = tableSpec{name: "members", title: "机构代码", system: "urn:yilian:institution"}
	specimenTable  = tableSpec{name: "specimens", title: "标本类型", system: v2System + "v2-0487", builtin: []string{"v2-0487"}, words: true,
		known: pairs("全血 BLD 血液 BLD 静脉血 BLDV 动脉血 BLDA 末梢血 BLDC 血清 SER 血浆 PLAS 尿 UR 尿液 UR 随机尿 UR 晨尿 UR 中段尿 URC 粪便 STL 大便 STL 便 STL 痰 SPT 痰液 SPT 脑脊液 CSF 脓液 PUS 胆汁 BIFL 羊水 AMN 唾液 SAL")}
	sectionTable = tableSpec{name: "report-section", title: "报告类别", system: v2System + "v2-0074", builtin: []string{"v2-0074"}, words: true,
		known: pairs("生化 CH 临床化学 CH 血液 HM 临检 HM 血常规 HM 免疫 SR 血清 SR 微生物 MB 细菌 MB 尿液 LAB 体液 LAB 检验 LAB 影像 RAD 放射 RAD 超声 RUS 彩超 RUS B超 RUS us RUS ct CT mr NMR mri NMR 核磁 NMR 磁共振 NMR dr RAD x线 RX 心电 EC 心电图 EC ecg EC 病理 PAT 核医学 NMS")}
	orderItemTable = tableSpec{name: "order-items", title: "申请与报告项目", system: loinc}
	labItemTable   = tableSpec{name: "lab-items", title: "检验项目", system: loinc, names: "lab-names"}
	dxTable        = tableSpec{name: "diagnoses", title: "诊断", system: "http://hl7.org/fhir/sid/icd-10", icd: true}
	drugTable      = tableSpec{name: "drugs", title: "药品", system: "http://www.whocc.no/atc"}
	freqTable      = tableSpec{name: "frequencies", title: "用药频次", system: v2System + "v3-GTSAbbreviation", words: true,
		known: pairs("qd QD bid BID tid TID qid QID qod QOD am AM pm PM q1h Q1H q2h Q2H q3h Q3H q4h Q4H q6h Q6H q8h Q8H 每日一次 QD 每日1次 QD 一日一次 QD 1日1次 QD 一天一次 QD 每天一次 QD 1次/日 QD 每日两次 BID 每日二次 BID 每日2次 BID 一日两次 BID 一日二次 BID 1日2次 BID 一天两次 BID 每天两次 BID 2次/日 BID 每日三次 TID 每日3次 TID 一日三次 TID 1日3次 TID 一天三次 TID 每天三次 TID 3次/日 TID 每日四次 QID 每日4次 QID 一日四次 QID 1日4次 QID 隔日一次 QOD 隔日1次 QOD")}
	routeTable = tableSpec{name: "routes", title: "用药途径", system: "urn:oid:2.16.156.10011.2.3.1.158", words: true,
		known: pairs("口服 1 po 1 直肠给药 2 舌下给药 3 舌下含服 3 注射 4 皮下注射 401 皮下 401 皮内注射 402 肌肉注射 403 肌注 403 静脉注射 404 静脉滴注 404 静滴 404 静注 404 吸入 5 吸入给药 5 雾化吸入 5 局部用药 6 外用 6 滴眼 606 滴鼻 607 含化 609")}
	flagTable         = tableSpec{name: "flags", title: "结果标志", system: v2System + "v3-ObservationInterpretation", words: true}
	growthTable       = tableSpec{name: "growth", title: "培养结果", words: true}
	organismTable     = tableSpec{name: "organisms", title: "细菌"}
	antibioticTable   = tableSpec{name: "antibiotics", title: "抗生素", system: loinc}
	allergenTable     = tableSpec{name: "allergens", title: "过敏原", words: true}
	allergenTypeTable = tableSpec{name: "allergen-category", title: "过敏原类别", system: "http://hl7.org/fhir/allergy-intolerance-category", words: true,
		known: pairs("药物 medication 药品 medication 药物过敏 medication 食物 food 食品 food 食物过敏 food 环境 environment 花粉 environment 生物制品 biologic")}
	severityTable = tableSpec{name: "severity", title: "严重程度", system: "http://hl7.org/fhir/reaction-event-severity", words: true,
		known: pairs("轻 mild 轻度 mild 中 moderate 中度 moderate 重 severe 重度 severe 严重 severe")}
	admitTable     = tableSpec{name: "admit-source", title: "入院途径", system: v2System + "admit-source", words: true, known: pairs("门诊 outp 急诊 emd 转院 hosp-trans")}
	dischargeTable = tableSpec{name: "discharge-disposition", title: "离院方式", system: v2System + "discharge-disposition", builtin: []string{"cv-discharge"}, words: true, digits: true,
		known: pairs("医嘱离院 home 正常出院 home 死亡 exp 医嘱转院 other-hcf 转院 other-hcf")}
)
