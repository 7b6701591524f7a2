package worker

import (
	"errors"
	"net"
	"os"
)

func killGroup(p *os.Process) error { return p.Kill() }

func endGroup(int) {}

func socketpair() (ours net.Conn, theirs *os.File, err error) {
	return nil, nil, errors.New("this system has no socketpair, which workers need")
}

func exitStatus(state *os.ProcessState, cause string) string {
	return "ended: " + state.String() + " " + cause
}
