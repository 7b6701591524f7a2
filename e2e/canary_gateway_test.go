package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/auth"
	"sluice/internal/camera"
	"sluice/media"
)

// secretive is a gateway in which every place that takes a secret has a canary.
type secretive struct {
	*gatewayProcess
	*canaries
	config, text string // the path of its configuration, and what is in it
	state        string // the folder of its state
	right        string // credentials that may do everything, as in an Authorization
}

// wayIn is a mode of authorisation: its configuration, and credentials that are right.
type wayIn func(t *testing.T, c *canaries) (config, right string)

var waysIn = map[string]wayIn{
	"internal": func(t *testing.T, c *canaries) (config, right string) {
		t.Helper()
		password, token := c.hatch("a user's password"), c.hatch("a user's token")
		hash, err := auth.HashPassword(password)
		if err != nil {
			t.Fatal(err)
		}
		c.add("the hash of a password", hash[strings.LastIndex(hash, "$")+1:])
		c.add("the hash of a token", strings.TrimPrefix(auth.HashToken(token), "sha256:"))
		return fmt.Sprintf("auth.users = [{ name = \"ann\", password = %q, tokens = [%q], allow = [{ actions = [\"publish\", \"play\", \"admin\", \"metrics\"], streams = [\"*\"] }] }]\n",
			hash, auth.HashToken(token)), "Bearer ann:" + password
	},
	"jwt": func(_ *testing.T, c *canaries) (config, right string) {
		secret := c.hatch("auth.jwt.secret")
		token := signed(secret)
		c.add("the payload of a signed token", strings.Split(token, ".")[1])
		c.add("the signature of a signed token", strings.Split(token, ".")[2])
		return fmt.Sprintf("auth.jwt.secret = %q\n", secret), "Bearer " + token
	},
	"http": func(t *testing.T, c *canaries) (config, right string) {
		t.Helper()
		token := c.hatch("a token that another server knows")
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var asked struct{ Token string }
			switch err := json.NewDecoder(r.Body).Decode(&asked); {
			case err != nil || asked.Token == "":
				w.WriteHeader(http.StatusInternalServerError) // it can't be told who may
			case asked.Token != token:
				w.WriteHeader(http.StatusUnauthorized)
			}
		}))
		t.Cleanup(hook.Close)
		return fmt.Sprintf("auth.http.url = %q\n", withUser(hook.URL, "hook", escaped(c.hatch("auth.http.url")))+"/?key="+escaped(c.hatch("the query of auth.http.url"))), "Bearer " + token
	},
}

// signed is a token of mode jwt that may do everything for an hour.
func signed(secret string) string {
	part := func(v any) string {
		text, _ := json.Marshal(v) // maps of texts and numbers
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{
		"sub": "ann", "exp": time.Now().Add(time.Hour).Unix(),
		"sluice": []any{map[string]any{"actions": []string{"publish", "play", "admin", "metrics"}, "streams": []string{"*"}}},
	})
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

// startSecretive starts one in a mode, at the level at which it tells the most.
func startSecretive(t *testing.T, mode string) *secretive {
	t.Helper()
	g := &secretive{canaries: &canaries{}, state: t.TempDir()}
	users, right := waysIn[mode](t, g.canaries)
	g.right = right
	g.text = globals + "log.level = \"debug\"\nhttp.tls = \"self-signed\"\nauth.mode = \"" + mode + "\"\nauth.query_token = true\nauth.lenient_auth = true\n" +
		users + g.relays() + g.cameras(t)
	g.config = writeConfig(t, g.text)
	cmd := command(program, "--config", g.config)
	cmd.Env = append(cmd.Env, "STATE_DIRECTORY="+g.state, "CANARY="+escaped(g.hatch("a variable of the environment")))
	g.gatewayProcess = &gatewayProcess{process: start(t, "gateway", cmd)}
	g.URL = g.await(t, `Open (https://\S+) in a browser`, listenLimit)
	visitor.show(t, g.URL, strings.TrimPrefix(right, "Bearer "))
	return g
}

// relays are what helps peers to connect.
func (g *secretive) relays() string {
	return fmt.Sprintf("turn = { mode = \"embedded\", listen_udp = \"127.0.0.1:0\", listen_tcp = \"127.0.0.1:0\", listen_tls = \"\", secret = %q }\n"+
		"webrtc.ice_servers = [{ urls = [\"turn:127.0.0.1:9\"], username = \"peer\", credential = %q }]\n",
		g.hatch("turn.secret"), base64.RawURLEncoding.EncodeToString([]byte(g.hatch("the credential of an ICE server"))))
}

// cameras are one that works, and one of each kind that doesn't.
func (g *secretive) cameras(t *testing.T) string {
	t.Helper()
	password := g.hatch("the password of a camera")
	good := startCamera(t, camera.Options{Clip: clip(t, media.H264), Path: "/live", User: "viewer", Password: password})
	text := fmt.Sprintf("streams.cam = { source = %q, push = [{ url = \"whip://127.0.0.1:1/studio/whip?key=%s\", token = %q }] }\nstreams.studio.source = \"publish\"\n",
		withUser(good, "viewer", escaped(password)), escaped(g.hatch("the query of a push")), g.hatch("the token of a push"))
	for name, source := range map[string]string{
		"wrong":   withUser(good, "viewer", escaped(g.hatch("a wrong password of a camera"))),
		"closed":  "rtsp://viewer:" + escaped(g.hatch("the password of a camera that is off")) + "@127.0.0.1:1/live?token=" + escaped(g.hatch("the token of a camera that is off")),
		"unknown": "rtsp://viewer:" + escaped(g.hatch("the password of a camera without address")) + "@camera.invalid/live",
		"by-name": "rtsp://viewer:${CANARY}@127.0.0.1:1/live",
		"path":    strings.Replace(withUser(good, "viewer", escaped(password)), "/live", "/none?password="+escaped(g.hatch("the query of a camera")), 1),
	} {
		text += fmt.Sprintf("streams.%s.source = %q\n", name, source)
	}
	return text + fmt.Sprintf("streams.far = { source = \"whep://127.0.0.1:1/door/whep?token=%s\", token = %q }\n",
		escaped(g.hatch("the query of a WHEP source")), g.hatch("the token of a WHEP source"))
}

// reload writes another configuration, has the gateway read it, and waits until it has said what came of it.
func (g *secretive) reload(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(g.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(g.output.String(), "reloaded")
	_ = g.cmd.Process.Signal(syscall.SIGHUP) // it runs
	eventually(t, listenLimit, func() string {
		if strings.Count(g.output.String(), "reloaded") == before {
			return "the configuration is not read"
		}
		return ""
	})
}

// checkFolder looks at the files that the gateway has written. Its own key is no canary.
func (g *secretive) checkFolder(t *testing.T) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(g.state, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		g.check(t, "the file "+e.Name(), string(text))
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files in the folder of its state: %v", files, err)
	}
}
