package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// plan is what is to be measured.
type plan struct {
	picture   picture
	listen    string
	peers     string
	running   []server
	only      []string
	joins     int
	watch     time.Duration
	losses    int
	loss      float64
	lossWatch time.Duration
	raw       string
}

func main() {
	p, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = p.run(ctx)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*plan, error) {
	p, flags := &plan{}, flag.NewFlagSet("probe", flag.ContinueOnError)
	size := flags.String("size", "1280x720", "of the pictures; 640x360 where there is little of a processor")
	flags.IntVar(&p.picture.fps, "fps", 30, "pictures a second")
	flags.IntVar(&p.picture.kbps, "kbps", 2000, "bit rate of the pictures")
	flags.DurationVar(&p.picture.gop, "gop", 10*time.Second, "time from one keyframe of the source to the next")
	flags.StringVar(&p.listen, "source", "127.0.0.1:0", "host:port where the source is served, rtsp://…/stream")
	flags.StringVar(&p.peers, "peers", "", "file that describes other servers (JSON, see docs/benchmarks.md)")
	flags.Func("whep", "NAME=URL of a server that runs already and has the source; may be repeated", func(s string) error {
		name, url, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("it is NAME=URL")
		}
		p.running = append(p.running, server{Name: name, WHEP: url})
		return nil
	})
	only := flags.String("servers", "", "parts of the names of the servers to measure, with commas; none: all")
	flags.IntVar(&p.joins, "joins", 20, "joins of each server")
	flags.DurationVar(&p.watch, "watch", 10*time.Second, "how long each watches from the first picture on")
	flags.IntVar(&p.losses, "loss-runs", 1, "runs of each server with losses")
	flags.Float64Var(&p.loss, "loss", 0.05, "fraction of all datagrams that is lost there, both ways")
	flags.DurationVar(&p.lossWatch, "loss-watch", 30*time.Second, "how long such a run watches")
	flags.StringVar(&p.raw, "raw", "", "file for all that the page noted, one JSON object a line")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if _, err := fmt.Sscanf(*size, "%dx%d", &p.picture.width, &p.picture.height); err != nil {
		return nil, fmt.Errorf("a size is like 1280x720, not %q", *size)
	}
	if *only != "" {
		p.only = strings.Split(*only, ",")
	}
	if p.watch < 2*settled*time.Millisecond || p.picture.fps < 1 || p.picture.gop <= 0 {
		return nil, errors.New("it watches 4 s at least, and pictures come at 1 fps at least, with a GOP above 0")
	}
	return p, nil
}

func (p *plan) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "sluice-probe")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	servers, err := p.choose(ctx, dir)
	if err != nil {
		return err
	}
	source, err := newSource(p.picture, p.listen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan string, 1)
	g.Go(func() error { return source.run(ctx, ready) })
	g.Go(func() error {
		defer cancel()
		select {
		case url := <-ready:
			fmt.Fprintln(os.Stderr, "probe: the source is", url)
			return p.measure(ctx, g, source, servers, dir, url)
		case <-ctx.Done():
			return nil
		}
	})
	err = g.Wait()
	fmt.Println("\n" + source.String())
	return err
}

// choose returns what is measured, with our gateway built.
func (p *plan) choose(ctx context.Context, dir string) ([]server, error) {
	program := filepath.Join(dir, "gateway")
	servers := []server{gateway(program, "gop"), gateway(program, "keyframe")}
	peers, err := readPeers(p.peers)
	if err != nil {
		return nil, err
	}
	servers = slices.Concat(servers, peers, p.running)
	if p.only != nil {
		servers = slices.DeleteFunc(servers, func(s server) bool {
			return !slices.ContainsFunc(p.only, func(part string) bool { return strings.Contains(s.Name, part) })
		})
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("there is no server with a name of %v", p.only)
	}
	if !slices.ContainsFunc(servers, func(s server) bool { return len(s.Command) > 0 && s.Command[0] == program }) {
		return servers, nil
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "./cmd/gateway")
	build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build the gateway: %w", err)
	}
	return servers, nil
}

// measure starts the servers and the browser, and prints the tables.
func (p *plan) measure(ctx context.Context, g *errgroup.Group, source *source, servers []server, dir, url string) error {
	for i := range servers {
		started, cmd, err := servers[i].start(ctx, dir, url)
		if err != nil {
			return err
		}
		if servers[i] = started; cmd != nil {
			defer stop(cmd)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	pages := newSite(servers)
	g.Go(func() error { return pages.run(ctx, l) })
	b, err := openBrowser(ctx, filepath.Join(dir, "chromium"), "http://"+l.Addr().String()+"/")
	if err != nil {
		return err
	}
	defer b.close()
	m := &measurement{plan: p, browser: b, servers: servers, source: source, raw: json.NewEncoder(io.Discard)}
	if p.raw != "" {
		f, createErr := os.Create(p.raw)
		if createErr != nil {
			return createErr
		}
		defer f.Close()
		m.raw = json.NewEncoder(f)
	}
	if err = m.warm(ctx); err != nil {
		return err
	}
	joins, err := m.rounds(ctx, p.joins, 0, p.watch)
	if err != nil {
		return err
	}
	if p.joins > 0 {
		printJoins(os.Stdout, servers, joins)
	}
	losses, err := m.rounds(ctx, p.losses, p.loss, p.lossWatch)
	if err == nil && p.losses > 0 {
		printLosses(os.Stdout, servers, losses, p.loss)
	}
	return err
}

func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // how it ended says nothing of what was measured
}

// measurement joins the servers in turn.
type measurement struct {
	*plan
	browser *browser
	servers []server
	source  *source
	raw     *json.Encoder
}

// warm joins each server until it shows pictures, so that all have the source and nothing is new to Chromium.
func (m *measurement) warm(ctx context.Context) error {
	for i, s := range m.servers {
		for try := 0; ; try++ {
			r, err := m.browser.join(ctx, i, 0, m.picture.gop+firstPicture, 2*settled*time.Millisecond)
			if err != nil {
				return err
			}
			_, err = r.judge(m.source.paused)
			if err == nil {
				break
			}
			if try == 5 {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			if err := wait(ctx, time.Now().Add(time.Second)); err != nil {
				return err
			}
		}
	}
	return nil
}

// rounds joins all servers so often, each time at a random moment of the GOP.
func (m *measurement) rounds(ctx context.Context, n int, loss float64, long time.Duration) ([][]result, error) {
	all := make([][]result, len(m.servers))
	for round := range n {
		for i, s := range m.servers {
			if err := wait(ctx, time.Now().Add(rand.N(m.picture.gop))); err != nil {
				return nil, err
			}
			r, err := m.browser.join(ctx, i, loss, m.picture.gop+firstPicture, long)
			if err != nil {
				return nil, err
			}
			_ = m.raw.Encode(map[string]any{"server": s.Name, "round": round, "loss": loss, "run": r}) // a help, no more
			one, err := r.judge(m.source.paused)
			if err != nil {
				fmt.Fprintf(os.Stderr, "probe: %s, join %d: %v\n", s.Name, round+1, err)
				continue
			}
			fmt.Fprintf(os.Stderr, "probe: %s, join %d: connected %.0f, first %.0f, live %.0f, age %.0f ms, freezes %.0f and %.0f, the source's %.0f, %.1f fps\n",
				s.Name, round+1, one.Connected, one.First, one.Live, one.Age, one.Freezes, one.Counted, one.Excused, one.FPS)
			all[i] = append(all[i], one)
		}
	}
	return all, nil
}
