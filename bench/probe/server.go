package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server describes a WHEP server as bench/fanout does: {http}, {udp}, {rtsp} and {admin} stand for free ports,
// {source} for the camera's URL, {dir} for a folder of its own, {config} for the file with the lines of Config.
type server struct {
	Name    string   `json:"name"`
	Command []string `json:"command"` // none: it runs already, and has the camera
	Config  []string `json:"config"`
	WHEP    string   `json:"whep"`
}

// gateway is the server of this repository, once for each way to begin: one process each, so that none has the
// other's camera to read.
func gateway(program, start string) server {
	return server{
		Name: "gateway, start = " + start, Command: []string{program, "--config", "{config}"},
		Config: []string{
			"[http]", `listen = "127.0.0.1:{http}"`, "[webrtc]", `listen_udp = "127.0.0.1:{udp}"`, "[log]", `level = "warn"`,
			"[streams.cam]", `source = "{source}"`, `start = "` + start + `"`,
		},
		WHEP: "http://127.0.0.1:{http}/cam/whep",
	}
}

// readPeers reads descriptions of other servers.
func readPeers(file string) ([]server, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var peers []server
	if err := json.Unmarshal(text, &peers); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return peers, nil
}

// start starts a server in a folder of its own, and returns it with its placeholders filled in.
func (s server) start(ctx context.Context, dir, source string) (server, *exec.Cmd, error) {
	if len(s.Command) == 0 {
		return s, nil, nil
	}
	dir, err := os.MkdirTemp(dir, "server")
	if err != nil {
		return s, nil, err
	}
	fill, err := filler(dir, source)
	if err != nil {
		return s, nil, err
	}
	config := fill.Replace(strings.Join(s.Config, "\n")) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		return s, nil, err
	}
	var args []string
	for _, a := range s.Command {
		args = append(args, fill.Replace(a))
	}
	s.WHEP = fill.Replace(s.WHEP)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return s, nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	return s, cmd, nil
}

func filler(dir, source string) (*strings.Replacer, error) {
	pairs := []string{"{dir}", dir, "{source}", source, "{config}", filepath.Join(dir, "config")}
	for _, name := range []string{"{http}", "{rtsp}", "{admin}", "{udp}"} {
		port, err := freePort(name == "{udp}")
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, name, strconv.Itoa(port))
	}
	return strings.NewReplacer(pairs...), nil
}

// freePort is a port of this machine that was free a moment ago.
func freePort(udp bool) (int, error) {
	if udp {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).Port, nil
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// session is a viewer's session at a server.
type session struct{ answer, location string }

// ask posts an offer.
func (s server) ask(ctx context.Context, offer string) (session, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.WHEP, strings.NewReader(offer))
	if err != nil {
		return session{}, err
	}
	q.Header.Set("Content-Type", "application/sdp")
	status, head, body, err := do(q)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("the offer is answered with %d: %s", status, body)
	}
	if err != nil {
		return session{}, err
	}
	found := session{answer: body}
	if at, err := q.URL.Parse(head.Get("Location")); err == nil && head.Get("Location") != "" {
		found.location = at.String()
	}
	return found, nil
}

// leave ends a session.
func (s session) leave(ctx context.Context) error {
	if s.location == "" {
		return nil
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.location, http.NoBody)
	if err != nil {
		return err
	}
	_, _, _, err = do(q)
	return err
}

var client = &http.Client{Timeout: 15 * time.Second}

func do(q *http.Request) (status int, head http.Header, body string, err error) {
	r, err := client.Do(q)
	if err != nil {
		return 0, nil, "", err
	}
	defer r.Body.Close()
	text, err := readAll(r.Body)
	return r.StatusCode, r.Header, text, err
}
