package gateway

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"

	"sluice/config"
	"sluice/doctor"
	"sluice/transport"
)

// DoctorOptions are what `gateway doctor` is told on its command line.
type DoctorOptions struct {
	File     string         // of the configuration, for people; "": none
	Config   *config.Config // of the gateway on this machine; nil: there is none, or it has faults
	Faults   error          // of the file
	Warnings []config.Warning
	URL      string // "": that of Config
	Stream   string // "": the first that is ready
	Token    string // "": none
	Insecure bool   // the token goes to a gateway whose certificate is not trusted too
	Out      io.Writer
	Colour   bool // Out is a terminal
	Version  string
	Log      *slog.Logger
}

// Doctor examines a running gateway and says on o.Out what is wrong with it. It reports whether nothing is that keeps
// viewers out.
func Doctor(ctx context.Context, o DoctorOptions) (healthy bool, err error) {
	report := doctor.NewReport(o.Out, o.Colour)
	report.Add(configurationFindings(o)...)
	if o.URL == "" && o.Config == nil {
		return report.End()
	}
	certificate, err := transport.NewCertificate()
	if err != nil {
		return false, err
	}
	viewers := &doctorViewers{certificate: certificate, agent: "Sluice/" + o.Version, log: o.Log}
	doctor.Examine(ctx, doctorOptions(o, viewers), report)
	return report.End()
}

func configurationFindings(o DoctorOptions) []doctor.Finding {
	if o.File == "" {
		return nil
	}
	var faults, warnings []string
	var all config.Faults
	switch {
	case errors.As(o.Faults, &all):
		for _, f := range all {
			faults = append(faults, f.Error())
		}
	case o.Faults != nil:
		faults = append(faults, o.Faults.Error())
	}
	for _, w := range o.Warnings {
		warnings = append(warnings, w.String())
	}
	streams := 0
	if o.Config != nil {
		streams = len(o.Config.Streams)
	}
	return doctor.Configuration(o.File, streams, faults, warnings)
}

func doctorOptions(o DoctorOptions, v *doctorViewers) doctor.Options {
	out := doctor.Options{
		URL: o.URL, Stream: o.Stream, Token: o.Token, Insecure: o.Insecure, UserAgent: "Sluice/" + o.Version,
		Viewers: v, Relays: doctorRelays{o.Log},
	}
	if c := o.Config; c != nil {
		out.Setup, out.Cameras = setupOf(*c), doctorCameras{*c}
		if o.URL == "" {
			out.URL, out.ServerName = ownURL(c.HTTP)
		}
	}
	return out
}

func setupOf(c config.Config) *doctor.Setup {
	s := &doctor.Setup{
		Listen: c.HTTP.Listen, TLS: c.HTTP.TLS, Turn: c.Turn.Mode,
		AdditionalHosts: c.WebRTC.AdditionalHosts, Proxied: len(c.HTTP.TrustedProxies) > 0,
	}
	if s.TLS == "" && c.HTTP.Encrypted() {
		s.TLS = "files"
	}
	return s
}

// ownURL is where a gateway on this machine answers, and the name that its certificate is for.
func ownURL(h config.HTTP) (at, name string) {
	host, port, _ := net.SplitHostPort(h.Listen) // the configuration is valid
	if a := net.ParseIP(host); host == "" || a != nil && a.IsUnspecified() {
		host = "localhost"
	}
	if p, err := strconv.Atoi(port); err == nil && h.Encrypted() {
		if len(h.ACMEHosts) > 0 {
			name = h.ACMEHosts[0]
		}
		return "https://" + net.JoinHostPort(host, strconv.Itoa(p)), cmp.Or(name, "localhost")
	}
	return "http://" + net.JoinHostPort(host, port), ""
}
