package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sluice/worker/wire"
)

// 300 cycles leave nothing behind.
func TestCyclesLeaveNothing(t *testing.T) {
	p := newPool(t, Options{Environ: fast})
	run(t, p)
	cycle := func() {
		process, err := p.Start(within(t), spec("echo"))
		if err != nil {
			t.Fatal(err)
		}
		next(t, process, EventReady)
		process.Write(keyframe)
		next(t, process, EventFrame)
		process.Close()
	}
	cycle()
	before := descriptors(t)
	cycles := 300
	if testing.Short() {
		cycles = 20
	}
	for range cycles {
		cycle()
	}
	waitFor(t, func() bool { return descriptors(t) <= before && len(children(t)) == 0 })
	if s := p.Stats(); s.Running != 0 || s.Started != uint64(cycles+1) {
		t.Errorf("%+v", s)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// children are our processes, zombies among them.
func children(t *testing.T) []string {
	t.Helper()
	var all []string
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, _ := os.ReadFile(f)
		all = append(all, strings.Fields(string(b))...)
	}
	return all
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

func TestManyAtOnce(t *testing.T) {
	p := newPool(t, Options{Warm: 2})
	run(t, p)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s := spec("echo")
			s.Isolate = i%2 == 0
			process, err := p.Start(within(t), s)
			if err != nil {
				t.Error(err)
				return
			}
			defer process.Close()
			process.Write(keyframe)
			for _, kind := range []EventKind{EventReady, EventFrame} {
				if e, err := process.Next(within(t)); err != nil || e.Kind != kind {
					t.Errorf("%+v, %v", e, err)
				}
			}
		})
	}
	wg.Wait()
}

// fakeGateway starts a worker, tells its PID and waits to be killed.
func fakeGateway() {
	path, _ := os.Executable()
	p := New(Options{Name: fakeName, Path: path, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	go func() { must(p.Run(context.Background())) }()
	for range 3 { // the thread that starts them lives on between
		process, err := p.Start(context.Background(), Spec{Job: wire.Job{Role: wire.RoleSource, Pipeline: "deaf"}, Isolate: true})
		if err != nil {
			panic(err)
		}
		if _, err := process.Next(context.Background()); err != nil {
			panic(err)
		}
		fmt.Println(process.Stats().PID)
	}
	fmt.Println("ready")
	block()
}

func TestWorkersDieWithTheGateway(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	gateway, err := os.StartProcess(self(t), []string{parentName}, &os.ProcAttr{Env: []string{}, Files: []*os.File{nil, w, os.Stderr}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for buf := make([]byte, 64); !strings.Contains(text, "ready"); {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatalf("the gateway said %q: %v", text, err)
		}
		text += string(buf[:n])
	}
	must(gateway.Kill())
	_, err = gateway.Wait()
	must(err)
	for _, line := range slices.DeleteFunc(strings.Fields(text), func(s string) bool { return s == "ready" }) {
		pid, _ := strconv.Atoi(line)
		waitFor(t, func() bool { return !alive(pid) })
	}
}
