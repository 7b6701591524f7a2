package worker

import (
	"errors"
	"net"
	"os"
)

func socketpair() (ours net.Conn, theirs *os.File, err error) {
	return nil, nil, errors.New("this system has no socketpair, which workers need")
}

func exitStatus(state *os.ProcessState, cause string) string {
	return "ended: " + state.String() + " " + cause
}
