package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// again are tests of what a peer sends after it was let in, which is no more believed for that.
var again = map[string]func(*testing.T){
	"hostile publishers": TestHostilePublisher, // J110, J111, J113 to J116, J121
	"keyframe flood":     TestKeyframeFlood,    // J122
	"resend flood":       TestResendFlood,      // J123
}

// TestAgainClosed runs tests once more with gateways that want a token of everybody.
//
// Proves J110, J111, J113, J114, J115, J116, J121, J122 and J123 with authorisation on.
func TestAgainClosed(t *testing.T) {
	t.Parallel()
	for name, test := range again {
		t.Run(name, test)
	}
	t.Run("they are closed", func(t *testing.T) {
		g := startGateway(t, publishConfig("studio"))
		for _, path := range []string{"studio/whip", "studio/whep"} {
			r, err := http.Post(g.URL+path, "application/sdp", strings.NewReader("v=0\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.StatusCode != http.StatusUnauthorized {
				t.Errorf("POST /%s without a token: %d", path, r.StatusCode)
			}
		}
		http.DefaultClient.CloseIdleConnections()
	})
}
