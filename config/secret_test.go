package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// I40: however a configuration is printed, its tokens are not.
func TestSecretsAreNotPrinted(t *testing.T) {
	c := Default()
	c.WebRTC.ICEServers = []ICEServer{{URLs: []string{"turn:a"}, Username: "u", Credential: "hunter2"}}
	c.Streams = map[string]Stream{"a": {Token: "hunter2", Push: []Push{{Token: "hunter2"}}}}
	c.Turn.Secret, c.Auth.JWT.Secret = "hunter2", "hunter2"
	c.Auth.Users = []User{{Password: "hunter2", Tokens: []Secret{"hunter2"}}}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("all", "config", c, "token", c.Streams["a"].Token)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", c), "%x": fmt.Sprintf("%x", c.Streams["a"].Token),
		"slog": logged.String(), "json": string(asJSON),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("%s shows a secret: %s", name, text)
		}
		if name != "%x" && !strings.Contains(text, "***") {
			t.Errorf("%s shows no mask: %s", name, text)
		}
	}
	if Secret("").String() != "" {
		t.Error("an empty secret is masked")
	}
}

func TestCheckToken(t *testing.T) {
	for token, ok := range map[Secret]bool{"": true, "abc.DEF-_~+/==": true, "a?b=c": true, "a b": false, "a\n": false, "ä": false, "\x7f": false} {
		if message := checkToken(token); ok != (message == "") {
			t.Errorf("%q: %q", string(token), message)
		}
	}
}
