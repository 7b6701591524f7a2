package layout

import (
	"slices"
	"strings"
	"testing"
)

// home is where an outside library lives: the packages that may import what begins with prefix.
type home struct {
	prefix   string
	packages []string
}

// homes are the outside libraries that stay behind the API of one package, tests excepted; the longest prefix
// counts. The same rules stand in .golangci.yml (depguard), where an editor shows them.
var homes = []home{
	{"github.com/bluenviron/gortsplib", []string{"ingest/rtsp", "internal/camera"}},
	{"github.com/bluenviron/gortsplib/v4/pkg/format", []string{"ingest/rtsp", "internal/camera", "rtpin"}},
	{"github.com/pion/webrtc", []string{"peer"}},
	{"github.com/pion/interceptor", []string{"peer"}},
	{"github.com/pion/ice", []string{"peer"}},
	{"github.com/pion/dtls", []string{"peer", "fanout"}},
	{"github.com/pion/srtp", []string{"fanout"}},
	{"github.com/pion/stun", []string{"fanout", "turn"}},
	{"github.com/pion/turn", []string{"turn"}},
	{"github.com/go-jose", []string{"auth"}},
	{"golang.org/x/crypto/argon2", []string{"auth"}},
	{"golang.org/x/crypto/acme", []string{"certificate"}},
	{"golang.org/x/sys", []string{"transport", "fanout", "worker", "cmd/gateway-gst", "cmd/gateway-capture"}},
	{"github.com/go-gst", []string{"cmd/gateway-gst/internal/gst"}},
	{"github.com/pion/mediadevices", []string{"cmd/gateway-capture"}},
	{"github.com/gen2brain/malgo", []string{"cmd/gateway-capture"}},
	{"github.com/pion/logging", []string{"peer", "fanout", "turn"}},
	{"github.com/pion/sdp", []string{"negotiation"}},
	{"github.com/pelletier/go-toml", []string{"config"}},
	{"github.com/prometheus", []string{"metrics"}},
	{"go.uber.org/goleak", nil},
}

func TestOutsideLibrariesStayAtHome(t *testing.T) {
	for _, p := range packages(t) {
		if p.proves() {
			continue
		}
		for _, i := range p.Imports {
			if h, ok := homeOf(i); ok && !slices.Contains(h.packages, p.name()) {
				t.Errorf("%s imports %s, which belongs to %v", p.name(), i, h.packages)
			}
		}
	}
}

func TestHomeOf(t *testing.T) {
	for path, want := range map[string]string{
		"github.com/bluenviron/gortsplib/v4":                   "github.com/bluenviron/gortsplib",
		"github.com/bluenviron/gortsplib/v4/pkg/base":          "github.com/bluenviron/gortsplib",
		"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp8": "github.com/bluenviron/gortsplib/v4/pkg/format",
		"github.com/pion/ice/v4":                               "github.com/pion/ice",
		"github.com/pion/icebox":                               "",
		"github.com/pion/rtp":                                  "",
		"sluice/hub":                                           "",
	} {
		if h, _ := homeOf(path); h.prefix != want {
			t.Errorf("homeOf(%s) is %q, want %q", path, h.prefix, want)
		}
	}
}

func TestLinterKnowsTheSameHomes(t *testing.T) {
	config := read(t, ".golangci.yml")
	for _, h := range homes {
		if !strings.Contains(config, " "+h.prefix+"\n") {
			t.Errorf(".golangci.yml has no depguard rule for %s", h.prefix)
		}
		for _, p := range h.packages {
			if !strings.Contains(config, `"**/`+p+`/*.go"`) && !strings.Contains(config, `"!**/`+p+`/*.go"`) {
				t.Errorf(".golangci.yml does not know %s as the home of %s", p, h.prefix)
			}
		}
	}
}

// homeOf finds the home of an import path by the longest prefix.
func homeOf(path string) (home, bool) {
	var best home
	for _, h := range homes {
		if (path == h.prefix || strings.HasPrefix(path, h.prefix+"/")) && len(h.prefix) > len(best.prefix) {
			best = h
		}
	}
	return best, best.prefix != ""
}
