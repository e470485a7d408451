package main

type igCommand struct {
	Build igBuildCommand `cmd:"" help:"Write the FHIR package of the guide."`
	List  igListCommand  `cmd:"" help:"List what the guide defines, and its examples."`
}
