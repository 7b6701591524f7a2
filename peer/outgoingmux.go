package peer

import (
	"net"

	"github.com/pion/ice/v4"
)

// outgoingMux is the port of connections that we offer. It is the one of all media, unless that is bound to loopback,
// where no other machine can be reached from: then one of its own, which the system chooses, is opened for them.
func (e *Engine) outgoingMux() (*announcedMux, error) {
	if !e.mux.local.Addr().IsLoopback() {
		return e.mux, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.outgoing == nil {
		conn, err := listenUDP(":0")
		if err != nil {
			return nil, err
		}
		e.outgoing = e.newMux(conn)
	}
	return e.outgoing, nil
}

func (e *Engine) newMux(conn *sharedConn) *announcedMux {
	return &announcedMux{
		UDPMuxDefault: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: e.loggers.NewLogger("udp-mux")}),
		local:         conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		interfaces:    e.options.Interfaces,
	}
}
