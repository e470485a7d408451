package record_test

import (
	"testing"

	"github.com/yilian/yilian/mapping/record"
)

// message builds MSH, PID with PID-3 repeated, and an order group with two OBX.
func message() *record.Node {
	var b record.Builder
	root := b.Group("", nil)
	pid := b.Sequence("PID")
	pid.Number(1)
	pid.Mark(2, 1)
	rep := b.Sequence("")
	rep.Add(b.Leaf("", "B2", record.Present), b.Leaf("", "", record.Empty), b.Leaf("", "X", record.Present))
	ids := b.List("")
	ids.Add(b.Leaf("", "A1", record.Present), rep)
	pid.Add(b.Leaf("", "1", record.Present), b.Leaf("", "", record.Delete), ids)
	order := b.Group("ORDER", nil)
	for i := range 2 {
		obx := b.Sequence("OBX")
		obx.Number(i + 1)
		obx.Add(b.Leaf("", "v", record.Present))
		order.Add(obx)
	}
	root.Add(pid, order)
	return root
}

func TestPositionsRepetitionsAndCollapsedComponents(t *testing.T) {
	pid := message().Get("PID")
	for _, tt := range []struct {
		name  string
		node  *record.Node
		text  string
		state record.State
		path  string
	}{
		{"a leaf is its own first component", pid.At(1).At(1), "1", record.Present, "PID[1]-1"},
		{"a leaf has no second component", pid.At(1).At(2), "", record.Absent, ""},
		{"a leaf is its own first repetition", pid.At(1).Repetition(1), "1", record.Present, "PID[1]-1"},
		{"delete is not empty", pid.At(2), "", record.Delete, "PID[1]-2"},
		{"a field past the end is absent", pid.At(30), "", record.Absent, ""},
		{"a list reads as its first repetition", pid.At(3), "A1", record.Present, "PID[1]-3"},
		{"component of the second repetition", pid.At(3).Repetition(2).At(3), "X", record.Present, "PID[1]-3[2].3"},
		{"empty component", pid.At(3).Repetition(2).At(2), "", record.Empty, "PID[1]-3[2].2"},
		{"third repetition is absent", pid.At(3).Repetition(3), "", record.Absent, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.node.Text(); got != tt.text {
				t.Errorf("text %q, want %q", got, tt.text)
			}
			if got := tt.node.State(); got != tt.state {
				t.Errorf("state %v, want %v", got, tt.state)
			}
			if got := tt.node.Origin().Path; got != tt.path {
				t.Errorf("origin %q, want %q", got, tt.path)
			}
		})
	}
}

func TestOriginOfASegmentLeavesGroupsOut(t *testing.T) {
	n := 0
	for obx := range message().Get("ORDER").Each("OBX") {
		n++
		if got, want := obx.At(1).Origin().Path, []string{"OBX[1]-1", "OBX[2]-1"}[n-1]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if n != 2 {
		t.Errorf("%d segments, want 2", n)
	}
	if o := message().Get("PID").At(1).Origin(); o.Line != 2 || o.Column != 1 {
		t.Errorf("a field is where its segment is: %+v", o)
	}
}

func TestColumnsDeclareWhatARowMayHold(t *testing.T) {
	var b record.Builder
	row := b.Group("LIS_BG", record.Columns{"BGDH": 0, "HZID": 1, "BZ": 2})
	row.Add(b.Leaf("BGDH", "1", record.Present), b.Leaf("HZID", "", record.Empty))
	if !row.Declares("BZ") || row.Get("BZ") != nil {
		t.Error("a column of the heading is declared though the row has no cell")
	}
	if row.Declares("XX") {
		t.Error("an unknown column is not declared")
	}
	if row.Get("HZID").State() != record.Empty {
		t.Error("an empty cell is empty, not absent")
	}
}

func TestReservedRoomIsNotSharedWithTheNextNode(t *testing.T) {
	var b record.Builder
	b.Grow(4)
	first, second := b.Sequence("A"), b.Sequence("B")
	b.Reserve(first, 1)
	b.Reserve(second, 1)
	second.Add(b.Leaf("", "b", record.Present))
	first.Add(b.Leaf("", "a1", record.Present), b.Leaf("", "a2", record.Present))
	if got := second.At(1).Text(); got != "b" {
		t.Errorf("second's child is %q, want b", got)
	}
	if got := first.At(2).Text(); got != "a2" {
		t.Errorf("a node may take more children than reserved: %q", got)
	}
}

func TestAListWithoutRepetitionsIsEmpty(t *testing.T) {
	var b record.Builder
	l := b.List("results")
	if l.State() != record.Empty {
		t.Error("want empty")
	}
	l.Add(b.Leaf("", "x", record.Present))
	if l.State() != record.Present {
		t.Error("want present")
	}
}

func TestFindLooksIntoGroupsThatStandOnce(t *testing.T) {
	var b record.Builder
	root := b.Group("", nil)
	patient, order := b.Group("PATIENT", nil), b.Group("ORDER", nil)
	order.Number(1)
	patient.Add(b.Sequence("PID"))
	order.Add(b.Sequence("OBR"))
	root.Add(patient, order)
	if root.Find("PID") == nil {
		t.Error("PID stands in the only PATIENT")
	}
	if root.Find("OBR") != nil {
		t.Error("ORDER repeats: which OBR is not said")
	}
}
