package alliancetest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/internal/alliancegen"
)

// Nothing more than the ledger's facts becomes a resource of their types: findings are Observations beside the results, and
// what a referral states as its diagnosis is a Condition beside those of visits.
func TestResourcesAreAsManyAsFacts(t *testing.T) {
	for _, seed := range seeds {
		a := alliancegen.Generate(seed, alliancegen.Options{})
		want := map[string]int{}
		for _, id := range members {
			for typ, n := range a.Ledger.Totals[id] {
				switch typ {
				case "Referral": // ServiceRequest has them
				case "Narrative":
					want[id+" Observation"] += n
				default:
					want[id+" "+typ] += n
				}
			}
		}
		for _, p := range a.Ledger.Persons {
			for _, r := range p.Referrals {
				want[r.Institution+" Condition"] += len(r.Diagnoses)
			}
		}
		w := newWorld(t)
		w.deliver(t, a.Deliveries())
		got := map[string]int{}
		for _, key := range w.order {
			s := w.stored[key]
			switch typ := s.tree.ResourceType(); {
			case typ == "Organization", typ == "Location" && s.tree.Get("identifier") != nil: // rooms and beds have no number
				got[s.institution+" Department"]++
			}
			if k := s.institution + " " + s.tree.ResourceType(); want[k] > 0 || slices.Contains([]string{"Patient", "Encounter", "ServiceRequest", "DiagnosticReport", "Observation", "Condition", "MedicationRequest", "Practitioner", "ImagingStudy", "DocumentReference"}, s.tree.ResourceType()) {
				got[k]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}

// The only findings about good records are those the ledger's traps call for.
func TestGoodRecordsHaveNoOtherFindings(t *testing.T) {
	a := alliancegen.Generate(1, alliancegen.Options{})
	w := newWorld(t)
	w.deliver(t, a.Deliveries())
	traps := map[string]string{"charset-declared-otherwise": "lying-msh18", "code-unmapped": "unmapped-code", "identifier-check": "bad-check-digit"}
	places := map[string]int{}
	for _, trap := range a.Ledger.Traps {
		places[trap.Name] = len(trap.Where)
	}
	seen := map[string]int{}
	for at, f := range w.fates {
		for _, i := range f.issues {
			if traps[i.ID] == "" {
				t.Errorf("%s: %s", at, i)
			}
			seen[i.ID]++
		}
	}
	for id, trap := range traps {
		if seen[id] < places[trap] {
			t.Errorf("%s: %d findings, but the ledger has %d such traps", id, seen[id], places[trap])
		}
	}
}

// unread are the fields that no rule reads, by member. The rest of each record is in its resources.
var unread = map[string][]string{
	alliancegen.Township: {
		"年龄",          // changes by itself
		"建档日期",        // when somebody was first registered: FHIR has no place for it
		"姓名", "患者_姓名", // whom the row is about: 居民档案 says it
		"诊断机构",                  // where there is no diagnosis yet
		"item.报告号", "item.报告名称", // what joins the rows, and the report's name again
		"item.序号", // print order
	},
	alliancegen.County: {
		"JDRQ",                 // when somebody was first registered: FHIR has no place for it
		"SQKS",                 // the ordering department: the visit says it
		"item.BGDH", "item.XH", // what joins the rows, and their print order
	},
	alliancegen.Lab: {
		"items.seq",        // print order
		"msgId", "msgType", // the envelope; report.status says the same
		"report.mtuRecMark",                                       // the items say which of them are marked
		"report.testTime",                                         // between collection and approval
		"sender.applyDoctor", "sender.deptName", "sender.orgName", // the order says them; of senders that are no member they are read
	},
	alliancegen.Community: {
		// envelopes, and heads that say of all documents the same
		"@envelope.Header.Sender.orgCode", "@envelope.Header.Sender.sysCode", "@envelope.Header.Sender.sendTime", "@envelope.Header.Sender.sign",
		"@envelope.Body.submitDocument.docNo", "@envelope.Body.submitDocument.docType", "@版本", "报文头.@msgId", "报文头.orgCode", "报文头.orgName",
		"报文头.sysName", "realmCode.@code", "typeId.@extension", "custodian.assignedCustodian.representedCustodianOrganization.id.@extension",
		"custodian.assignedCustodian.representedCustodianOrganization.name",
		"报文头.@bizType",                                                                              // of prescriptions: which map reads them
		"recordTarget.patientRole.id.@extension",                                                    // of numbers that stand in the body of the head again
		"recordTarget.patientRole.patient.age.@value", "recordTarget.patientRole.patient.age.@unit", // calculated
		"author.time.@value", "authenticator.time.@value", // the document and the report have times of their own
		"participant.time.@value", "participant.associatedEntity.scopingOrganization.name", // of the order, which is not sent
		"relatedDocument.parentDocument.setId.@extension", "relatedDocument.parentDocument.versionNumber.@value",
		// what kind of thing an entry is; 初诊标志 and the reason of a request, which are no diagnoses of the visit
		"component.structuredBody.component.section.entry.observation.value.@code",
		"component.structuredBody.component.section.entry.observation.entryRelationship.observation.code.@code",
	},
	alliancegen.City: {
		// envelope, set ids and repeated headings
		"MSH-1", "MSH-2", "MSH-3", "MSH-4", "MSH-5", "MSH-6", "MSH-9.1", "MSH-10", "MSH-11", "MSH-12", "MSH-18",
		"EVN-1", "EVN-2", "EVN-6", "AIG-1", "AIG-2", "AIP-1", "AIP-2", "AL1-1", "NK1-1", "NTE-1", "NTE-2", "OBR-1", "OBX-1", "PV1-1", "RGS-1", "RGS-2", "ZPI-1",
		// said by another field beside them: ORC before OBR, the table before the printed system or name
		"OBR-2.1", "OBR-2.2", "OBR-16.1", "OBR-16.2", "OBR-27.6", "OBR-4.3", "OBX-3.3", "OBX-5.1", "OBX-11", "OBX-14", "ORC-4.2", "PID-21.4", "PID-21.5",
		"PID-22.2", "PID-22.3", "PID-25", "PID-30", "PID-5.7", "PV1-19.5", "SCH-2.2", "SCH-11.3", "ZPI-2", "MRG-7",
	},
}

// around are attributes of XML that say what kind of thing an element is, beside what it says: nothing of their own.
var around = []string{"@xmlns", "@xsi:type", "@xsi:schemaLocation", "@classCode", "@moodCode", "@typeCode", "@determinerCode", "@contextControlCode",
	"@root", "@codeSystem", "@codeSystemName", "@displayName", "@nullFlavor"}

func TestEveryOtherFieldIsRead(t *testing.T) {
	w := newWorld(t)
	w.deliver(t, alliancegen.Generate(1, alliancegen.Options{}).Deliveries())
	for _, id := range members {
		c := w.covered[id]
		got := slices.Collect(maps.Keys(c.Unread))
		for _, f := range got {
			if !slices.Contains(unread[id], f) && !slices.Contains(around, f[strings.LastIndexByte(f, '.')+1:]) {
				t.Errorf("%s: no rule reads %s, %d times present", id, f, c.Unread[f])
			}
		}
		for _, f := range unread[id] {
			if !slices.Contains(got, f) {
				t.Errorf("%s: %s is read", id, f)
			}
		}
		if len(c.Unfilled) > 0 {
			t.Errorf("%s: mandatory elements without a value: %v", id, fmt.Sprint(c.UnfilledElements()))
		}
	}
}
