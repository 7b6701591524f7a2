package door

import "testing"

// X1
func TestOther(t *testing.T) { t.Log(shared) }
