package door

import "testing"

// X1, X3 to X5: doc comments count.
func TestDoc(t *testing.T) {
	for _, name := range []string{
		"open", // X6
		// X7
		"X8, X9 shut",
		"shut X99",
	} {
		t.Log(name)
	}
}

// X10–X11
var shared = []string{
	"a", // X12
}

func TestShared(t *testing.T) { t.Log(shared) }

func FuzzShared(f *testing.F) { f.Log(shared) /* X13, H264 */ }

// X99
var lonely = 1

// X99
func helper() {}

// X99
func TestMain(m *testing.M) { m.Run() }

// X99
func Testament() {}

type door struct{}

// X99
func (door) TestMethod() {}

// X99
