package alliancetest

import (
	"testing"
	"time"

	"github.com/yilian/yilian/internal/alliancegen"
)

func TestATimeWhereThereIsNoneIsNotTheSame(t *testing.T) {
	if at := (alliancegen.Time{}); sameTime(time.Now().Format(time.RFC3339), at) {
		t.Error("a time where there is none")
	}
}
