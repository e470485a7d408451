//go:build !unix

package testenv

import (
	"errors"
	"os/exec"
)

type account struct{}

func unprivileged() (*account, error) {
	return nil, errors.New("private servers are started on Unix systems only")
}

func (*account) own(string) error { return nil }

func (*account) apply(*exec.Cmd) {}

func ownGroup(*exec.Cmd) {}
