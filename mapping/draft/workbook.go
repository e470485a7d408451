package draft

import (
	"strings"

	"github.com/yilian/yilian/mapping"
)

// readWorkbook profiles the sheets of a workbook.
func (s *samples) readWorkbook(f mapping.File) { s.refuse(f.Name, "", "workbook") }

func (d *drafter) workbookSource(*strings.Builder) {}
