package peer

import (
	"fmt"
	"sync"

	"sluice/transport"
)

// ownPort is a port of our own for connections to other servers, and its reader.
type ownPort struct {
	*transport.Port
	mux     *announcedMux
	reading sync.WaitGroup
}

// outgoingMux is the port of connections to other servers. It is the one of all media, unless that is bound to loopback,
// where no other machine can be reached from: then one of its own, which the system chooses, is opened for them.
func (e *Engine) outgoingMux() (*announcedMux, error) {
	if !e.mux.local.Addr().IsLoopback() {
		return e.mux, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.outgoing == nil {
		p, err := e.openPort()
		if err != nil {
			return nil, fmt.Errorf("open a port for connections to other servers: %w", err)
		}
		e.outgoing = p
	}
	return e.outgoing.mux, nil
}

func (e *Engine) openPort() (*ownPort, error) {
	port, err := transport.Listen(e.ctx, transport.Options{
		ListenUDP: ":0", Interfaces: e.options.Interfaces, Sockets: 1, Log: e.options.Log,
	})
	if err != nil {
		return nil, err
	}
	p := &ownPort{Port: port, mux: e.newMux(port.Others(), port)}
	p.reading.Go(func() { _ = port.Run(e.ctx, transport.Nobody{}) }) // ends with the port
	return p, nil
}

func (p *ownPort) close() error {
	err := p.mux.Close()
	if closed := p.Close(); err == nil {
		err = closed
	}
	p.reading.Wait()
	return err
}
