// Command yilian is the gateway of a medical alliance, and the tools of those who
// connect a hospital to it.
//
// It owns the command line: names, flags, help, exit codes, and how results are
// printed. What is done stands in the packages it calls. One file per subcommand;
// each is a struct whose fields are the flags, as package kong reads them.
//
// Exit codes: 0 done; 1 findings or failure; 2 wrong usage. Results go to standard
// output, what is told about them to standard error. With --json the results are
// JSON whose shape the command's --help describes; fields may be added to it, never
// renamed. Nothing prints a patient's data but the mapping, or the bytes of a record, that
// was asked for.
package main
