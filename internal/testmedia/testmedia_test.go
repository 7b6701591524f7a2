package testmedia

import "testing"

// The files are small, and each call hands out bytes of its own.
func TestFile(t *testing.T) {
	for _, codec := range Codecs() {
		name, data := File(codec)
		if len(data) == 0 || len(data) > 400<<10 {
			t.Errorf("%s has %d bytes", name, len(data))
		}
		first := data[0]
		data[0]++
		if _, again := File(codec); again[0] != first {
			t.Errorf("%s changed for the next caller", name)
		}
	}
}
