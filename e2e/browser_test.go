package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// kind is a browser that the tests know how to start.
type kind struct {
	name, program, protocol string
	args                    func(profile string) []string
	pages                   int    // how many may be open at a time
	endpoint                string // matches the line that tells where it is driven
	session                 string // what comes behind that address
	prefs                   string // of the profile, in the words of Firefox
}

// browserLimit is for a browser to start, beside others that do.
const browserLimit = 2 * time.Minute

// insecureHost is this machine under a name that Chromium does not take for it, so pages there are not secure.
const insecureHost = "gateway.test"

var chromium = kind{
	name: "chromium", program: "/usr/bin/chromium", protocol: "cdp", pages: 4, endpoint: `DevTools listening on (ws://\S+)`,
	args: func(profile string) []string {
		return []string{
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
			"--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
			"--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection", "--mute-audio",
			"--host-resolver-rules=MAP " + insecureHost + " 127.0.0.1",
			"--use-fake-device-for-media-stream", // who may use it, a page's permissions tell
			"--remote-debugging-port=0", "--user-data-dir=" + profile, "about:blank",
		}
	},
}

// Firefox opens tabs, of which only the foremost is painted.
var firefox = kind{
	name: "firefox", program: "/usr/bin/firefox-esr", protocol: "webDriverBiDi", pages: 1,
	endpoint: `WebDriver BiDi listening on (ws://\S+)`, session: "/session",
	args: func(profile string) []string {
		return []string{"--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"}
	},
	prefs: firefoxPrefs + offNetwork,
}

// firefoxPrefs let WebRTC work on loopback, and let sound play without a gesture.
// A page without the permission to film gets the address of the default route only, whatever ice.loopback says.
const firefoxPrefs = `user_pref("permissions.default.camera", 1);
user_pref("permissions.default.microphone", 1);
user_pref("media.navigator.streams.fake", true);
user_pref("media.peerconnection.ice.loopback", true);
user_pref("media.peerconnection.ice.obfuscate_host_addresses", false);
user_pref("media.autoplay.default", 0);
user_pref("media.autoplay.blocking_policy", 0);
`

// offNetwork keeps Firefox from calling home.
const offNetwork = `user_pref("media.gmp-manager.updateEnabled", false);
user_pref("media.gmp-gmpopenh264.autoupdate", false);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.server", "data:,");
`

// browser is a running browser with the program that drives it.
type browser struct {
	kind    kind
	process *process
	driver  *process
	in      io.Writer
	slots   chan struct{} // full: one element for each page that is open

	mu      sync.Mutex
	next    int                 // guarded by mu
	waiting map[int]chan answer // guarded by mu
}

type answer struct {
	ID     int
	Result json.RawMessage
	Error  string
}

// shared are the browsers of all tests of the run: each is started once, when it is wanted.
var shared struct {
	sync.Mutex
	browsers map[string]*browser
	profiles []string
}

// openBrowser returns the running browser of a kind.
func openBrowser(t testing.TB, k kind) *browser {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if b, ok := shared.browsers[k.name]; ok {
		return b
	}
	b, err := startBrowser(k)
	if err != nil {
		t.Fatalf("start %s: %v", k.name, err)
	}
	if shared.browsers == nil {
		shared.browsers = make(map[string]*browser)
	}
	shared.browsers[k.name] = b
	return b
}

// closeBrowsers ends what openBrowser has started.
func closeBrowsers() {
	shared.Lock()
	defer shared.Unlock()
	for _, b := range shared.browsers {
		b.driver.kill()
		b.process.kill()
	}
	for _, dir := range shared.profiles {
		_ = os.RemoveAll(dir) // a child of the browser may still be writing
	}
}

// startBrowser starts one; whoever calls it holds the lock of shared.
func startBrowser(k kind) (*browser, error) {
	profile, err := os.MkdirTemp("", "sluice-e2e-profile-")
	if err != nil {
		return nil, err
	}
	shared.profiles = append(shared.profiles, profile)
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(k.prefs), 0o600); err != nil {
		return nil, err
	}
	cmd := command(k.program, k.args(profile)...)
	cmd.Env = append(cmd.Env, "HOME="+profile, "MOZ_DISABLE_AUTO_SAFE_MODE=1")
	p, err := launch(k.name, cmd)
	if err != nil {
		return nil, err
	}
	address, err := p.find(k.endpoint, browserLimit)
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("%w:\n%s", err, p.output)
	}
	b := &browser{kind: k, process: p, waiting: make(map[int]chan answer), slots: make(chan struct{}, k.pages)}
	if err := b.drive(address + k.session); err != nil {
		p.kill()
		return nil, err
	}
	return b, nil
}

// drive starts the driver, whose standard output is for answers only.
func (b *browser) drive(address string) error {
	cmd := exec.Command("node", "browser/driver.mjs", b.kind.protocol, address)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	answers, out, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.ExtraFiles = []*os.File{out}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if b.driver, err = launch("driver", cmd); err != nil {
		return err
	}
	_ = out.Close()
	b.in = in
	go b.listen(answers)
	return nil
}

// listen hands answers to those who wait for them, until the driver ends.
func (b *browser) listen(r io.ReadCloser) {
	defer r.Close()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var a answer
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			continue
		}
		b.mu.Lock()
		waiting := b.waiting[a.ID]
		delete(b.waiting, a.ID)
		b.mu.Unlock()
		if waiting != nil {
			waiting <- a
		}
	}
}

// do has the driver do a thing. The answer's result goes into result, if that is not nil.
func (b *browser) do(what map[string]any, result any) error {
	done := make(chan answer, 1)
	b.mu.Lock()
	b.next++
	what["id"] = b.next
	b.waiting[b.next] = done
	line, err := json.Marshal(what)
	if err == nil {
		_, err = b.in.Write(append(line, '\n'))
	}
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%w: %s", err, b.driver.output)
	}
	select {
	case a := <-done:
		if a.Error != "" {
			return errors.New(a.Error)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(a.Result, result)
	case <-b.driver.ended:
		return fmt.Errorf("the driver has ended: %s", b.driver.output)
	case <-time.After(browserLimit):
		return errors.New("no answer of the driver to " + strconv.Quote(string(line)))
	}
}
