package x

// X99
func TestX() {}
