package fixedpoint

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFromFloatFast: the short way of FromFloat gives the words of the long one: at ties, next to them, at the ends of the
// range, and at random.
func TestFromFloatFast(t *testing.T) {
	rng := random(t)
	taken := 0
	for range 200_000 {
		x := Type{Format: Format{1 + rng.IntN(52), rng.IntN(60) - 20, rng.IntN(2) == 0}, Rounding: Rnd, Overflow: Sat}
		if x.Signed && x.Width == 1 {
			continue
		}
		v := math.Ldexp(float64(rng.Int64N(1<<uint(x.Width+1))-1<<uint(x.Width))/2, -x.Frac) // words and ties
		switch rng.IntN(4) {
		case 0:
			v = math.Nextafter(v, math.Inf(1))
		case 1:
			v = math.Nextafter(v, math.Inf(-1))
		case 2:
			v *= rng.Float64()
		}
		got, ok := x.nearest(v)
		if !ok {
			continue
		}
		taken++
		mantissa, exponent := math.Frexp(v)
		want, overflow := x.Resize(NewInt(int64(math.Ldexp(mantissa, 53))), 53-exponent, 0)
		require.Equal(t, want, got, "%v in %v", v, x)
		require.False(t, overflow)
	}
	require.Greater(t, taken, 50_000)
}
