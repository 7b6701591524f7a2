package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
)

// browser is a Chromium of its own, with the program of the end-to-end tests that drives it.
type browser struct {
	chromium, driver *exec.Cmd
	in               io.WriteCloser
	out              *bufio.Scanner
	tab              int
}

func chromium(ctx context.Context, profile string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/usr/bin/chromium",
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
		"--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection", "--mute-audio",
		"--remote-debugging-port=0", "--user-data-dir="+profile, "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+profile)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// openBrowser starts Chromium and opens a page in it. Both programs end with ctx; close waits for them.
func openBrowser(ctx context.Context, profile, url string) (b *browser, err error) {
	b = &browser{chromium: chromium(ctx, profile)}
	said, err := b.chromium.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err = b.chromium.Start(); err != nil {
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	endpoint, err := devTools(said)
	if err != nil {
		return b, err
	}
	go func() { _, _ = io.Copy(io.Discard, said) }() // ends with Chromium
	if err = b.drive(ctx, endpoint); err != nil {
		return b, err
	}
	return b, b.do(map[string]any{"do": "open", "url": url}, &b.tab)
}

var listening = regexp.MustCompile(`DevTools listening on (ws://\S+)`)

// devTools waits until Chromium says where it is driven.
func devTools(said io.Reader) (string, error) {
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			return found[1], nil
		}
	}
	return "", errors.New("the browser ended before it said where it is driven")
}

// drive starts the driver, which answers on its file descriptor 3.
func (b *browser) drive(ctx context.Context, endpoint string) error {
	b.driver = exec.CommandContext(ctx, "node", "e2e/browser/driver.mjs", "cdp", endpoint)
	b.driver.Stderr = os.Stderr
	b.driver.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := b.driver.StdinPipe()
	if err != nil {
		return err
	}
	answers, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirs.Close()
	b.driver.ExtraFiles = []*os.File{theirs}
	b.in, b.out = in, bufio.NewScanner(answers)
	b.out.Buffer(nil, 64<<20)
	return b.driver.Start()
}

// do has the driver do one thing and reads its result.
func (b *browser) do(what map[string]any, result any) error {
	what["id"], what["page"] = 1, b.tab
	line, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("ask the browser's driver: %w", err)
	}
	if !b.out.Scan() {
		return errors.New("the browser's driver has ended")
	}
	var answer struct {
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(b.out.Bytes(), &answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return fmt.Errorf("the page: %s", answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// evaluate runs a script in the page.
func (b *browser) evaluate(result any, script string, args ...any) error {
	return b.do(map[string]any{"do": "evaluate", "script": fmt.Sprintf(script, args...)}, result)
}

// close ends both programs and waits for them.
func (b *browser) close() {
	for _, cmd := range []*exec.Cmd{b.driver, b.chromium} {
		if cmd != nil && cmd.Process != nil {
			_ = cmd.Process.Kill() // or it has ended
			_ = cmd.Wait()
		}
	}
}
