package main

type terminologyCommand struct {
	Import terminologyImportCommand `cmd:"" help:"Import a code system from a table or a package."`
	List   terminologyListCommand   `cmd:"" help:"List what is imported."`
}
