package gateway

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"sluice/admin"
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
	resources := resource.New(g.resourceOptions())
	r := &router{
		pages:   g.pages,
		api:     admin.New(adminView{g}),
		metrics: metrics.Handler(metricsView{g}, g.options.Version),
		whep:    whep.New(g.sessions, resources),
		whip:    whip.New(g.sessions, resources),
	}
	cors := resource.CORS{Origins: g.options.Config.HTTP.AllowOrigins}
	local := guard.LoopbackOnly(resource.CheckHeaders(r), func(w http.ResponseWriter, detail string) {
		problem.Write(w, problem.New(http.StatusForbidden, "not_local", detail))
	})
	return &http.Server{
		Handler:           resource.LimitBody(recovering(g.log, cors.Wrap(local))), // also what is refused tells pages of other origins why (A95)
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}

func (g *Gateway) resourceOptions() resource.Options {
	c := g.options.Config
	o := resource.Options{Log: g.log, MaxSDP: c.Limits.SDPKiB << 10, PostsPerSecond: c.Limits.PostsPerSecondPerIP}
	o.ICEServers = func(*http.Request, string) []resource.ICEServer {
		var all []resource.ICEServer
		for _, s := range c.WebRTC.ICEServers {
			all = append(all, resource.ICEServer{URLs: s.URLs, Username: s.Username, Credential: string(s.Credential)})
		}
		return all
	}
	return o
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

// router finds who answers for a path. It looks at the first segment: some words are the gateway's own, all others
// are streams.
type router struct {
	pages   *web.Pages
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
		rt.pages.Index(w, r)
	case first == "assets" && len(rest) == 1:
		rt.pages.Asset(w, r, rest[0])
	case first == "favicon.ico" && len(rest) == 0:
		rt.pages.Asset(w, r, "favicon.svg")
	case first == "api":
		rt.serveAPI(w, r, rest)
	case first == "healthz" && len(rest) == 0:
		rt.api.Health(w, r)
	case first == "readyz" && len(rest) == 0:
		rt.api.Ready(w, r)
	case first == "metrics" && len(rest) == 0:
		rt.metrics.ServeHTTP(w, r)
	case config.ValidStreamName(first):
		rt.serveStream(w, r, first, rest)
	default:
		notFound(w)
	}
}

func (rt *router) serveAPI(w http.ResponseWriter, r *http.Request, path []string) {
	switch {
	case len(path) == 2 && path[0] == "v1" && path[1] == "streams":
		rt.api.Streams(w, r)
	case len(path) == 3 && path[0] == "v1" && path[1] == "streams":
		rt.api.Stream(w, r, path[2])
	case len(path) == 2 && path[0] == "v1" && path[1] == "sessions":
		rt.api.Sessions(w, r)
	case len(path) == 3 && path[0] == "v1" && path[1] == "sessions":
		rt.api.Session(w, r, path[2])
	case len(path) == 2 && path[0] == "v1" && path[1] == "devices":
		rt.api.Devices(w, r)
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
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/"+stream+"/", http.StatusFound)
	case page:
		rt.pages.Player(w, r, stream)
	case len(path) == 1 && path[0] == "whep":
		rt.whep.ServeEndpoint(w, r, stream)
	case len(path) == 2 && path[0] == "whep":
		rt.whep.ServeSession(w, r, stream, path[1])
	case len(path) > 2 && path[0] == "whep":
		rt.whep.ServeExtension(w, r, stream, path[1], path[2:])
	case len(path) == 1 && path[0] == "whip":
		rt.whip.ServeEndpoint(w, r, stream)
	case len(path) == 2 && path[0] == "whip":
		rt.whip.ServeSession(w, r, stream, path[1])
	case len(path) > 2 && path[0] == "whip":
		rt.whip.ServeBelow(w, r, stream, path[1], path[2:])
	case len(path) == 1 && path[0] == "publish":
		rt.pages.Publish(w, r, stream)
	case len(path) == 1 && path[0] == "snapshot.jpg":
		rt.api.Snapshot(w, r, stream)
	default:
		notFound(w)
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
