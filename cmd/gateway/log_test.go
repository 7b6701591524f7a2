package main

import (
	"strings"
	"testing"

	"sluice/config"
)

// I42: log.addresses says whether the log of the gateway has public addresses whole.
func TestLogAddresses(t *testing.T) {
	for addresses, want := range map[string]string{"full": "remote=203.0.113.7:5000", "short": "remote=203.0.113.x:5000"} {
		c, _, err := config.Parse([]byte("[log]\naddresses = \""+addresses+"\"\n"), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		var out output
		log, _, err := logger(c, "", "", &out)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("viewer", "remote", "203.0.113.7:5000")
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: got %s, want %s", addresses, &out, want)
		}
	}
}
