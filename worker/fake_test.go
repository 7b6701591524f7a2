package worker

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"sluice/worker/wire"
)

// The test binary is its own worker when it is started under one of these names, and a gateway that is to be killed
// under the other.
const (
	fakeName   = "gateway-fake"
	parentName = "gateway-parent"
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case fakeName, GStreamer:
		os.Exit(fakeWorker())
	case parentName:
		fakeGateway()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// fake is a worker whose Job.Pipeline says how it behaves: a word and its argument.
type fake struct {
	r        *wire.Reader
	w        *wire.Writer
	job      wire.Job
	word, of string
	frames   int
	code     int           // of the exit
	done     chan struct{} // closed then
}

func fakeWorker() (code int) {
	f := &fake{done: make(chan struct{})}
	go func() {
		f.run()
		f.exit(0)
	}()
	<-f.done
	return f.code
}

// exit ends run from wherever it is.
func (f *fake) exit(code int) {
	f.code = code
	close(f.done)
	runtime.Goexit()
}

func (f *fake) run() {
	conn, err := net.FileConn(os.NewFile(wire.FD, "gateway"))
	must(err)
	f.r, f.w = wire.NewReader(conn), wire.NewWriter(conn)
	if file := os.Getenv("GST_REGISTRY"); file != "" && os.Getenv("GST_REGISTRY_UPDATE") != "no" {
		must(os.WriteFile(file, []byte("registry"), 0o600))
	}
	f.send(wire.JSON(wire.TypeHello, wire.Greeting{Version: wire.Version, Worker: os.Args[0], Library: "Fake 1.0"}))
	for {
		m, err := f.r.Next()
		if err != nil {
			return
		}
		if !f.answer(&m) {
			return
		}
	}
}

func (f *fake) send(m *wire.Message, parts ...[]byte) {
	if f.w.Write(m, parts...) != nil {
		f.exit(0)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (f *fake) answer(m *wire.Message) bool {
	switch m.Type {
	case wire.TypeConfig:
		must(m.Decode(&f.job))
		f.word, f.of, _ = strings.Cut(f.job.Pipeline, " ")
		f.begin()
	case wire.TypeFrame:
		f.frames++
		f.frame(m)
	case wire.TypePing:
		f.send(&wire.Message{Type: wire.TypePong})
	case wire.TypeKeyRequest, wire.TypeBitrate:
		f.send(&wire.Message{Type: wire.TypeFrame, Track: m.Track, Ext: m.Ext, Payload: []byte(m.Type.String())})
	case wire.TypeEOS:
		f.send(m)
	case wire.TypeStop:
		return f.word == "stubborn"
	}
	return true
}

// begin behaves as the job wants before the first frame.
func (f *fake) begin() {
	if do, ok := beginnings[f.word]; ok {
		do(f)
	}
	f.send(&wire.Message{Type: wire.TypeReady})
	if do, ok := readinesses[f.word]; ok {
		do(f)
	}
}

var beginnings = map[string]func(f *fake){
	"never":  func(*fake) { block() },
	"exit":   func(f *fake) { n, _ := strconv.Atoi(f.of); f.exit(n) },
	"print":  func(f *fake) { fmt.Fprintln(os.Stderr, strings.ReplaceAll(f.of, "|", "\n")); f.exit(3) },
	"stdout": func(f *fake) { fmt.Println(f.of); f.exit(3) },
	"panic":  func(f *fake) { panic(f.of) },
	"garbage": func(f *fake) {
		_, err := unix.Write(wire.FD, bytes.Repeat([]byte{0xff}, 4096))
		must(err)
		block()
	},
	"bad-json": func(f *fake) { f.send(&wire.Message{Type: wire.TypeCaps, Payload: []byte("{")}); block() },
	"large": func(f *fake) {
		f.send(&wire.Message{Type: wire.TypeCaps, Payload: bytes.Repeat([]byte{' '}, 2<<20)})
		block()
	},
	"unknown":  func(f *fake) { f.send(&wire.Message{Type: 200, Payload: []byte("from the future")}) },
	"version":  func(f *fake) { f.send(wire.JSON(wire.TypeHello, wire.Greeting{Version: 99, Release: "v9"})); block() },
	"fault":    func(f *fake) { f.fault(wire.FaultCode(f.of)); block() },
	"eos":      func(f *fake) { f.send(&wire.Message{Type: wire.TypeEOS}); f.exit(0) },
	"eos-stay": func(f *fake) { f.send(&wire.Message{Type: wire.TypeEOS}); block() },
	"eos-fault": func(f *fake) {
		f.send(&wire.Message{Type: wire.TypeEOS})
		f.fault(wire.FaultElement)
		f.exit(1)
	},
	"eos-crash": func(f *fake) { f.send(&wire.Message{Type: wire.TypeEOS}); f.exit(1) },
	"hang-up": func(*fake) {
		for fd := wire.FD; fd < 20; fd++ { // net.FileConn has made another
			var st unix.Stat_t
			if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK {
				must(unix.Dup3(0, fd, 0))
			}
		}
		block()
	},
}

func (f *fake) fault(code wire.FaultCode) {
	f.send(wire.JSON(wire.TypeError, wire.Fault{Code: code, Element: "src", Message: "no rtsp://me:hunter2@host/s", Debug: "as rtsp://me:hunter2@host/s says", Permanent: true}))
}

var readinesses = map[string]func(f *fake){
	"deaf":   func(*fake) { block() },
	"result": func(f *fake) { f.send(wire.JSON(wire.TypeResult, f.state())) },
	"report": func(f *fake) {
		n, _ := strconv.ParseInt(f.of, 10, 64)
		f.send(wire.JSON(wire.TypeStats, wire.Stats{In: 7, RSS: n}))
	},
	"caps": func(f *fake) { f.send(wire.JSON(wire.TypeCaps, wire.Caps{Width: 640, Height: 360})) },
	"log": func(f *fake) {
		f.send(&wire.Message{Type: wire.TypeLog, Payload: []byte("at rtsp://me:hunter2@host/s now")})
	},
	"fork-stay":   func(f *fake) { f.fork(); block() },
	"fork-exit":   func(f *fake) { f.fork(); f.exit(1) },
	"flood":       func(f *fake) { f.flood() },
	"ready-again": func(f *fake) { f.send(&wire.Message{Type: wire.TypeReady}) },
	"produce":     func(f *fake) { f.send(&wire.Message{Type: wire.TypeFrame, Payload: []byte("one")}) },
	"allocate": func(f *fake) {
		n, _ := strconv.Atoi(f.of)
		b := bytes.Repeat([]byte{1}, n)
		block()
		runtime.KeepAlive(b)
	},
}

// fork starts a process, as a plugin may, and tells its ID.
func (f *fake) fork() {
	sleeper, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{Env: []string{}})
	must(err)
	f.send(wire.JSON(wire.TypeResult, sleeper.Pid))
}

// flood sends more than anybody waits for.
func (f *fake) flood() {
	n, _ := strconv.Atoi(f.of)
	for i := range n {
		f.send(&wire.Message{Type: wire.TypeFrame, PTS: int64(i), Payload: make([]byte, 1000)})
	}
}

// frame behaves as the job wants when a frame comes.
func (f *fake) frame(m *wire.Message) {
	switch f.word {
	case "silent":
		return
	case "tire":
		if n, _ := strconv.Atoi(f.of); f.frames > n {
			return
		}
	case "tire-deaf": // takes no more either
		if n, _ := strconv.Atoi(f.of); f.frames > n {
			block()
		}
	case "signal":
		n, _ := strconv.Atoi(f.of)
		must(unix.Kill(os.Getpid(), syscall.Signal(n)))
		block()
	case "shell": // dies as a program that has no handler
		must(unix.Exec("/bin/sh", []string{"sh", "-c", f.of}, nil))
	}
	f.send(m)
}

// state is what a process can see of itself.
type state struct {
	Environ    []string
	UID, GID   int
	Interfaces []string // that are up
	Nice       []int    // of each thread
	Sandboxed  bool
	Stdout     string
	Registry   string // what can be read of it
}

func (f *fake) state() state {
	s := state{Environ: os.Environ(), UID: os.Getuid(), GID: os.Getgid(), Sandboxed: f.job.Sandboxed}
	all, _ := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 {
			s.Interfaces = append(s.Interfaces, i.Name)
		}
	}
	deadline := time.Now().Add(5 * time.Second) // until the gateway has lowered it
	for s.Nice = nil; f.of == "low" && time.Now().Before(deadline) && !allAre(s.Nice, niceness); {
		s.Nice = niceOfThreads()
	}
	if f.of != "low" {
		s.Nice = niceOfThreads()
	}
	s.Stdout, _ = os.Readlink("/proc/self/fd/1")
	registry, _ := os.ReadFile(os.Getenv("GST_REGISTRY"))
	s.Registry = string(registry)
	return s
}

func allAre(values []int, want int) bool {
	for _, v := range values {
		if v != want {
			return false
		}
	}
	return len(values) > 0
}

func niceOfThreads() []int {
	var nice []int
	threads, _ := os.ReadDir("/proc/self/task")
	for _, t := range threads {
		tid, _ := strconv.Atoi(t.Name())
		if p, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil {
			nice = append(nice, 20-p)
		}
	}
	return nice
}

// block waits to be killed.
func block() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR2)
	<-c
}
