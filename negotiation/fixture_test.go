package negotiation

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// plainOffer is a viewer's offer with nothing unusual in it, for tests that change one thing.
const plainOffer = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE v a
a=extmap-allow-mixed
a=fingerprint:sha-256 43:92:CB:0B:DE:3B:F5:7F:82:24:86:1A:DD:3F:8F:79:DE:E7:84:DC:6C:F5:37:A0:32:17:92:D4:7D:42:CF:90
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98
c=IN IP4 0.0.0.0
a=mid:v
a=recvonly
a=setup:actpass
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=rtcp-mux
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42e01f
a=rtcp-fb:96 nack
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 VP8/90000
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:a
a=recvonly
a=setup:actpass
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
`

const hash256 = "43:92:CB:0B:DE:3B:F5:7F:82:24:86:1A:DD:3F:8F:79:DE:E7:84:DC:6C:F5:37:A0:32:17:92:D4:7D:42:CF:90"

// fixtures are the stored offers by name, as they came.
func fixtures(t testing.TB) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("testdata/offers/*.sdp")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no offers: %v", err)
	}
	all := make(map[string]string)
	for _, path := range paths {
		all[strings.TrimSuffix(filepath.Base(path), ".sdp")] = read(t, path)
	}
	return all
}

// viewerFixtures are all stored offers, those of publishers turned round.
func viewerFixtures(t testing.TB) map[string]string {
	all := fixtures(t)
	for name, sdp := range all {
		all[name] = strings.ReplaceAll(sdp, "a=sendonly", "a=recvonly")
	}
	return all
}

// publisherFixtures are the stored offers of publishers.
func publisherFixtures(t testing.TB) map[string]string {
	all := fixtures(t)
	maps.DeleteFunc(all, func(_, sdp string) bool { return !strings.Contains(sdp, "a=sendonly") })
	return all
}

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustParse(t testing.TB, sdp string, role Role) *Offer {
	t.Helper()
	o, err := ParseOffer(sdp, role)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// replaced changes the plain offer in one place and fails if there is no such place.
func replaced(t testing.TB, pairs ...string) string {
	t.Helper()
	sdp := plainOffer
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(sdp, pairs[i]) {
			t.Fatalf("the offer has no %q", pairs[i])
		}
		sdp = strings.Replace(sdp, pairs[i], pairs[i+1], 1)
	}
	return sdp
}

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, path); got != want {
		t.Errorf("%s differs:\n%s", path, got)
	}
}
