package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	tests, err := Scan("testdata/tree")
	if err != nil {
		t.Fatal(err)
	}
	const shared = "door.FuzzShared door.TestOther door.TestShared"
	for id, want := range map[string]string{
		"X1": "door.TestDoc door.TestOther web/test/words.test.js", "X2": "", "X3": "door.TestDoc", "X4": "door.TestDoc", "X5": "door.TestDoc",
		"X6": "door.TestDoc", "X7": "door.TestDoc", "X8": "door.TestDoc", "X9": "door.TestDoc",
		"X10": shared, "X11": shared, "X12": shared, "X13": "door.FuzzShared", "X14": "web/test/words.test.js", "X99": "",
	} {
		var got []string
		for _, test := range tests[id] {
			got = append(got, test.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", id, got, want)
		}
	}
}

func TestScanFaults(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a_test.go"), []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, root := range map[string]string{"broken": folder, "missing": filepath.Join(folder, "nothing")} {
		if _, err := Scan(root); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestIDsIn(t *testing.T) {
	for comment, want := range map[string]string{
		"":                                  "",
		"X1":                                "X1",
		"X34, W36: what is malformed (Y2).": "X34 W36 Y2",
		"X50 to X53":                        "X50 X51 X52 X53",
		"X9–X10, Z1-Z2":                     "X9 X10 Z1 Z2",
		"X5 to X3":                          "X5 X3",
		"X1 to Y2":                          "X1 Y2",
		"X1 to X900":                        "X1 X900",
		"0xX1, X1b, XX1, X1234, x1":         "",
	} {
		if got := idsIn(comment); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: got %v, want %s", comment, got, want)
		}
	}
}
