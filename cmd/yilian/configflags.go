package main

import (
	"errors"
	"os"
	"strings"

	"github.com/yilian/yilian/gateway/config"
)

// configFlags are the flags of commands that work with a gateway's data.
type configFlags struct {
	Config string `help:"Configuration file." placeholder:"FILE"`
	Data   string `help:"Data folder; default ./yilian-data, or what the configuration says." placeholder:"DIR"`
}

// load gathers the configuration. listen is the value of --listen, where there is one.
func (f configFlags) load(listen string) (*config.Config, error) {
	c, err := config.Load(config.Sources{File: f.Config, Env: os.Getenv, Flags: map[string]string{"data": f.Data, "listen": listen}})
	var problems config.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			if strings.HasPrefix(p.Origin, "--") {
				return nil, usageError{err}
			}
		}
	}
	return c, err
}
