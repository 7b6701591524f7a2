package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// shown is a run whose pictures come each 33 ms from first to end, as old as age says; those it says no to are left out.
func shown(first, end float64, age func(at float64) (ms float64, ok bool)) run {
	r := run{Marks: map[string]float64{"connected": first - 10}}
	for at := first; at < end; at += 33 {
		if ms, ok := age(at); ok {
			r.Pictures = append(r.Pictures, [2]*float64{new(at), new(ms)})
		}
	}
	r.Statistics = []statistics{
		{At: first + settled, FramesDecoded: 200, JitterBufferDelay: 1, JitterBufferEmittedCount: 200},
		{At: first + settled + 1000, FramesDecoded: 229, JitterBufferDelay: 1.29, JitterBufferEmittedCount: 229, FreezeCount: 4, PLICount: 5, NACKCount: 6, PacketsLost: 7},
	}
	return r
}

func TestJudge(t *testing.T) {
	steady := func(float64) (float64, bool) { return 20, true }
	for name, c := range map[string]struct {
		run              run
		first, live, age float64
		freezes, frozen  float64
		paused           bool
		excused          float64
		err              error
	}{
		"live at once": {run: shown(100, 5000, steady), first: 100, live: 100, age: 20},
		"catches up": {
			run:   shown(100, 5000, func(at float64) (float64, bool) { return max(20, 2000-10*at), true }),
			first: 100, live: 199, age: 20, // 2000-1990 is within 70 ms of 20
		},
		"freezes": {
			run:   shown(100, 5000, func(at float64) (float64, bool) { return 20, at < 1000 || at > 1300 }),
			first: 100, live: 100, age: 20, freezes: 1, frozen: 0.33,
		},
		"freezes with its source": {
			run:   shown(100, 5000, func(at float64) (float64, bool) { return 20, at < 1000 || at > 1300 }),
			first: 100, live: 100, age: 20, paused: true, excused: 1,
		},
		"three pictures are missing": {
			run:   shown(100, 5000, func(at float64) (float64, bool) { return 20, at < 1000 || at > 1099 }),
			first: 100, live: 100, age: 20,
		},
		"nothing shown":  {run: shown(100, 100, steady), err: errNoPictures},
		"nothing steady": {run: shown(100, 1000, steady), err: errNoPictures},
		"no statistics":  {run: run{Pictures: shown(100, 5000, steady).Pictures}, err: errNoPictures},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.run.judge(func(_, _ time.Time) bool { return c.paused })
			if !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if got.First != c.first || got.Live != c.live || got.Age != c.age || got.Connected != c.first-10 {
				t.Errorf("connected %v, first %v, live %v, age %v", got.Connected, got.First, got.Live, got.Age)
			}
			if got.Freezes != c.freezes || got.Excused != c.excused || math.Abs(got.Frozen-c.frozen) > 0.001 {
				t.Errorf("frozen %v times for %v s, want %v for %v", got.Freezes, got.Frozen, c.freezes, c.frozen)
			}
			if got.FPS != 29 || math.Abs(got.Buffer-10) > 0.001 || got.Counted != 4 || got.PLI != 5 || got.NACK != 6 || got.Lost != 7 {
				t.Errorf("counted are %+v", got)
			}
		})
	}
}

func TestJudgeTellsThePagesError(t *testing.T) {
	if _, err := (run{Error: "refused"}).judge(nil); err == nil || err.Error() != "refused" {
		t.Errorf("got %v", err)
	}
}

// What the page returns is what a run reads.
func TestRunReadsThePage(t *testing.T) {
	const text = `{"pictures":[[100.5,null],[133,20]],"marks":{"connected":90},"statistics":[{"at":1,"pliCount":2}],"error":""}`
	var r run
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Pictures) != 2 || *r.Pictures[0][0] != 100.5 || r.Pictures[0][1] != nil || *r.Pictures[1][1] != 20 ||
		r.Marks["connected"] != 90 || r.Statistics[0].PLICount != 2 {
		t.Errorf("read %+v", r)
	}
}

func TestTables(t *testing.T) {
	servers := []server{{Name: "one"}, {Name: "none"}}
	all := [][]result{{
		{First: 30, Live: 200, Ages: []float64{10, 12}, FPS: 30},
		{First: 50, Live: 300, Ages: []float64{11}, FPS: 28, Freezes: 2},
		{First: 40, Live: 250, Ages: []float64{11}, FPS: 29},
	}, nil}
	var joins, losses bytes.Buffer
	printJoins(&joins, servers, all)
	printLosses(&losses, servers, all, 0.05)
	for text, wants := range map[string][]string{
		joins.String():  {"| one | 3 | 0 (0) ms | 40 (50) ms | 250 (300) ms | 11, 12 ms | 2, 0 (0) | 29.0 |", "| none | 0 |\n"},
		losses.String(): {"5 % lost", "| one | 3 | 29.0 (28.0) |", "| none | 0 |\n"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	}
}

func TestPaused(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	s := &source{sent: []time.Time{at(0), at(33), at(66), at(266), at(300), at(1000), at(1033)}}
	for name, c := range map[string]struct {
		from, to int
		want     bool
	}{
		"steady":                         {0, 40, false},
		"around a pause":                 {66, 270, true},
		"a little later than the source": {120, 320, true},
		"long after it":                  {1150, 1400, false},
		"from before the source":         {-500, -300, false},
		"within a pause":                 {500, 700, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.paused(at(c.from), at(c.to)); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
