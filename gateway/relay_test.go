package gateway

import (
	"testing"

	"sluice/config"
)

// G6: each quota reaches the server; 0 is no limit, where the server would take its default.
func TestRelayQuotas(t *testing.T) {
	g := &Gateway{}
	o := g.relayOptions(config.Config{Turn: config.Turn{UserQuota: 8, IPQuota: 200, TotalQuota: 3000}})
	if o.UserQuota != 8 || o.PerIP != 200 || o.TotalQuota != 3000 {
		t.Errorf("%d, %d, %d", o.UserQuota, o.PerIP, o.TotalQuota)
	}
	o = g.relayOptions(config.Config{})
	if least := 1_000_000; o.UserQuota < least || o.PerIP < least || o.TotalQuota < least {
		t.Errorf("without limits: %d, %d, %d", o.UserQuota, o.PerIP, o.TotalQuota)
	}
}
