package turn

import (
	"math"
	"sync/atomic"
	"time"
)

// bucket is a token bucket of bytes that any number of goroutines take from without a lock: it keeps only the time
// at which it would be full again. The zero bucket has no limit.
type bucket struct {
	perByte atomic.Uint64 // nanoseconds, as the bits of a float64
	full    atomic.Int64
}

// burst is what a full bucket holds, in time at its rate: a keyframe passes at once.
const burst = time.Second

func (b *bucket) limit(bytesPerSecond int) {
	perByte := 0.0
	if bytesPerSecond > 0 {
		perByte = float64(time.Second) / float64(bytesPerSecond)
	}
	b.perByte.Store(math.Float64bits(perByte))
}

// take returns false if the bucket has fewer than n bytes at the time now, which is any one clock's nanoseconds.
func (b *bucket) take(n int, now int64) bool {
	perByte := math.Float64frombits(b.perByte.Load())
	if perByte == 0 {
		return true
	}
	cost := int64(float64(n) * perByte)
	for {
		full := b.full.Load()
		next := max(full, now) + cost
		if next-now > int64(burst) {
			return false
		}
		if b.full.CompareAndSwap(full, next) {
			return true
		}
	}
}
