//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// server describes a WHEP server that can be measured. In Command, Config, WHEP and Goroutines these stand for what is
// chosen anew for each start: {http}, {udp}, {rtsp} and {admin} for free ports, {source} for the camera's URL, {dir}
// for a folder of its own, {config} for the file with the lines of Config.
type server struct {
	Name       string   `json:"name"`
	Command    []string `json:"command"`
	Config     []string `json:"config"`
	WHEP       string   `json:"whep"`       // where offers are posted
	Goroutines string   `json:"goroutines"` // URL of Prometheus' metrics or pprof's goroutines; "": it has none

	plain bool // it takes addresses instead of offers
}

// builtIn are the servers that this repository has.
func builtIn(w *workshop, c clip) []server {
	return []server{
		{
			Name: gatewayName, Command: []string{w.path("gateway"), "--config", "{config}"},
			Config: []string{
				"[http]", `listen = "127.0.0.1:{http}"`,
				"[webrtc]", `listen_udp = "127.0.0.1:{udp}"`,
				"[log]", `level = "error"`,
				"[limits]", "sessions = 0", "sessions_per_stream = 0", "sessions_per_ip = 0",
				"half_open = 0", "half_open_per_ip = 0", "posts_per_second_per_ip = 0",
				"[streams.cam]", `source = "{source}"`,
			},
			WHEP: "http://127.0.0.1:{http}/cam/whep", Goroutines: "http://127.0.0.1:{http}/metrics",
		},
		{
			Name:    "reference",
			Command: []string{w.path("reference"), "-listen", "127.0.0.1:{http}", "-udp", "127.0.0.1:{udp}", "-source", "{source}"},
			WHEP:    "http://127.0.0.1:{http}/whep", Goroutines: "http://127.0.0.1:{http}/metrics",
		},
		{
			Name: floorName, plain: true,
			Command: []string{
				w.path("floor"), "-listen", "127.0.0.1:{http}", "-sizes", c.sizes, "-sound", strconv.Itoa(c.sound),
			},
			WHEP: "http://127.0.0.1:{http}/", Goroutines: "http://127.0.0.1:{http}/metrics",
		},
	}
}

// The names of the two that ratios are told of.
const (
	gatewayName = "gateway"
	floorName   = "floor"
)

// choose returns the servers that are to be measured.
func (p *plan) choose(w *workshop) ([]server, error) {
	c, err := w.clip(p.gop)
	if err != nil {
		return nil, err
	}
	all := builtIn(w, c)
	if p.peers != "" {
		text, err := os.ReadFile(p.peers)
		if err != nil {
			return nil, err
		}
		var peers []server
		if err := json.Unmarshal(text, &peers); err != nil {
			return nil, fmt.Errorf("read %s: %w", p.peers, err)
		}
		all = append(all, peers...)
	}
	all = slices.DeleteFunc(all, func(s server) bool { return len(p.only) > 0 && !slices.Contains(p.only, s.Name) })
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no server with a name of %v", p.only)
	}
	return all, nil
}

// place fills in the placeholders for one start.
func (s server) place(dir, source string) (server, error) {
	pairs := []string{"{dir}", dir, "{source}", source, "{config}", dir + "/config"}
	for _, name := range []string{"{http}", "{rtsp}", "{admin}", "{udp}"} {
		port, err := freePort(name == "{udp}")
		if err != nil {
			return s, err
		}
		pairs = append(pairs, name, strconv.Itoa(port))
	}
	fill := strings.NewReplacer(pairs...)
	s.Command, s.Config = slices.Clone(s.Command), slices.Clone(s.Config)
	for _, list := range [][]string{s.Command, s.Config} {
		for i := range list {
			list[i] = fill.Replace(list[i])
		}
	}
	s.WHEP, s.Goroutines = fill.Replace(s.WHEP), fill.Replace(s.Goroutines)
	return s, os.WriteFile(dir+"/config", []byte(strings.Join(s.Config, "\n")+"\n"), 0o600)
}

// freePort is a port that was free a moment ago.
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
