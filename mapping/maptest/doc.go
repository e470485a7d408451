// Package maptest runs the cases of an institution's folder: cases/*.txtar, each with what goes in and what must come out.
//
//	# a corrected result becomes status=corrected
//	source: lis
//	charset: GB18030
//	-- LIS_BG.csv --
//	…
//	-- want.json --
//	[ {"resourceType": "DiagnosticReport", "id": "report", …} ]
//	-- want.issues --
//	3:4: warning: the code is not in table lab-item at Observation.code from item[2].XMDM [code-unmapped]
//
// want.txt says what stands at single places, for cases whose point is one of them; it may stand beside want.json or instead:
//
//	Observation/observation-2.valueQuantity.value = 5.60
//	DiagnosticReport/report.conclusion = "心影不大\n双肺纹理清晰"
//	Patient/patient.telecom absent
//
// Files other than these three are the delivery; a file is a message, a document or a table by the
// institution's sources. The text stands in the case as UTF-8; charset: makes the runner encode it first. Ids are written as the
// name of the rule that made the resource (observation, observation-2, …), so that people can read and write them; ids of
// what a case only refers to are those of the salt Salt. Resources that are only referred to (write: reference) are not listed.
//
// A workbook is spelled out sheet by sheet, each a section of CSV, in which # begins a number (#7.2 0.00 with its format,
// #45889 yyyy-mm-dd a date), ! an error, < and ^ stand for a cell merged with the one to the left or above:
//
//	-- 周报.xlsx/门诊登记 --
//	患者,<,结果
//	姓名,性别,^
//	甲,男,#7.2 0.00
//
// Without want.json and want.txt a case passes when nothing is rejected; without want.issues warnings do not count, errors do.
//
// It owns the form of cases, comparison and its report. It does not own mapping, nor where results are printed.
package maptest
