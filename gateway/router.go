package gateway

import (
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"sluice/admin"
	"sluice/auth"
	"sluice/auth/guard"
	"sluice/config"
	"sluice/ingest/whip"
	"sluice/metrics"
	"sluice/signalling/problem"
	"sluice/signalling/resource"
	"sluice/web"
	"sluice/whep"
)

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 16 << 10 // bytes
)

func (g *Gateway) newServer() *http.Server {
	g.resources = resource.New(g.resourceOptions())
	r := &router{
		gateway: g,
		pages:   g.pages,
		guard:   g.guard,
		api:     admin.New(adminView{g}),
		metrics: metrics.Handler(metricsView{g}, g.options.Version),
		whep:    whep.New(g.sessions, g.resources),
		whip:    whip.New(g.sessions, g.resources),
	}
	return &http.Server{
		Handler:           g.around(r),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}

// around puts what holds for every request around h. Also what is refused tells pages of other origins why (A95), and
// nothing that is written of a request has a token from its URL.
func (g *Gateway) around(h http.Handler) http.Handler {
	h = resource.CheckHeaders(h)
	h = &proxies{trusted: func() []netip.Prefix { return g.config().HTTP.TrustedPrefixes() }, next: h, log: g.log}
	h = g.sameOrigin(h)
	h = g.localOnly(h)
	h = g.crossOrigin(h)
	return resource.LimitBody(g.guard.Wrap(recovering(g.log, h)))
}

// localOnly keeps everybody but this machine out while anybody who is let in may do everything (J160).
func (g *Gateway) localOnly(h http.Handler) http.Handler {
	local := guard.LoopbackOnly(h, func(w http.ResponseWriter, detail string) {
		problem.Write(w, problem.New(http.StatusForbidden, "not_local", detail))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.config().Auth.Mode == string(auth.ModeNone) {
			local.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// sameOrigin keeps pages of other sites from doing with a browser what its user may do here without showing anything,
// or by his login. What shows a token of its own is no browser's doing.
func (g *Gateway) sameOrigin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" && !fromOurs(r, g.config().HTTP.AllowOrigins) {
			problem.Write(w, problem.New(http.StatusForbidden, "cross_origin",
				"A page of another origin can't do this: http.allow_origins says whose pages may."))
			return
		}
		h.ServeHTTP(w, r)
	})
}

func fromOurs(r *http.Request, origins []string) bool {
	var p http.CrossOriginProtection
	for _, o := range origins {
		if o == "*" || p.AddTrustedOrigin(o) != nil && o == r.Header.Get("Origin") {
			return true
		}
	}
	return p.Check(r) == nil
}

func (g *Gateway) crossOrigin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resource.CORS{Origins: g.config().HTTP.AllowOrigins}.Wrap(h).ServeHTTP(w, r)
	})
}

func (g *Gateway) resourceOptions() resource.Options {
	l := g.config().Limits
	return resource.Options{
		Log: g.log, MaxSDP: l.SDPKiB << 10, PostsPerSecond: l.PostsPerSecondPerIP, Caller: caller,
		ICEServers: func(r *http.Request, id string) []resource.ICEServer {
			if caller(r) == nil {
				return nil // whoever asks for nothing yet gets no credentials (A93)
			}
			return g.iceServers(r, id)
		},
	}
}

// recovering answers 500 where our own code broke, and goes on.
func recovering(log *slog.Logger, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if broken := recover(); broken != nil {
				if broken == http.ErrAbortHandler { //nolint:errorlint // it is thrown as it is
					panic(broken)
				}
				log.Error("a request broke the gateway's own code", "method", r.Method, "err", broken, "stack", string(debug.Stack()))
				problem.Write(w, problem.New(http.StatusInternalServerError, "internal",
					"The gateway's own code broke at this request; its log says where."))
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// router finds who answers for a path, and asks whether the caller may. It looks at the first segment: some words are
// the gateway's own, all others are streams.
type router struct {
	gateway *Gateway
	pages   *web.Pages
	guard   *guard.Guard
	api     *admin.API
	metrics http.Handler
	whep    *whep.Endpoint
	whip    *whip.Endpoint
}

// ServeHTTP routes one request.
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch first, rest := path[0], path[1:]; {
	case first == "" && len(rest) == 0:
		rt.guard.Remember(w, r)
		rt.pages.Index(w, r)
	case first == "assets" && len(rest) == 1:
		rt.pages.Asset(w, r, rest[0])
	case first == "api":
		rt.serveAPI(w, r, rest)
	case len(rest) == 0 && rt.serveOwn(w, r, first):
	case config.ValidStreamName(first):
		rt.serveStream(w, r, first, rest)
	default:
		notFound(w)
	}
}

// serveOwn answers for the words of one segment that are the gateway's own.
func (rt *router) serveOwn(w http.ResponseWriter, r *http.Request, name string) bool {
	switch name {
	case "favicon.ico":
		rt.pages.Asset(w, r, "favicon.svg")
	case "healthz":
		rt.api.Health(w, r)
	case "readyz":
		rt.api.Ready(w, r)
	case "metrics":
		rt.allowed(rt.metrics.ServeHTTP, auth.Metrics, "")(w, r)
	case "login":
		rt.serveLogin(w, r)
	case "logout":
		rt.guard.ServeLogout(w, r)
	case "ice-test":
		rt.pages.ICETest(w, r)
	default:
		return false
	}
	return true
}

func (rt *router) serveLogin(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		rt.guard.ServeLogin(w, r)
		return
	}
	rt.pages.Login(w, r)
}

func (rt *router) serveAPI(w http.ResponseWriter, r *http.Request, path []string) {
	if len(path) < 2 || len(path) > 3 || path[0] != "v1" {
		notFound(w)
		return
	}
	name := strings.Join(path[2:], "")
	switch what, one := path[1], len(path) == 3; {
	case what == "streams" && !one:
		rt.serveList(w, r)
	case what == "streams":
		rt.allowed(func(w http.ResponseWriter, r *http.Request) { rt.serveStreamOf(w, r, name) }, auth.Play, name)(w, r)
	case what == "sessions" && !one:
		rt.allowed(rt.api.Sessions, auth.Admin, "")(w, r)
	case what == "sessions":
		rt.serveSession(w, r, name)
	case what == "devices" && !one:
		rt.allowed(rt.api.Devices, auth.Admin, "")(w, r)
	case what == "ice" && !one:
		rt.serveICE(w, r)
	default:
		notFound(w)
	}
}

func (rt *router) serveStream(w http.ResponseWriter, r *http.Request, stream string, path []string) {
	page := len(path) == 0 || len(path) == 1 && path[0] == ""
	switch {
	case page && r.Method != http.MethodGet && r.Method != http.MethodHead:
		wrongURL(w, stream)
	case len(path) == 0:
		rt.guard.Remember(w, r)
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/"+stream+"/"+query(r), http.StatusFound)
	case page:
		rt.allowed(func(w http.ResponseWriter, r *http.Request) { rt.pages.Player(w, r, stream) }, auth.Play, stream)(w, r)
	case path[0] == "whep":
		rt.serveFront(w, r, front{auth.Play, rt.whep.ServeEndpoint, rt.whep.ServeSession, rt.whep.ServeExtension}, stream, path[1:])
	case path[0] == "whip":
		rt.serveFront(w, r, front{auth.Publish, rt.whip.ServeEndpoint, rt.whip.ServeSession, rt.whip.ServeBelow}, stream, path[1:])
	case len(path) == 1 && path[0] == "publish":
		rt.allowed(func(w http.ResponseWriter, r *http.Request) { rt.pages.Publish(w, r, stream) }, auth.Publish, stream)(w, r)
	case len(path) == 1 && path[0] == "snapshot.jpg":
		rt.allowed(func(w http.ResponseWriter, r *http.Request) { rt.api.Snapshot(w, r, stream) }, auth.Play, stream)(w, r)
	default:
		notFound(w)
	}
}

// front is the HTTP side of WHIP or WHEP: the endpoint, its sessions, and what is below these.
type front struct {
	action   auth.Action // that the endpoint needs
	endpoint func(w http.ResponseWriter, r *http.Request, stream string)
	session  func(w http.ResponseWriter, r *http.Request, stream, id string)
	below    func(w http.ResponseWriter, r *http.Request, stream, id string, path []string)
}

func (rt *router) serveFront(w http.ResponseWriter, r *http.Request, f front, stream string, path []string) {
	if len(path) == 0 {
		rt.endpoint(func(w http.ResponseWriter, r *http.Request) { f.endpoint(w, r, stream) }, f.action, stream)(w, r)
		return
	}
	r, ok := rt.known(w, r, f.action, stream)
	switch {
	case !ok:
	case len(path) == 1:
		f.session(w, r, stream, path[0])
	default:
		f.below(w, r, stream, path[0], path[1:])
	}
}

// wrongURL answers whoever posts an offer to a stream's page: he has left out the last word of the URL, and would come
// back with a GET if he were sent on to the page (A12).
func wrongURL(w http.ResponseWriter, stream string) {
	w.Header().Set("Allow", "GET, HEAD")
	problem.Write(w, problem.New(http.StatusMethodNotAllowed, "method",
		"Publishers post to /"+stream+"/whip, viewers to /"+stream+"/whep."))
}

func notFound(w http.ResponseWriter) {
	problem.Write(w, problem.New(http.StatusNotFound, "not_found", "There is nothing at this path."))
}

// query is that of a request, to be put behind another path.
func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}
