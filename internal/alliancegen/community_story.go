package alliancegen

import "time"

// cast are the residents of the centre: some whom the alliance knows already, and
// some who come only here.
func (c *community) cast() {
	st := &communityStage{
		records: c.delivery("13-community-center-platform"),
		clinic:  c.delivery("15-community-center-clinic"),
		late:    c.delivery("17-community-center-platform"),
		after:   c.delivery("19-community-center-clinic"),
	}
	c.showcaseAgain(st)
	c.chronic(st)
	c.cardAlone(st)
	c.rareCharacter(st)
	late := c.untruePrologue(st)
	c.afterReferral(st)
	c.healthRecordAlone(st)
	c.sparse(st)
	c.homeBed(st)
	c.dayBed(st)
	c.serology(st)
	late()
}

// communityStage are the centre's deliveries in order of arrival.
type communityStage struct{ records, clinic, late, after *communityDelivery }

// showcaseAgain meets the showcase after she was referred down: seen in the first
// weeks, and again when HbA1c is due.
func (c *community) showcaseAgain(st *communityStage) {
	s := c.s
	p := c.meet(&c.ledger.Persons[0], ResidentID, HealthCard, HealthRecord)
	penicillin := c.allergy(p, "penicillin", "皮疹")
	v, doctor := c.visit(p, "general", s.at(32, 9, 10), 35*time.Minute, "t2dm-kidney", "hypertension")
	c.measured(v, "temperature", "pulse", "systolic", "diastolic", "weight", "height")
	told := consultation{
		complaint: "糖尿病肾病、高血压出院后9天复诊", exam: "神志清,双肺呼吸音清,心律齐,双下肢无水肿",
		present: "2型糖尿病3年余,近期于上级医院住院治疗后转回社区。\n出院后规律服药,空腹血糖7.0~8.2mmol/L,无头晕、乏力。", past: "高血压5年;青霉素过敏",
		plan: "1. 继续二甲双胍、缬沙坦\n2. 每2周测空腹血糖及血压\n3. 3月后复查糖化血红蛋白", allergies: []*Allergy{penicillin},
	}
	rec := c.send(st.records, c.outpatient(p, v, doctor, told), plainUTF8)
	s.trap("cda-outpatient-record", rec, v)
	s.trap("cda-narrative-table", rec)
	s.trap("cda-allergy", rec)
	s.trap("person-in-community", p.person)
	cf := s.number("sq-cf", "SQCF%07d", 830000)
	s.trap("vendor-prescription", c.prescription(st.clinic, s.at(32, 9, 41), p, v,
		c.prescribe(p, v, cf, 1, "metformin", s.at(32, 9, 40)), c.prescribe(p, v, cf, 2, "valsartan", s.at(32, 9, 40))))

	again, doctor := c.visit(p, "general", s.at(114, 8, 40), 30*time.Minute, "t2dm-kidney", "hypertension")
	c.measured(again, "pulse", "systolic", "diastolic", "weight")
	a1c := c.report(p, again, "hba1c", true, s.at(114, 8, 55), s.at(114, 15, 30))
	res := c.result(a1c, p, "HbA1c", high)
	res.Value.Number, res.Value.Sent, res.Flag, res.Interpret = "7.1", "7.1", "H", "H"
	c.send(st.late, c.outpatient(p, again, doctor, consultation{
		complaint: "复查糖化血红蛋白", present: "规律服药,自测空腹血糖6.1~7.0mmol/L。", past: "高血压5年;青霉素过敏", exam: "双下肢无水肿,足背动脉搏动好",
		plan: "加用阿托伐他汀,3月后复查", allergies: []*Allergy{penicillin},
	}), plainUTF8)
	s.trap("cda-in-soap", c.send(st.late, c.reportPaper(p, again, a1c), inSOAP))
	s.trap("hba1c-again", a1c)
	cf = s.number("sq-cf", "SQCF%07d", 830000)
	at := s.at(115, 9, 0)
	c.prescription(st.after, at, p, again, c.prescribe(p, again, cf, 1, "metformin", at), c.prescribe(p, again, cf, 2, "valsartan", at), c.prescribe(p, again, cf, 3, "atorvastatin", at))
}

// chronic is a routine patient of the hospitals with blood lipids and ECG at the
// centre. His prescription is dispensed later.
func (c *community) chronic(st *communityStage) {
	s := c.s
	p := c.meet(c.known("routine"), ResidentID, HealthCard)
	v, doctor := c.visit(p, "general", s.at(30, 10, 0), 40*time.Minute, "hypertension", "hyperlipidaemia")
	c.measured(v, "heart", "breathing", "systolic", "diastolic")
	lipids := c.report(p, v, "lipids", true, s.at(30, 10, 15), s.at(30, 16, 20))
	c.fill(lipids, p)
	// The laboratory's document is there before the doctor has signed the record.
	early := c.send(st.records, c.reportPaper(p, v, lipids), plainUTF8)
	s.trap("cda-result-before-visit", early, lipids)
	rec := c.send(st.records, c.outpatient(p, v, doctor, consultation{
		complaint: "血压升高2年,头晕3天", present: "2年前发现血压升高,最高168/98mmHg。\n近3天头晕,无视物旋转 & 呕吐;血压>160/90mmHg。", past: "无\"糖尿病\"史,吸烟<5支/日", exam: "心界不大,心率齐,A2>P2",
		plan: "低盐饮食;氨氯地平5mg qd",
	}), inGB2312)
	s.trap("xml-gb2312-prolog", rec)
	s.trap("cda-escapes", rec)
	trace := c.report(p, v, "ecg", true, s.at(30, 10, 50), s.at(30, 11, 5))
	trace.Results = []Result{{
		Item: coded("XDHR", "心率", systemLOINC, "8867-4"), Occurrence: 1, Status: "final",
		Value: Value{Kind: Quantity, Number: map[bool]string{true: "78", false: "96"}[trace.Findings == trace.panel.findings[0]], Unit: "次/分", UCUM: "/min"},
	}}
	trace.Results[0].Value.Sent = trace.Results[0].Value.Number
	s.trap("cda-ecg", c.send(st.records, c.reportPaper(p, v, trace), inGBK), trace)
	s.trap("xml-gbk-prolog", c.mark)
	cf := s.number("sq-cf", "SQCF%07d", 830000)
	rows := []*Rx{c.prescribe(p, v, cf, 1, "amlodipine", s.at(30, 10, 35)), c.prescribe(p, v, cf, 2, "atorvastatin", s.at(30, 10, 35))}
	c.prescription(st.clinic, s.at(30, 10, 36), p, v, rows...)
	for _, x := range rows {
		x.Status = "completed"
	}
	s.trap("vendor-prescription-dispensed", c.prescription(st.after, s.at(30, 11, 20), p, v, rows...))
}

// cardAlone is known by the health card everywhere.
func (c *community) cardAlone(st *communityStage) {
	s := c.s
	p := c.meet(c.known("known by health card alone"), HealthCard)
	v, doctor := c.visit(p, "tcm", s.at(33, 14, 20), 25*time.Minute, "hyperlipidaemia")
	c.measured(v, "pulse", "systolic", "diastolic")
	c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "体检发现血脂升高1月", present: "1月前体检发现甘油三酯升高,无胸闷。", past: "既往体健", exam: "舌红苔薄,脉弦"}), plainUTF8)
	urine := c.report(p, v, "urine", true, s.at(33, 14, 50), s.at(33, 15, 30))
	c.result(urine, p, "UPRO", weak)
	c.result(urine, p, "UGLU", strong)
	c.result(urine, p, "UKET", normal)
	c.result(urine, p, "UPH", normal)
	c.result(urine, p, "UWBC", missing)
	rec := c.send(st.records, c.reportPaper(p, v, urine), inSOAP)
	s.trap("cda-in-soap", rec)
	s.trap("cda-nullflavor", rec)
	s.trap("cda-health-card-alone", p)
}

// rareCharacter is written with a character that takes four bytes in GB18030.
func (c *community) rareCharacter(st *communityStage) {
	s := c.s
	p := c.meet(c.known("name written with a substitute character at the county"), ResidentID)
	v, doctor := c.visit(p, "general", s.at(34, 8, 30), 20*time.Minute, "gallstone")
	c.measured(v, "temperature", "pulse", "systolic", "diastolic")
	rec := c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "右上腹隐痛半年", present: "进食油腻后右上腹隐痛,无发热、黄疸。", past: "胆囊结石2年", exam: "腹软,墨菲征阴性", plan: "低脂饮食,复查腹部彩超"}), inGB2312)
	s.trap("xml-four-byte-character", rec, p)
	belly := c.report(p, v, "abdomen-us", true, s.at(34, 9, 10), s.at(34, 9, 40))
	belly.Findings += "\n双肾大小正常,未见结石及积水"
	s.trap("cda-examination", c.send(st.records, c.reportPaper(p, v, belly), plainUTF8), belly)
}

// untruePrologue sends a document that says UTF-8 and is GB18030. What it returns
// sends the message of the prescription's writing, long after that of its dispensing.
func (c *community) untruePrologue(st *communityStage) (late func()) {
	s := c.s
	p := c.meet(c.known("15-digit number at the county, 18 at the city"), ResidentID, HealthRecord)
	v, doctor := c.visit(p, "general", s.at(35, 9, 30), 30*time.Minute, "infarct", "hypertension")
	c.measured(v, "pulse", "systolic", "diastolic", "height")
	s.trap("xml-lying-prolog", c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "脑梗死恢复期随访", present: "左侧肢体乏力较前好转,言语清。", past: "高血压10年", exam: "左侧肢体肌力4级", plan: "继续阿司匹林"}), lyingUTF8))
	cf := s.number("sq-cf", "SQCF%07d", 830000)
	x := c.prescribe(p, v, cf, 1, "aspirin", s.at(35, 10, 0))
	x.Status = "completed"
	c.prescription(st.clinic, s.at(35, 10, 40), p, v, x)
	return func() {
		x.Status = "active"
		old := c.prescription(st.after, s.at(35, 10, 5), p, v, x)
		x.Status = "completed"
		old.Fate, old.Reason = Superseded, "older than the message that was applied"
		s.trap("vendor-old-after-new", old)
	}
}

// afterReferral is treated here after the county referred him up.
func (c *community) afterReferral(st *communityStage) {
	s := c.s
	p := c.meet(c.known("referred up as urgent; the referral waits"), ResidentID, HealthCard)
	seafood := c.allergy(p, "seafood", "荨麻疹")
	v, doctor := c.visit(p, "general", s.at(40, 15, 0), 35*time.Minute, "chd", "hypertension")
	c.measured(v, "heart", "systolic", "diastolic")
	s.trap("xml-bom", c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "冠心病出院后随访", present: "出院后无胸痛发作。", past: "高血压、冠心病", exam: "双肺未闻及啰音", plan: "冠心病二级预防", allergies: []*Allergy{seafood}}), withBOM))
	cf := s.number("sq-cf", "SQCF%07d", 830000)
	at := s.at(40, 15, 30)
	c.prescription(st.clinic, at, p, v, c.prescribe(p, v, cf, 1, "aspirin", at), c.prescribe(p, v, cf, 2, "atorvastatin", at), c.prescribe(p, v, cf, 3, "metoprolol", at))
}

// healthRecordAlone has no other number than that of the health record.
func (c *community) healthRecordAlone(st *communityStage) {
	s := c.s
	p := c.newcomer("known at the community centre by health-record number", 1950, 1970, HealthRecord)
	v, doctor := c.visit(p, "general", s.at(36, 9, 0), 30*time.Minute, "t2dm")
	c.measured(v, "pulse", "systolic", "diastolic", "weight", "height")
	rec := c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "发现血糖升高1年", present: "饮食控制,未用药。", past: "否认高血压", exam: "足背动脉搏动可", plan: "二甲双胍0.5g bid"}), plainUTF8)
	s.trap("cda-health-record-number", p)
	s.trap("cda-retransmitted", c.again(st.late, rec))
	glucose := c.report(p, v, "glucose", false, s.at(36, 9, 20), s.at(36, 10, 0))
	c.result(glucose, p, "GLU", high)
	c.send(st.records, c.reportPaper(p, v, glucose), inSOAP)
	cf := s.number("sq-cf", "SQCF%07d", 830000)
	x := c.prescribe(p, v, cf, 1, "metformin", s.at(36, 9, 25))
	c.prescription(st.clinic, s.at(36, 9, 26), p, v, x)
	x.Status = "cancelled"
	s.trap("vendor-prescription-cancelled", c.prescription(st.after, s.at(36, 10, 30), p, v, x))
}

// sparse says nothing where it can.
func (c *community) sparse(st *communityStage) {
	s := c.s
	p := c.newcomer("at the community centre without any number", 1975, 1999)
	p.Phone, p.Marital, p.Ethnicity, p.Contact = "", "", "", nil
	v, doctor := c.visit(p, "general", s.at(37, 10, 30), 0, "chestpain")
	c.measured(v, "temperature", "systolic", "diastolic")
	rec := c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "胸痛2小时", present: "活动后胸骨后闷痛,观察中。", past: "不详", exam: "心肺未见异常", unmeasured: []string{"weight", "height"}}), plainUTF8)
	s.trap("cda-nullflavor", rec, p)
	s.trap("cda-no-identifier", p)
	s.trap("cda-open-visit", v)
}

// homeBed is cared for at home, and had a chest film before.
func (c *community) homeBed(st *communityStage) {
	s := c.s
	p := c.newcomer("in a bed at home", 1936, 1948, ResidentID, HealthCard)
	v, doctor := c.visit(p, "general", s.at(29, 9, 0), 45*time.Minute, "copd")
	c.measured(v, "temperature", "pulse", "breathing", "systolic", "diastolic")
	c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "咳嗽、咳痰加重1周", present: "慢性咳嗽10年,近1周加重,痰黄。", past: "慢性阻塞性肺病10年", exam: "桶状胸,双肺散在湿啰音", plan: "建立家庭病床"}), plainUTF8)
	film := c.report(p, v, "chest-xr", true, s.at(29, 9, 30), s.at(29, 10, 10))
	film.Remark = "请结合临床,必要时CT检查"
	c.send(st.records, c.reportPaper(p, v, film), plainUTF8)
	bed, nurse := c.stay(p, "HH", "5", s.at(30, 14, 0), s.at(44, 10, 0), "copd", "hypertension")
	cf := s.number("sq-cf", "SQCF%07d", 830000)
	rec := c.summary(st.clinic, s.at(44, 11, 0), p, bed, nurse, course{
		admission: "咳嗽、咳痰、气促1周。\n查体:双肺散在湿啰音。", treatment: "予吸入支气管扩张剂、祛痰治疗,每周上门3次;\n血氧饱和度由89%升至95%,<建议>长期家庭氧疗 & 呼吸康复。",
		discharge: "咳嗽、气促明显好转。", orders: "继续吸入沙丁胺醇\n家庭氧疗每日15小时\n2周后门诊随访",
	}, c.prescribe(p, bed, cf, 1, "salbutamol", s.at(44, 9, 30)), c.prescribe(p, bed, cf, 2, "amlodipine", s.at(44, 9, 30)))
	s.trap("vendor-discharge-summary", rec, bed)
	s.trap("home-bed-stay", bed)
}

// dayBed is a stay of two days; a blood count taken before is corrected.
func (c *community) dayBed(st *communityStage) {
	s := c.s
	p := c.newcomer("in a day bed; a blood count is corrected", 1955, 1985, ResidentID, HealthRecord)
	v, doctor := c.visit(p, "general", s.at(38, 8, 20), 40*time.Minute, "pneumonia")
	c.measured(v, "temperature", "pulse", "breathing")
	c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "发热、咳嗽3天", present: "3天前受凉后发热,最高38.6℃,咳嗽。", past: "体健", exam: "右下肺湿啰音", plan: "日间病床治疗"}), inGB2312)
	blood := c.report(p, v, "cbc", true, s.at(38, 8, 40), s.at(38, 9, 30))
	c.fill(blood, p)
	c.wbc(blood, "7.20", "N")
	first := c.reportPaper(p, v, blood)
	c.send(st.records, first, plainUTF8)
	bed, nurse := c.stay(p, "SS", "4", s.at(38, 10, 0), s.at(39, 17, 0), "pneumonia")
	c.summary(st.clinic, s.at(39, 17, 30), p, bed, nurse, course{
		admission: "发热、咳嗽3天。", treatment: "予抗感染、补液治疗2天,体温降至正常。", discharge: "体温正常,偶有咳嗽。", orders: "注意休息\n1周后复查血常规",
	})
	c.correct(blood, 0, "12.70", "H", s.at(38, 11, 0))
	second := c.reportPaper(p, v, blood)
	second.set, second.version, second.replaces = first.set, 2, first
	rec := c.send(st.late, second, plainUTF8)
	s.trap("cda-corrected", rec, blood)
}

// wbc sets the first count to what the story needs.
func (c *community) wbc(rep *Report, number, flag string) {
	res := &rep.Results[0]
	res.Value.Number, res.Value.Comparator, res.Value.Sent, res.Flag, res.Interpret = number, "", number, flag, c.habits.interpretation[flag]
}

// serology are results of every other kind.
func (c *community) serology(st *communityStage) {
	s := c.s
	p := c.newcomer("results of every kind at the community centre", 1980, 1998, ResidentID)
	v, doctor := c.visit(p, "tcm", s.at(41, 9, 0), 30*time.Minute, "hepatitisB")
	c.measured(v, "pulse", "systolic", "diastolic")
	c.send(st.records, c.outpatient(p, v, doctor, consultation{complaint: "乙肝随访", present: "无明显不适。", past: "慢性乙型病毒性肝炎5年", exam: "肝脾肋下未触及"}), plainUTF8)
	hepatitis := c.report(p, v, "hepatitis", true, s.at(41, 9, 20), s.at(41, 16, 0))
	surface := c.result(hepatitis, p, "HBsAg", high)
	surface.Value.Sent = "阳性"
	c.result(hepatitis, p, "HBsAb", below)
	c.result(hepatitis, p, "HCVAb", normal)
	s.trap("cda-coded-ordinal", c.send(st.records, c.reportPaper(p, v, hepatitis), inSOAP), hepatitis)
	immune := c.report(p, v, "autoimmune", true, s.at(41, 9, 20), s.at(42, 10, 0))
	c.result(immune, p, "ANA", high)
	c.result(immune, p, "RPR", normal)
	index := c.result(immune, p, "LIX", above)
	index.Flag, index.Interpret = "1", "A"
	s.trap("result-code-1-is-abnormal", immune)
	c.send(st.records, c.reportPaper(p, v, immune), plainUTF8)
	liver := c.report(p, v, "liver", true, s.at(41, 9, 20), s.at(41, 14, 0))
	c.fill(liver, p)
	c.result(liver, p, "K", haemolysed)
	s.trap("cda-haemolysed", c.send(st.records, c.reportPaper(p, v, liver), inGB2312), liver)
	group := c.report(p, v, "blood-group", false, s.at(41, 9, 20), s.at(41, 11, 0))
	c.result(group, p, "ABO", normal)
	c.send(st.records, c.reportPaper(p, v, group), plainUTF8)
}
