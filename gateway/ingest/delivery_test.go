package ingest

import (
	"bytes"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
)

func TestArchiveKeepsEveryFileInItsPlace(t *testing.T) {
	d := Delivery{Files: []File{
		{Name: `C:\export\HIS_HZXX.csv`, Bytes: []byte("HZID,XM\r\n1,甲\r\n")},
		{Name: "空.csv", Bytes: nil},
		{Name: "../LIS_BG.csv", Bytes: bytes.Repeat([]byte("x"), 5000)},
	}}
	name, archived, err := d.archive()
	if err != nil {
		t.Fatal(err)
	}
	files, offsets, err := unpack(name, archived)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"HIS_HZXX.csv", "空.csv", "LIS_BG.csv"} {
		if files[i].Name != want || !bytes.Equal(files[i].Bytes, d.Files[i].Bytes) {
			t.Errorf("file %d: %s with %d bytes", i, files[i].Name, len(files[i].Bytes))
		}
		if at := offsets[i]; !bytes.HasPrefix(archived[at:], d.Files[i].Bytes) {
			t.Errorf("file %d is not at offset %d", i, at)
		}
	}
	again, bytesAgain, _ := d.archive()
	if again != name || !bytes.Equal(bytesAgain, archived) {
		t.Error("the same files make other bytes: a delivery sent twice would not be known")
	}
}

func TestArchiveOfOneFileIsTheFile(t *testing.T) {
	name, archived, err := Delivery{Files: []File{{Name: "a.hl7", Bytes: []byte("MSH|")}}}.archive()
	if err != nil || name != "a.hl7" || string(archived) != "MSH|" {
		t.Errorf("got %q %q %v", name, archived, err)
	}
}

func TestArchiveRefusesNamesThatClash(t *testing.T) {
	for _, names := range [][2]string{{"a.csv", "x/a.csv"}, {"", "b.csv"}, {"..", "b.csv"}} {
		_, _, err := Delivery{Files: []File{{Name: names[0]}, {Name: names[1]}}}.archive()
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v", names, err)
		}
	}
}
