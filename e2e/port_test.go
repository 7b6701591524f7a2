package e2e

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// firstPort and lastPort are for what has to listen where it is told to. They are below the ports that the kernel gives
// to whoever asks for any: none is taken before it is used, or while what listened there is away. Relays have others.
const firstPort, lastPort = 10000, 19999

// handedOut are the ports that tests have got, each once.
var handedOut sync.Map

// freePort is a port that nobody uses, over TCP or UDP.
func freePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort+1))
		if _, taken := handedOut.LoadOrStore(port, true); !taken && isFree(port) {
			return port
		}
	}
	t.Fatalf("no port from %d to %d is free", firstPort, lastPort)
	return ""
}

func isFree(port string) bool {
	l, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return false
	}
	defer l.Close()
	c, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// freeAddress is a port of loopback that nobody uses.
func freeAddress(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", freePort(t))
}
