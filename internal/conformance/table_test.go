package conformance

import (
	"slices"
	"strings"
	"testing"
)

const (
	list = `
# a comment
== X Doors
X1 M a door opens
X2 S a door shuts

X3 N a door falls
== Y Windows
Y1 Y a window opens
`
	notes = "X2-X3 comes later\nY1 not with gloves\n"
	run   = `{"Action":"start","Package":"sluice/door"}
# sluice/wall
{"Action":"pass","Package":"sluice/door","Test":"TestOpen/fast"}
{"Action":"fail","Package":"sluice/door","Test":"TestOpen/slow"}
{"Action":"pass","Package":"sluice/door","Test":"TestOpen"}
{"Action":"fail","Package":"sluice/door","Test":"TestShut"}
{"Action":"pass","Package":"sluice/door","Test":"TestShut"}
{"Action":"skip","Package":"sluice/door","Test":"TestFall"}
{"Action":"pass","Package":"sluice/web","Test":"TestScripts"}
{"Action":"pass","Package":"sluice/door"}
`
)

func parts(t *testing.T) []Part {
	t.Helper()
	all, err := parseRequirements(list, notes)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTable(t *testing.T) {
	results, err := ReadResults(strings.NewReader(run), "sluice")
	if err != nil {
		t.Fatal(err)
	}
	opens, shuts, falls, page := Test{"door", "TestOpen"}, Test{"door", "TestShut"}, Test{"door", "TestFall"}, Test{"web/test", "a.test.js"}
	for name, c := range map[string]struct {
		id    string
		tests []Test
		want  string
	}{
		"passed":           {"X1", []Test{opens}, "| X1 | M | a door opens | `door.TestOpen` | pass |"},
		"a script":         {"X1", []Test{page}, "| X1 | M | a door opens | `web/test/a.test.js` | pass |"},
		"failed once":      {"X1", []Test{opens, shuts}, "| X1 | M | a door opens | `door.TestOpen`, `door.TestShut` | fail |"},
		"skipped":          {"X1", []Test{falls, opens}, "| X1 | M | a door opens | `door.TestFall`, `door.TestOpen` | not run |"},
		"failed and not":   {"X1", []Test{falls, shuts}, "| X1 | M | a door opens | `door.TestFall`, `door.TestShut` | fail |"},
		"not there":        {"X1", []Test{{"wall", "TestOpen"}}, "| X1 | M | a door opens | `wall.TestOpen` | not run |"},
		"many":             {"X1", []Test{opens, opens, opens, opens}, "| X1 | M | a door opens | `door.TestOpen`, `door.TestOpen`, `door.TestOpen`, … | pass |"},
		"none":             {"X1", nil, "| X1 | M | a door opens | none | — |"},
		"none, with cause": {"X3", nil, "| X3 | N | a door falls | none | comes later |"},
		"with a note":      {"Y1", []Test{opens}, "| Y1 | Y | a window opens | `door.TestOpen` | pass; not with gloves |"},
	} {
		t.Run(name, func(t *testing.T) {
			table := Table(parts(t), Tests{c.id: c.tests}, results)
			if !strings.Contains(table, "\n"+c.want+"\n") {
				t.Errorf("got:\n%s\nwant:\n%s", table, c.want)
			}
		})
	}
	table := Table(parts(t), Tests{"X1": {opens}, "X2": {shuts}}, results)
	if want := "### X Doors\n\n3 lines; 2 have tests, of which 1 pass.\n"; !strings.HasPrefix(table, want) {
		t.Errorf("got:\n%s\nwant:\n%s", table, want)
	}
}

func TestReplace(t *testing.T) {
	text := "before\n" + begin + "\nold\n" + end + "\nafter\n"
	once, err := Replace(text, "new\n")
	if want := "before\n" + begin + "\n\nnew\n" + end + "\nafter\n"; err != nil || once != want {
		t.Errorf("got %q, %v", once, err)
	}
	if twice, err := Replace(once, "new\n"); err != nil || twice != once {
		t.Errorf("again: %q, %v", twice, err)
	}
	for _, broken := range []string{"", begin + "\n", end + "\n" + begin + "\n"} {
		if _, err := Replace(broken, "new\n"); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestStale(t *testing.T) {
	opens, shuts := Test{"door", "TestOpen"}, Test{"door", "TestShut"}
	tests := Tests{"X1": {opens}, "X2": {shuts}}
	fresh, err := Replace(begin+"\n"+end+"\n", Table(parts(t), tests, Results{opens: Pass}))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		document string
		tests    Tests
		want     []string
	}{
		"fresh":               {fresh, tests, nil},
		"another result":      {strings.Replace(fresh, "pass |", "fail |", 1), tests, nil},
		"a row elsewhere":     {fresh + "| X9 | M | a | none | — |\n", tests, nil},
		"another test":        {fresh, Tests{"X1": {shuts}, "X2": {shuts}}, []string{"X1"}},
		"tests gone":          {fresh, nil, []string{"X1", "X2"}},
		"another title":       {strings.Replace(fresh, "door opens", "gate opens", 1), tests, []string{"X1"}},
		"another strength":    {strings.Replace(fresh, "| Y1 | Y", "| Y1 | M", 1), tests, []string{"Y1"}},
		"a row that is gone":  {strings.Replace(fresh, "| X3 |", "| X4 |", 1), tests, []string{"X3", "X4"}},
		"no table whatsoever": {"", tests, []string{"X1", "X2", "X3", "Y1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Stale(c.document, parts(t), c.tests); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestParseRequirementsFaults(t *testing.T) {
	for name, c := range map[string]struct{ list, notes, want string }{
		"no part":          {"X1 M a door\n", "", `requirements.txt: "X1 M a door" is neither`},
		"no strength":      {"== X Doors\nX1 a door\n", "", `requirements.txt: "X1 a door" is neither`},
		"a note on none":   {list, "X9 later\n", "notes.txt: X9 is not in requirements.txt"},
		"a range to none":  {list, "X1-X9 later\n", "notes.txt: X9 is not in requirements.txt"},
		"a note of no one": {list, "later\n", `notes.txt: "later" is not`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseRequirements(c.list, c.notes); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
