package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestPlayerAsksFirst opens the player page where no script and no style comes before the page has asked for its
// stream: it asks all the same, once, and plays, within its content policy.
//
// Proves B1 as seen by a browser.
func TestPlayerAsksFirst(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "streams.door.source = \""+startCameraOf(t, "h264", "opus")+"\"")
	g.awaitState(t, "door", "ready", cameraLimit)
	w := withholdAssets(t, g.URL)
	l := openBrowser(t, chromium).open(t, w.URL+"/door/").awaitPicture(20)
	if n := w.asked.Load(); n != 1 {
		t.Errorf("the page has asked %d times", n)
	}
	if l.Connections != 1 || len(l.Violations) > 0 || len(l.Complaints) > 0 {
		t.Errorf("%d connections, content policy: %q, the browser complains: %q", l.Connections, l.Violations, l.Complaints)
	}
	if n := len(g.sessions(t, "door")); n != 1 {
		t.Errorf("the page plays in %d sessions", n)
	}
}

// withholder stands before a gateway and answers for no asset before somebody has asked for a stream.
type withholder struct {
	*httptest.Server
	asked atomic.Int64 // POSTs of offers
}

func withholdAssets(t *testing.T, gateway string) *withholder {
	t.Helper()
	target, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	w := &withholder{}
	asked := make(chan struct{}) // closed with the first POST
	var once sync.Once
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/whep"):
			w.asked.Add(1)
			once.Do(func() { close(asked) })
		case strings.HasPrefix(r.URL.Path, "/assets/"):
			select {
			case <-asked:
			case <-r.Context().Done():
				return
			}
		}
		forward.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}
