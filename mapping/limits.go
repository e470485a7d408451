package mapping

// Limits bound what one folder and one record may cost. A zero field means its default.
type Limits struct {
	MaxFile       int // bytes of one map, library or institution file
	MaxFiles      int // files of one folder, code tables included
	MaxDepth      int // nesting of a YAML file, of rules, and of extends and include
	MaxYAML       int // values of one YAML file
	MaxRules      int // resource rules of one map
	MaxFindings   int // findings reported about one folder
	MaxExpression int // nodes of one expression
	MaxResources  int // resources of one record
	MaxNodes      int // FHIR values of one record
	MaxSteps      int // rules run for one record: iterations of each: included
	MaxIssues     int // issues of one record; the last says that there were more
	MaxLanes      int // lanes of one record
	MaxAttachment int // bytes of one attachment, decoded
	MaxText       int // bytes that a value may have for an expression, a key or a lane
}

// DefaultLimits are the limits where none are given.
var DefaultLimits = Limits{
	MaxFile:       4 << 20,
	MaxFiles:      2000,
	MaxDepth:      40,
	MaxYAML:       200_000,
	MaxRules:      500,
	MaxFindings:   200,
	MaxExpression: 200,
	MaxResources:  10_000,
	MaxNodes:      1_000_000,
	MaxSteps:      2_000_000,
	MaxIssues:     200,
	MaxLanes:      16,
	MaxAttachment: 20 << 20,
	MaxText:       64 << 10,
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct{ have, def *int }{
		{&l.MaxFile, &DefaultLimits.MaxFile}, {&l.MaxFiles, &DefaultLimits.MaxFiles},
		{&l.MaxDepth, &DefaultLimits.MaxDepth}, {&l.MaxYAML, &DefaultLimits.MaxYAML},
		{&l.MaxRules, &DefaultLimits.MaxRules}, {&l.MaxFindings, &DefaultLimits.MaxFindings},
		{&l.MaxExpression, &DefaultLimits.MaxExpression}, {&l.MaxResources, &DefaultLimits.MaxResources},
		{&l.MaxNodes, &DefaultLimits.MaxNodes}, {&l.MaxSteps, &DefaultLimits.MaxSteps},
		{&l.MaxIssues, &DefaultLimits.MaxIssues}, {&l.MaxLanes, &DefaultLimits.MaxLanes},
		{&l.MaxText, &DefaultLimits.MaxText}, {&l.MaxAttachment, &DefaultLimits.MaxAttachment},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return l
}
