// Package readmetest executes the README word for word: it starts the server that the README starts, runs every command in
// order in one shell, as a reader would, and compares what comes with what is shown.
//
// The form it expects. A fence "sh" holds commands. A fence "text" after it is what they print, standard output and
// standard error together; commands without one must print nothing. In shown text "…" within a line stands for any text,
// a line of "…" alone for any lines. The first block starts the server, all others run against it, each command must end
// with exit code 0. The Chinese README has the same blocks.
//
// What may differ from the word: the port, and the folders for data and temporary files.
package readmetest
