package negotiation

import "testing"

// F3: RFC 6184 Table 5.
func TestTableProfile(t *testing.T) {
	for _, c := range []struct {
		id   string
		want h264Profile
	}{
		{"42e01f", constrainedBaseline},
		{"42E01F", constrainedBaseline},
		{"42c01f", constrainedBaseline},
		{"42401f", constrainedBaseline},
		{"42f00b", constrainedBaseline},
		{"4d801f", constrainedBaseline},
		{"4de01f", constrainedBaseline},
		{"4df028", constrainedBaseline},
		{"58c01f", constrainedBaseline},
		{"58f01f", constrainedBaseline},
		{"42001f", baseline},
		{"428028", baseline},
		{"42a01f", baseline},
		{"58801f", baseline},
		{"58b01f", baseline},
		{"4d001f", mainProfile},
		{"4d401f", mainProfile},
		{"4d5028", mainProfile},
		{"4d201f", ""},
		{"58001f", extended},
		{"58301f", extended},
		{"640028", high},
		{"64001f", high},
		{"640c1f", constrainedHigh},
		{"640C34", constrainedHigh},
		{"64081f", ""},
		{"6e001f", high10},
		{"6e101f", high10Intra},
		{"7a001f", high422},
		{"7a101f", high422Intra},
		{"f4001f", high444},
		{"f4101f", high444Intra},
		{"2c101f", cavlc444Intra},
		{"42081f", ""},
		{"53001f", ""},
		{"000000", ""},
		{"ffffff", ""},
	} {
		id, ok := parseProfileLevelID(c.id)
		if got := tableProfile(id); !ok || got != c.want {
			t.Errorf("%s is %q, want %q", c.id, got, c.want)
		}
	}
}

// F1: flags of an SPS that the table does not know leave its profile_idc.
func TestStreamProfile(t *testing.T) {
	for id, want := range map[string]h264Profile{
		"4d201f": mainProfile, "64081f": high, "640c1f": constrainedHigh, "42081f": baseline, "530000": "",
	} {
		b, _ := parseProfileLevelID(id)
		if got := streamProfile(b); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
}

// J49: what is no profile-level-id is taken for absent.
func TestParseProfileLevelID(t *testing.T) {
	for _, bad := range []string{"", "zz", "42e01", "42e01f0", "ffffff9d", "42c0ffffff9d", "42e0zz", " 42e01f", "0x42e0"} {
		if _, ok := parseProfileLevelID(bad); ok {
			t.Errorf("%q is accepted", bad)
		}
	}
	sdp := replaced(t, "profile-level-id=42e01f", "profile-level-id=ffffff9d")
	f := mustParse(t, sdp, RolePlay).Sections[0].Formats[0]
	if f.param("profile-level-id") != "" || f.FMTP != "packetization-mode=1" {
		t.Errorf("%+v", f)
	}
}
