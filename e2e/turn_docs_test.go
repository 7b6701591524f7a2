package e2e

import (
	"os"
	"strings"
	"testing"

	"sluice/config"
)

// TestNetworkPages reads every configuration of the pages on networks and TURN: none has a fault, nor a key that does
// nothing. What a block leaves out is as `gateway init` writes it.
//
// Proves G12 of its page.
func TestNetworkPages(t *testing.T) {
	for _, page := range []string{"../docs/network.md", turnPage} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := tomlBlock.FindAllStringSubmatch(string(text), -1)
		if len(blocks) < 5 {
			t.Errorf("%s has %d configurations, want some", page, len(blocks))
		}
		for _, b := range blocks {
			block := b[1]
			if !strings.Contains(block, "[auth]") {
				block = "auth.mode = \"internal\"\n" + block
			}
			environ := []string{"TURN_SECRET=" + turnSecret, "TURN_PASSWORD=pass"}
			_, warnings, err := config.Parse([]byte(block), page, environ)
			if err != nil {
				t.Errorf("%s: %v in\n%s", page, err, block)
			}
			for _, w := range warnings {
				if !strings.Contains(w.String(), "auth.users") {
					t.Errorf("%s: %s in\n%s", page, w, block)
				}
			}
		}
	}
}
