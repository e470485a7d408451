package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/yilian/yilian/mapping"
)

// The exit codes.
const (
	exitDone     = 0
	exitFindings = 1 // findings, or failure
	exitUsage    = 2
)

// commandLine is all of what yilian can be asked to do, in the order of its help.
type commandLine struct {
	JSON bool `name:"json" help:"Print results as JSON, in the shape that the command's --help describes."`

	Serve       serveCommand       `cmd:"" help:"Run the gateway."`
	Ingest      ingestCommand      `cmd:"" help:"Hand in records of an institution."`
	Inbox       inboxCommand       `cmd:"" help:"Look at the records that came in, and run them again."`
	Institution institutionCommand `cmd:"" help:"Look at the institutions, push their folders, and switch back."`
	Map         mapCommand         `cmd:"" help:"Try out how an institution's records become FHIR."`
	Validate    validateCommand    `cmd:"" help:"Check FHIR resources against FHIR R4."`
	IG          igCommand          `cmd:"" name:"ig" help:"Look at the alliance's implementation guide, and write its package."`
	Conformance conformanceCommand `cmd:"" help:"Test FHIR servers with suites of TestScripts."`
	Terminology terminologyCommand `cmd:"" help:"Import large code systems, and look at what is imported."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the schema of a store up to date."`
	Backup      backupCommand      `cmd:"" help:"Write the whole store to a file."`
	Restore     restoreCommand     `cmd:"" help:"Make a store from a backup."`
	Config      configCommand      `cmd:"" help:"Look at the configuration."`
	Version     versionCommand     `cmd:"" help:"Print what this program was built from."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errFindings ends a command whose findings are printed already.
var errFindings = errors.New("findings")

// errHelped ends the parsing of a command line that asked for help.
var errHelped = errors.New("help was printed")

// usageError is a command line that no command can make sense of.
type usageError struct{ error }

// helpFlag is --help. Unlike kong's own it does not exit.
type helpFlag bool

func (helpFlag) IgnoreDefault() {}

// BeforeReset is called by kong when the flag is met.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return err
	}
	return errHelped
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var line struct {
		Help helpFlag `short:"h" help:"Show what a command does and takes."`
		commandLine
	}
	parser, err := kong.New(&line,
		kong.Name("yilian"),
		kong.Description("The FHIR gateway of a medical alliance: member hospitals' records in, one shared record out."),
		kong.NoDefaultHelp(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(stdout, stderr),
	)
	if err != nil {
		fmt.Fprintln(stderr, "yilian:", err)
		return exitFindings
	}
	parsed, err := parser.Parse(args)
	if errors.Is(err, errHelped) {
		return exitDone
	}
	if err != nil {
		return wrongUsage(err, "", stderr)
	}
	out := &output{in: stdin, out: stdout, err: stderr, json: line.JSON}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(out)
	var usage usageError
	var folder *mapping.Error
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.As(err, &usage):
		return wrongUsage(err, parsed.Selected().FullPath(), stderr)
	case errors.As(err, &folder): // lines of file:line:column: text, as they are
		fmt.Fprintln(stderr, folder)
		return exitFindings
	}
	fmt.Fprintln(stderr, "yilian:", err)
	return exitFindings
}

// wrongUsage says what is wrong with a command line, and where to read how the command is meant.
func wrongUsage(err error, command string, stderr io.Writer) int {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		command = parse.Context.Selected().FullPath()
	}
	command = cmp.Or(command, "yilian")
	fmt.Fprintf(stderr, "yilian: %v\nRun \"%s --help\" for what it takes.\n", err, command)
	return exitUsage
}
