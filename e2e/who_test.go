package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"sluice/auth"
)

// account is a user of a configuration under test.
type account struct {
	name, token, password string
	hashes                string // TOML
	allow                 string // TOML
}

// newAccount is a user with a token who may do things with streams, by glob.
func newAccount(name, streams string, actions ...auth.Action) account {
	token, hash := auth.NewToken()
	return account{
		name: name, token: token, hashes: fmt.Sprintf("tokens = [%q]", hash),
		allow: fmt.Sprintf("{ actions = [%s], streams = [%q] }", quoted(actions), streams),
	}
}

// withPassword gives a user a password too.
func (a account) withPassword(t testing.TB, password string) account {
	t.Helper()
	hash, err := auth.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	a.password = password
	a.hashes += fmt.Sprintf(", password = %q", hash)
	return a
}

func quoted(actions []auth.Action) string {
	words := make([]string, 0, len(actions))
	for _, a := range actions {
		words = append(words, fmt.Sprintf("%q", a))
	}
	return strings.Join(words, ", ")
}

// newAdmin is a user who may do everything, as that of "gateway init".
func newAdmin() account {
	return newAccount("admin", "*", auth.Publish, auth.Play, auth.Admin, auth.Metrics)
}

// usersConfig is the part of a configuration that says who there is.
func usersConfig(accounts ...account) string {
	lines := make([]string, 0, len(accounts))
	for _, a := range accounts {
		keys := []string{fmt.Sprintf("name = %q", a.name), "allow = [" + a.allow + "]"}
		if a.hashes != "" {
			keys = append(keys, a.hashes)
		}
		lines = append(lines, "{ "+strings.Join(keys, ", ")+" }")
	}
	return "auth.mode = \"internal\"\nauth.users = [" + strings.Join(lines, ", ") + "]\n"
}

// startClosed is startGateway for one that knows its users, the first of whom looks after it for the test.
func startClosed(t testing.TB, config string, accounts ...account) *gatewayProcess {
	t.Helper()
	g := startGateway(t, usersConfig(accounts...)+config)
	visitor.show(t, g.URL, accounts[0].token)
	return g
}

// reload puts another configuration, which goes below globals, into force as an operator does.
func (g *gatewayProcess) reload(t testing.TB, config string) {
	t.Helper()
	g.reread(t, config, "the configuration was reloaded")
}

// reloadFaulty is reload with one that has faults, and is refused for them.
func (g *gatewayProcess) reloadFaulty(t testing.TB, config string) {
	t.Helper()
	g.reread(t, config, "the configuration was not reloaded")
}

// reread has the gateway read another configuration, and waits until its log says so.
func (g *gatewayProcess) reread(t testing.TB, config, says string) {
	t.Helper()
	before := strings.Count(g.output.String(), says)
	if err := os.WriteFile(g.config, []byte(globals+config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, listenLimit, func() string {
		if strings.Count(g.output.String(), says) == before {
			return "the log does not say that " + says + ":\n" + g.output.String()
		}
		return ""
	})
}

// call sends a request with a header as pairs of name and value, and returns the answer without its body, which is text.
func (g *gatewayProcess) call(t testing.TB, method, path, body string, headers ...string) (r *http.Response, text string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	r, err = client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	return r, readAll(t, r.Body)
}

// enter types into a field of the page, instead of what is in it.
func (p *page) enter(selector, text string) {
	p.t.Helper()
	if err := p.browser.do(map[string]any{"do": "type", "page": p.number, "selector": selector, "text": text}, nil); err != nil {
		p.t.Fatalf("%s: type into %s: %v", p.browser.kind.name, selector, err)
	}
}

// picture keeps pictures of the page among the artefacts, as on a desk and as on a telephone.
func (p *page) picture(name string) {
	p.t.Helper()
	for _, s := range []struct {
		name          string
		width, height int
	}{{"-phone", 390, 844}, {"", 1280, 720}} {
		if err := p.browser.do(map[string]any{"do": "resize", "page": p.number, "width": s.width, "height": s.height}, nil); err != nil {
			p.t.Fatalf("%s: resize: %v", p.browser.kind.name, err)
		}
		p.screenshot(name + s.name)
	}
}

// awaitAddress waits until the tab shows an address below the gateway's.
func (p *page) awaitAddress(path string) {
	p.t.Helper()
	eventually(p.t, playLimit, func() string {
		var now string
		what := map[string]any{"do": "evaluate", "page": p.number, "script": "document.readyState === 'complete' ? location.href.slice(location.origin.length) : 'on the way'"}
		if err := p.browser.do(what, &now); err != nil || now != path {
			return fmt.Sprintf("the tab shows %q (%v), want %q", now, err, path)
		}
		return ""
	})
}

// signIn enters a token on the login page.
func (p *page) signIn(token string) {
	p.t.Helper()
	p.enter("#token", token)
	p.click("#by-token [type=submit]")
}
