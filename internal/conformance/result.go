package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Outcome is how a test, or all tests of a requirement, went.
type Outcome string

// The outcomes. NotRun is also that of a test that was skipped.
const (
	Pass   Outcome = "pass"
	Fail   Outcome = "fail"
	NotRun Outcome = "not run"
)

// Results are the outcomes of tests.
type Results map[Test]Outcome

// scriptRunner is the test that has Node run the tests of the scripts.
var scriptRunner = Test{"web", "TestScripts"}

// ReadResults reads what go test -json printed, of one run or of several one after the other. Lines that are not
// JSON are passed over: the tool prints some of its own. Module is what the names of our packages begin with.
func ReadResults(r io.Reader, module string) (Results, error) {
	results := make(Results)
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var e struct{ Action, Package, Test string }
		if json.Unmarshal(scanner.Bytes(), &e) != nil || e.Test == "" || strings.Contains(e.Test, "/") {
			continue
		}
		outcome := map[string]Outcome{"pass": Pass, "fail": Fail, "skip": NotRun}[e.Action]
		t := Test{strings.TrimPrefix(e.Package, module+"/"), e.Test}
		if outcome != "" && results[t] != Fail {
			results[t] = outcome
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	return results, nil
}

// of returns the outcome of all tests together: one that failed makes it fail, one that didn't run makes it not run.
func (rs Results) of(tests []Test) Outcome {
	all := Pass
	for _, t := range tests {
		if t.script() {
			t = scriptRunner
		}
		switch rs[t] {
		case Pass:
		case Fail:
			return Fail
		default:
			all = NotRun
		}
	}
	return all
}
