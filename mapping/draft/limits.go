package draft

// Limits bound what is looked at. A zero field means its default.
type Limits struct {
	MaxBytes    int // of all samples
	MaxFiles    int
	MaxRecords  int // rows, messages and documents looked at; more are counted
	MaxColumns  int // of all tables and documents
	MaxDistinct int // values of one column that are kept
	MaxValue    int // bytes of a value that are kept
	MaxCells    int // kept to compare the columns of a row
	MaxTables   int // tables, kinds of document and arrays in them
	MaxCodes    int // rows of one code table
	MaxAsked    int // questions; the last says that there were more
	MaxCompared int // values of columns looked for in other columns; then nothing more is concluded from them
}

// DefaultLimits are the limits where none are given.
var DefaultLimits = Limits{
	MaxBytes:    256 << 20,
	MaxFiles:    5000,
	MaxRecords:  500_000,
	MaxColumns:  4000,
	MaxDistinct: 3000,
	MaxValue:    512,
	MaxCells:    1_000_000,
	MaxTables:   300,
	MaxCodes:    3000,
	MaxAsked:    1000,
	MaxCompared: 20_000_000,
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct{ have, def *int }{
		{&l.MaxBytes, &DefaultLimits.MaxBytes}, {&l.MaxFiles, &DefaultLimits.MaxFiles}, {&l.MaxRecords, &DefaultLimits.MaxRecords},
		{&l.MaxColumns, &DefaultLimits.MaxColumns}, {&l.MaxDistinct, &DefaultLimits.MaxDistinct}, {&l.MaxValue, &DefaultLimits.MaxValue},
		{&l.MaxCells, &DefaultLimits.MaxCells}, {&l.MaxTables, &DefaultLimits.MaxTables}, {&l.MaxCodes, &DefaultLimits.MaxCodes},
		{&l.MaxAsked, &DefaultLimits.MaxAsked}, {&l.MaxCompared, &DefaultLimits.MaxCompared},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return l
}
