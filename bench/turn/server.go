//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sluice/turn"
)

const secret = "the secret of the benchmark"

// server is a TURN server that runs in a process of its own.
type server struct {
	cmd   *exec.Cmd
	stdin io.Closer
	at    netip.AddrPort
}

// beServer is the embedded server alone, which relays to the media addresses.
func beServer(ctx context.Context, media []string) error {
	var m turn.Media
	for _, a := range media {
		m.Local = append(m.Local, netip.MustParseAddrPort(a))
	}
	const plenty = 1 << 16
	s, err := turn.Listen(ctx, turn.Options{
		ListenUDP: "127.0.0.1:0", Secret: secret, Media: func() turn.Media { return m },
		UserQuota: plenty, TotalQuota: plenty, PerIP: plenty,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with who started us
		cancel()
	}()
	fmt.Println(s.Addrs().UDP)
	return s.Run(ctx)
}

func startOurs(ctx context.Context, media []string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-serve"}, media...)...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err = cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the server did not say where it listens: %w", err)
	}
	s.at, err = netip.ParseAddrPort(strings.TrimSpace(line))
	return s, err
}

// startCoturn runs it with what is comparable: one listener on loopback, no file for its log, no command line.
func startCoturn(ctx context.Context, dir string) (*server, error) {
	at, err := freePort()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "turnserver.conf")
	text := fmt.Sprintf("listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port=%d\nuse-auth-secret\n"+
		"static-auth-secret=%s\nrealm=sluice\nfingerprint\nallow-loopback-peers\nno-cli\nno-tls\nno-dtls\nno-tcp-relay\n"+
		"no-stdout-log\nlog-file=/dev/null\npidfile=%s/pid\nuserdb=%s/db\n", at.Port(), secret, dir, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "turnserver", "-c", config)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start coturn, which make deps installs: %w", err)
	}
	s := &server{cmd: cmd, at: at}
	if err := s.await(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func freePort() (netip.AddrPort, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer conn.Close()
	return netip.ParseAddrPort(conn.LocalAddr().String())
}

// await returns when the server makes allocations.
func (s *server) await(ctx context.Context) error {
	var err error
	for range 100 {
		var c *client
		if c, err = allocate(s.at, 0); err == nil {
			return c.release()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("coturn does not answer: %w", err)
}

func (s *server) stop() {
	if s.stdin != nil {
		_ = s.stdin.Close() // it is killed below if it stays
	}
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // an end by a signal is what was asked for
}

// ticks of processor time are of 10 ms on every Linux.
const tick = 10 * time.Millisecond

// cpu is the processor time that the server has used.
func (s *server) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is too short")
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// memory is what the server holds resident, in MB.
func (s *server) memory() (float64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0, errors.New("/proc/PID/statm is too short")
	}
	pages, err := strconv.Atoi(fields[1])
	return float64(pages*os.Getpagesize()) / 1e6, err
}
