package layout

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport says which of our own packages a package may import, tests excepted. A package without a line fails,
// and so does a line without a package: think where a new package stands before it is written.
var mayImport = map[string][]string{
	// The words all others speak.
	"media":  {"redact"},
	"redact": {},
	"config": {"redact"},
	"auth":   {},

	// From a camera's packets to access units.
	"bitstream":   {"media"},
	"rtpin":       {"bitstream", "media"},
	"hub":         {"media"},
	"ingest":      {"hub", "media"},
	"ingest/rtsp": {"ingest", "rtpin", "bitstream", "hub", "media"},

	// Processes for what may crash, and what they make.
	"worker/wire":     {"media"},
	"worker":          {"worker/wire", "media"},
	"worker/pipeline": {"worker/wire", "media"},
	"transcode":       {"worker", "worker/pipeline", "worker/wire", "bitstream", "negotiation", "hub", "media"},
	"ingest/feed":     {"ingest", "worker", "worker/wire", "bitstream", "hub", "media"},
	"ingest/gst":      {"ingest", "ingest/feed", "worker", "worker/pipeline", "worker/wire", "media"},
	"ingest/capture":  {"ingest", "ingest/feed", "ingest/gst", "worker", "worker/pipeline", "worker/wire", "media"},

	// From access units to a viewer.
	"rtpout":              {"hub", "media"},
	"negotiation":         {"media"},
	"transport":           {},
	"fanout":              {"transport", "rtpout", "negotiation", "hub", "media"},
	"peer":                {"transport", "rtpin", "rtpout", "negotiation", "hub", "media"},
	"session":             {"fanout", "peer", "transport", "rtpout", "negotiation", "hub", "media", "auth"},
	"signalling/problem":  {},
	"signalling/resource": {"signalling/problem", "session", "auth"},
	"whep":                {"signalling/resource", "signalling/problem", "session", "auth"},
	"ingest/whip":         {"signalling/resource", "session", "negotiation", "media"},

	// To and from other servers.
	"signalling/client":      {},
	"signalling/client/call": {"signalling/client", "peer", "negotiation"},
	"ingest/whep":            {"ingest", "signalling/client", "signalling/client/call", "peer", "negotiation", "hub", "media"},
	"push":                   {"signalling/client", "signalling/client/call", "peer", "transport", "rtpout", "hub", "media"},

	// Who may, and how they are reached.
	"auth/guard":  {"auth", "signalling/problem", "redact"},
	"certificate": {},
	"turn":        {},

	// For those who run it. They declare the interfaces that they need.
	"admin":   {"signalling/problem"},
	"metrics": {},
	"web":     {},
	"doctor":  {"redact"},

	// The house: the only package that knows all others, and the command that starts it.
	"gateway": {
		"admin", "auth", "auth/guard", "bitstream", "certificate", "config", "doctor", "fanout", "hub", "ingest", "ingest/capture", "ingest/gst", "ingest/rtsp", "ingest/whep", "ingest/whip",
		"internal/camera", "media", "metrics",
		"negotiation", "peer", "push", "redact", "rtpin", "rtpout", "session", "signalling/client", "signalling/problem", "signalling/resource",
		"transcode", "transport", "turn", "web", "whep", "worker", "worker/pipeline", "worker/wire",
	},
	"cmd/gateway": {"gateway", "config", "redact"},

	// The workers: cgo, behind build tags.
	"cmd/gateway-gst":     {"worker/wire", "media"},
	"cmd/gateway-capture": {"worker/wire", "media"},

	"cmd/gateway-gst/internal/elements": {},

	// Proof. Nothing above imports what is below, but for the camera behind `gateway camera`.
	"internal/camera":      {"bitstream", "media"},
	"internal/testcamera":  {"media"},
	"internal/testmedia":   {"media"},
	"internal/testviewer":  {"media"},
	"internal/testpeer":    {"peer", "transport"},
	"internal/testworker":  {},
	"internal/testsource":  {"ingest", "hub", "media"},
	"internal/lossyrelay":  {},
	"internal/layout":      {},
	"internal/conformance": {},
	"e2e":                  {"internal/testcamera", "internal/testmedia", "internal/testviewer", "media"},
	"bench":                {"gateway", "config", "internal/camera", "internal/testmedia", "internal/testviewer", "media"},
	"bench/probe":          {"internal/camera", "internal/lossyrelay", "media"},
	"bench/fanout":         {"bench/load", "internal/camera", "media"},
	"bench/transcode":      {"internal/camera", "internal/testmedia", "internal/testviewer", "media"},
	"bench/load":           {},
	"bench/source":         {"internal/camera", "media"},
	"bench/reference":      {},
	"bench/turn":           {"turn"},
	"bench/floor":          {},
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		allowed, ok := mayImport[p.name()]
		if !ok {
			t.Errorf("%s has no line in the table of imports_test.go: say there what it may import", p.name())
			continue
		}
		for _, i := range ours(p.Imports) {
			if !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s; imports_test.go allows it only %v", p.name(), i, allowed)
			}
		}
	}
}

func TestImportTableNamesPackagesThatExist(t *testing.T) {
	packages(t)
	for name, allowed := range mayImport {
		for _, n := range append([]string{name}, allowed...) {
			if _, err := os.Stat(filepath.Join(root, n)); err != nil {
				t.Errorf("imports_test.go has %s in the line of %s, but there is no such package", n, name)
			}
		}
	}
}

// TestImportTableHasNoCycle holds the table to its promise that imports only go downwards.
func TestImportTableHasNoCycle(t *testing.T) {
	done := map[string]bool{}
	var visit func(name string, above []string)
	visit = func(name string, above []string) {
		if slices.Contains(above, name) {
			t.Errorf("the table of imports_test.go goes in a circle: %s", strings.Join(append(above, name), " → "))
			return
		}
		if done[name] {
			return
		}
		for _, n := range mayImport[name] {
			visit(n, append(slices.Clone(above), name))
		}
		done[name] = true
	}
	for name := range mayImport {
		visit(name, nil)
	}
}

// ours picks the module's own packages out of import paths.
func ours(imports []string) []string {
	var names []string
	for _, i := range imports {
		if name, ok := strings.CutPrefix(i, module+"/"); ok {
			names = append(names, name)
		}
	}
	return names
}
