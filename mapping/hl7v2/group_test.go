package hl7v2_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

// build makes a message of a type from the names of its segments.
func build(kind, segments string) string {
	var b strings.Builder
	b.WriteString("MSH|^~\\&|A|B|C|D|20240101||" + kind + "|1|P|2.5\r")
	for _, s := range strings.Fields(segments) {
		b.WriteString(s + "|1\r")
	}
	return b.String()
}

func TestGroups(t *testing.T) {
	for _, tt := range []struct{ name, kind, in, want string }{
		{"admission", "ADT^A01", "EVN PID PD1 NK1 NK1 PV1 PV2 OBX AL1 DG1 PR1 ROL GT1 IN1 IN2 IN1", "MSH EVN PID PD1 NK1 NK1 PV1 PV2 OBX AL1 DG1 PROCEDURE(PR1 ROL) GT1 INSURANCE(IN1 IN2) INSURANCE(IN1)"},
		{"admission without EVN and PV1", "ADT^A08^ADT_A01", "PID AL1", "MSH PID AL1"},
		{"next of kin after the visit", "ADT^A04", "EVN PID PV1 NK1 PV2 ZPI", "MSH EVN PID PV1 NK1 PV2 ZPI"},
		{"Z segment stays in its group", "ADT^A01", "EVN PID PV1 IN1 ZIN IN1 ZIN", "MSH EVN PID PV1 INSURANCE(IN1 ZIN) INSURANCE(IN1 ZIN)"},
		{"merge", "ADT^A40", "EVN PID MRG PID MRG", "MSH EVN PATIENT(PID MRG) PATIENT(PID MRG)"},
		{"merge of visits", "ADT^A45", "EVN PID MRG PV1 MRG PV1", "MSH EVN PID MERGE_INFO(MRG PV1) MERGE_INFO(MRG PV1)"},
		{"swap", "ADT^A17", "EVN PID PV1 PID PV1", "MSH EVN PID PV1 PID PV1"},
		{"result", "ORU^R01", "PID PV1 ORC OBR NTE OBX NTE OBX NTE NTE", "MSH PATIENT_RESULT(PATIENT(PID VISIT(PV1)) ORDER_OBSERVATION(ORC OBR NTE OBSERVATION(OBX NTE) OBSERVATION(OBX NTE NTE)))"},
		{"result without ORC", "ORU^R01", "PID OBR OBX OBX OBR OBX", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX) OBSERVATION(OBX)) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"},
		{"only the second order has ORC", "ORU^R01", "PID OBR OBX ORC OBR OBX", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX)) ORDER_OBSERVATION(ORC OBR OBSERVATION(OBX)))"},
		{"one ORC for several OBR", "ORU^R01", "PID ORC OBR OBR OBX", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(ORC OBR) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"},
		{"result of two patients", "ORU^R01", "PID OBR OBX PID OBR OBX", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX))) PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"},
		{"result without OBR", "ORU^R01", "PID PV1 OBX OBX", "MSH PATIENT_RESULT(PATIENT(PID VISIT(PV1)) ORDER_OBSERVATION(OBSERVATION(OBX) OBSERVATION(OBX)))"},
		{"result without a patient", "ORU^R01", "OBR OBX", "MSH PATIENT_RESULT(ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"},
		{"specimen and its observations", "ORU^R01", "PID OBR OBX SPM OBX OBR OBX", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX) SPECIMEN(SPM SPECIMEN_OBSERVATION(OBX))) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"},
		{"observation before the order's ORC", "ORU^R01", "PID OBX ORC OBR OBX", "MSH PATIENT_RESULT(PATIENT(PID PATIENT_OBSERVATION(OBX)) ORDER_OBSERVATION(ORC OBR OBSERVATION(OBX)))"},
		{"participation of an observation", "ORU^R01", "PID OBR OBX PRT NTE PRT OBX", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX PRT NTE PRT) OBSERVATION(OBX)))"},
		{"next of kin after the visit of a result", "ORU^R01", "PID PV1 NK1 PV2 OBR", "MSH PATIENT_RESULT(PATIENT(PID VISIT(PV1 PV2) NK1) ORDER_OBSERVATION(OBR))"},
		{"observation after the charges", "ORU^R01", "PID OBR OBX FT1 OBX NTE", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX) FT1 OBSERVATION(OBX NTE)))"},
		{"order document", "ORU^R01", "PID ORC OBX TXA OBR OBX", "MSH PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(ORC ORDER_DOCUMENT(OBX TXA) OBR OBSERVATION(OBX)))"},
		{"orders", "ORM^O01", "PID PV1 IN1 AL1 ORC OBR NTE DG1 OBX ORC OBR", "MSH PATIENT(PID PATIENT_VISIT(PV1) INSURANCE(IN1) AL1) ORDER(ORC ORDER_DETAIL(OBR NTE DG1 OBSERVATION(OBX))) ORDER(ORC ORDER_DETAIL(OBR))"},
		{"orders without ORC", "ORM^O01", "PID OBR OBR NTE", "MSH PATIENT(PID) ORDER(ORDER_DETAIL(OBR)) ORDER(ORDER_DETAIL(OBR NTE))"},
		{"note between ORC and OBR", "ORM^O01", "PID ORC NTE OBR", "MSH PATIENT(PID) ORDER(ORC NTE ORDER_DETAIL(OBR))"},
		{"pharmacy order in ORM", "ORM^O01", "PID ORC RXO RXR", "MSH PATIENT(PID) ORDER(ORC ORDER_DETAIL(RXO RXR))"},
		{"laboratory order", "OML^O21", "PID ORC OBR OBX SPM ORC OBR", "MSH PATIENT(PID) ORDER(ORC OBSERVATION_REQUEST(OBR OBSERVATION(OBX) SPECIMEN(SPM))) ORDER(ORC OBSERVATION_REQUEST(OBR))"},
		{"prior results", "OML^O21", "PID ORC OBR PID PV1 ORC OBR OBX", "MSH PATIENT(PID) ORDER(ORC OBSERVATION_REQUEST(OBR PRIOR_RESULT(PATIENT_PRIOR(PID) PATIENT_VISIT_PRIOR(PV1) ORDER_PRIOR(ORC OBR OBSERVATION_PRIOR(OBX)))))"},
		{"prescription", "RDE^O11", "PID PV1 ORC RXE TQ1 RXR RXC ORC RXE RXR", "MSH PATIENT(PID PATIENT_VISIT(PV1)) ORDER(ORC RXE TIMING_ENCODED(TQ1) RXR RXC) ORDER(ORC RXE RXR)"},
		{"prescription without ORC", "RDE^O01", "PID RXE RXR RXE", "MSH PATIENT(PID) ORDER(RXE RXR) ORDER(RXE)"},
		{"referral", "REF^I12", "RF1 PRD CTD PRD PID IN1 DG1 PR1 OBR OBX NTE PV1 NTE", "MSH RF1 PROVIDER_CONTACT(PRD CTD) PROVIDER_CONTACT(PRD) PID INSURANCE(IN1) DG1 PROCEDURE(PR1) OBSERVATION(OBR RESULTS_NOTES(OBX NTE)) PATIENT_VISIT(PV1) NTE"},
		{"appointment", "SIU^S12", "SCH NTE PID PV1 RGS AIS NTE AIG AIL AIP", "MSH SCH NTE PATIENT(PID PV1) RESOURCES(RGS SERVICE(AIS NTE) GENERAL_RESOURCE(AIG) LOCATION_RESOURCE(AIL) PERSONNEL_RESOURCE(AIP))"},
		{"appointment without RGS", "SIU^S14", "SCH PID AIS AIL AIP AIS", "MSH SCH PATIENT(PID) RESOURCES(SERVICE(AIS) LOCATION_RESOURCE(AIL) PERSONNEL_RESOURCE(AIP) SERVICE(AIS))"},
		{"charges", "DFT^P03", "EVN PID PV1 FT1 FT1 PR1 DG1", "MSH EVN PID PV1 FINANCIAL(FT1) FINANCIAL(FT1 FINANCIAL_PROCEDURE(PR1)) DG1"},
		{"account", "BAR^P01", "EVN PID PV1 GT1 IN1 NK1", "MSH EVN PID VISIT(PV1 GT1 INSURANCE(IN1) NK1)"},
		{"document", "MDM^T02", "EVN PID PV1 TXA OBX OBX", "MSH EVN PID PV1 TXA OBSERVATION(OBX) OBSERVATION(OBX)"},
		{"vaccination", "VXU^V04", "PID NK1 ORC RXA RXR OBX RXA", "MSH PID NK1 ORDER(ORC RXA RXR OBSERVATION(OBX)) ORDER(RXA)"},
		{"acknowledgement", "ACK^R01", "MSA ERR ERR", "MSH MSA ERR ERR"},
		{"unknown message", "ZZZ^Z01", "PID PV1 ZPV OBX NTE ORC OBR OBX OBX OBR DG1 PID ORC", "MSH PID PV1 ZPV OBSERVATION(OBX NTE) ORDER(ORC OBR OBSERVATION(OBX) OBSERVATION(OBX)) ORDER(OBR DG1) PID ORDER(ORC)"},
		{"unknown trigger, known structure", "ADT^Z99^ADT_A01", "EVN PID PV1 IN1", "MSH EVN PID PV1 INSURANCE(IN1)"},
		{"the trigger goes before MSH-9.3", "ADT^A28^ORU_R01", "EVN PID PV1 IN1", "MSH EVN PID PV1 INSURANCE(IN1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := parse(t, build(tt.kind, tt.in))
			if got := shape(rec.Root); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestGroupsDeclareWhatMayStandInThem(t *testing.T) {
	rec := parse(t, build("ORU^R01", "PID OBR OBX"))
	result := rec.Root.Get("PATIENT_RESULT")
	order := result.Get("ORDER_OBSERVATION")
	for _, tt := range []struct {
		node *record.Node
		name string
		want bool
	}{
		{order, "NTE", true}, {order, "ORC", true}, {order, "SPECIMEN", true}, {order, "PID", false}, {order, "NK1", false},
		{result, "PATIENT", true}, {result, "PID", false}, {result.Get("PATIENT"), "NTE", true}, {rec.Root, "DSC", true}, {order.Get("OBSERVATION"), "NTE", true},
	} {
		if got := tt.node.Declares(tt.name); got != tt.want {
			t.Errorf("%s declares %s: %v, want %v", tt.node.Name(), tt.name, got, tt.want)
		}
	}
	if result.Find("PID") == nil {
		t.Error("PID is found from PATIENT_RESULT")
	}
	if result.Find("OBR") != nil {
		t.Error("OBR stands in a repeating group")
	}
}

func TestRepeatingGroupsAndSegmentsAreNumbered(t *testing.T) {
	rec := parse(t, build("ORU^R01", "PID OBR OBX OBX OBR OBX"))
	var got []int
	for order := range rec.Root.Get("PATIENT_RESULT").Each("ORDER_OBSERVATION") {
		got = append(got, order.Ordinal())
		for observation := range order.Each("OBSERVATION") {
			got = append(got, observation.Ordinal(), observation.Get("OBX").Ordinal())
		}
	}
	want := []int{1, 1, 1, 2, 2, 2, 1, 3}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	if n := rec.Root.Get("PATIENT_RESULT").Get("PATIENT").Ordinal(); n != 0 {
		t.Errorf("PATIENT stands once, its ordinal is %d", n)
	}
}

// Whatever the order of segments, each stands in the tree once, with the ordinal
// it has in the message.
func TestNoSegmentIsEverLost(t *testing.T) {
	var kinds []string
	for _, s := range hl7v2.Structures() {
		kinds = append(kinds, s.Name)
	}
	names := strings.Fields("SFT EVN PID PD1 NK1 PV1 PV2 MRG ROL PRT NTE AL1 DG1 PR1 IN1 IN2 GT1 ORC OBR OBX TQ1 SPM SAC TXA RXO RXE RXR RXC RXD RXA SCH RGS AIS AIP RF1 PRD FT1 MSA ERR ZPI ZXX DSC QQQ")
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(t, "structure")
		code, event, _ := strings.Cut(kind, "_")
		in := rapid.SliceOfN(rapid.SampledFrom(names), 0, 40).Draw(t, "segments")
		rec, err := hl7v2.Parse([]byte(build(code+"^"+event+"^"+kind, strings.Join(in, " "))), hl7v2.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"MSH": 1}
		for _, s := range in {
			want[s]++
		}
		got, seen := map[string]int{}, map[record.Origin]bool{}
		for _, s := range segmentsOf(rec.Root) {
			got[s.Name()]++
			if o := s.Origin(); seen[o] {
				t.Fatalf("%v stands in the tree twice", o)
			} else {
				seen[o] = true
			}
		}
		for name := range want {
			if got[name] != want[name] {
				t.Fatalf("%d %s in %s, want %d", got[name], name, shape(rec.Root), want[name])
			}
		}
	})
}
