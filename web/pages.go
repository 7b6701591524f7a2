package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

// Scripts that stand in a page itself.
//
//go:embed inline
var inlineFiles embed.FS

// Pages answers for everything that a browser shows. Its methods may be called from many goroutines.
type Pages struct {
	assets  *assets
	player  *template.Template
	publish *template.Template
	index   *template.Template
	login   *template.Template
	iceTest *template.Template
	refused *template.Template
	asking  string // policy of the player page
	options Options
}

// Options are what the pages show of their visitor.
type Options struct {
	// SignedIn tells that who asks has signed in, so that the list of streams lets him sign out. Nil: nobody has.
	SignedIn func(*http.Request) bool
	// Closed tells that there are names to sign in with, so that the list offers it to whoever has not. Nil: none.
	Closed func() bool
}

// New makes the pages ready. Its error says which embedded file is broken: a fault of the build.
func New(o Options) (*Pages, error) {
	root, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("open the assets: %w", err)
	}
	as, err := loadAssets(root)
	if err != nil {
		return nil, err
	}
	ask, err := inlineFiles.ReadFile("inline/ask.js")
	if err != nil {
		return nil, fmt.Errorf("read the script of the player page: %w", err)
	}
	// Escaping would change what the policy allows; the script is ours.
	words := template.FuncMap{"asset": as.url, "ask": func() template.JS { return template.JS(ask) }}
	pages, err := template.New("").Funcs(words).ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the page templates: %w", err)
	}
	return &Pages{
		assets: as, player: pages.Lookup("player.html"), publish: pages.Lookup("publish.html"), index: pages.Lookup("index.html"),
		login: pages.Lookup("login.html"), iceTest: pages.Lookup("icetest.html"), refused: pages.Lookup("refused.html"),
		asking: policy(ask), options: o,
	}, nil
}

// Player answers GET and HEAD of /{stream}/ with the page that plays the stream. The name is escaped wherever
// it stands. Whether such a stream exists the page learns from the WHEP endpoint, and says so.
func (p *Pages) Player(w http.ResponseWriter, r *http.Request, stream string) {
	p.page(w, r, p.player, p.asking, noDevices, struct{ Stream, Endpoint string }{
		Stream:   stream,
		Endpoint: "/" + url.PathEscape(stream) + "/whep",
	})
}

// Publish answers GET and HEAD of /{stream}/publish with the page that publishes a camera, a microphone or a
// screen as the stream; it alone may use them. Whether the stream can be published the page learns from the
// WHIP endpoint, and says so.
func (p *Pages) Publish(w http.ResponseWriter, r *http.Request, stream string) {
	name := url.PathEscape(stream)
	p.page(w, r, p.publish, policy(nil), ownDevices, struct{ Stream, Endpoint, Viewer string }{
		Stream:   stream,
		Endpoint: "/" + name + "/whip",
		Viewer:   "/" + name + "/",
	})
}

// Index answers GET and HEAD of / with the page that lists the streams.
func (p *Pages) Index(w http.ResponseWriter, r *http.Request) {
	signedIn := p.options.SignedIn != nil && p.options.SignedIn(r)
	closed := p.options.Closed != nil && p.options.Closed()
	p.page(w, r, p.index, policy(nil), noDevices, struct{ SignedIn, Closed bool }{signedIn, closed})
}

// Login answers GET and HEAD of /login with the page that exchanges a token, or a name and password, for a cookie.
// Where its visitor goes then is in the query (next); the page itself goes to nothing but its own origin.
func (p *Pages) Login(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, p.login, policy(nil), noDevices, nil)
}

// ICETest answers GET and HEAD of /ice-test with the page that tries STUN and TURN servers.
func (p *Pages) ICETest(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, p.iceTest, policy(nil), noDevices, nil)
}

func (p *Pages) page(w http.ResponseWriter, r *http.Request, t *template.Template, policy, permissions string, data any) {
	if !readOnly(w, r) {
		return
	}
	var body bytes.Buffer
	if err := t.Execute(&body, data); err != nil {
		writeProblem(w, http.StatusInternalServerError, "The page could not be made.")
		return
	}
	setPageHeaders(w.Header(), policy, permissions)
	send(w, r, asset{body: body.Bytes(), contentType: "text/html; charset=utf-8", etag: etag(body.Bytes())})
}

// policy lets a page use what this server sends and nothing else: no script, style or frame from elsewhere,
// and none written into the page but the one script that is given, if any.
func policy(inline []byte) string {
	scripts := "script-src 'self'"
	if inline != nil {
		sum := sha256.Sum256(inline)
		scripts += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return strings.Join([]string{
		"default-src 'none'", scripts, "style-src 'self'", "connect-src 'self'", "media-src 'self' blob:",
		"img-src 'self' data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'",
	}, "; ")
}

// What a page may use of its visitor's devices (Permissions-Policy).
const (
	noDevices  = "camera=(), microphone=(), display-capture=(), geolocation=()"
	ownDevices = "camera=(self), microphone=(self), display-capture=(self), geolocation=()"
)

func setPageHeaders(h http.Header, policy, permissions string) {
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("Permissions-Policy", permissions)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

// readOnly reports whether the method is GET or HEAD, and answers 405 otherwise.
func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	writeProblem(w, http.StatusMethodNotAllowed, "This address can only be read.")
	return false
}

// writeProblem answers with problem details (RFC 9457).
func writeProblem(w http.ResponseWriter, status int, detail string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The peer may be gone already, and there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "status": status, "title": http.StatusText(status), "detail": detail})
}
