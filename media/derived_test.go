package media

import "testing"

func TestDerived(t *testing.T) {
	for name, d := range map[string]Derived{
		"main:h264":      {Base: "main", Video: H264},
		"main:+opus":     {Base: "main", Audio: Opus},
		"low:vp8+pcma":   {Base: "low", Video: VP8, Audio: PCMA},
		"main:h264+opus": {Base: "main", Video: H264, Audio: Opus},
	} {
		if got := d.String(); got != name {
			t.Errorf("the name of %+v is %q, want %q", d, got, name)
		}
		if got, ok := ParseDerived(name); !ok || got != d {
			t.Errorf("%q is read as %+v, %v", name, got, ok)
		}
	}
	if name := (Derived{Base: "main"}).String(); name != "main" {
		t.Errorf("what is passed on as it is has the name %q", name)
	}
	for _, name := range []string{"", "main", "main:", ":h264", "main:+", "main:h264+", "main:h999", "main:opus", "main:h264+aac", "main:h264:vp8"} {
		if got, ok := ParseDerived(name); ok {
			t.Errorf("%q is read as %+v, but is no derived rendition", name, got)
		}
	}
}
