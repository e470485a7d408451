// Package config owns the settings of a gateway: their keys, defaults, bounds and where each value came from.
//
// A setting is taken from, in falling order, a command line flag, an environment variable, the YAML file, the default. The
// file is read strictly: an unknown or repeated key, a list where a text belongs, an alias or a second document is an
// error that names file, line and column, and all errors are reported at once. Relative folders in the file are relative
// to the file. testdata/good.yaml shows every key.
//
// Nothing is opened or connected to here, and institution folders have a configuration of their own.
//
// Specification of the file: https://yaml.org/spec/1.2.2/.
package config
