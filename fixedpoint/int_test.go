package fixedpoint

import (
	"math"
	"math/big"
	"testing"
)

// TestInt holds Int against math/big, modulo 2^256 where that is the contract.
func TestInt(t *testing.T) {
	rng := random(t)
	wrap := func(x *big.Int) *big.Int {
		half := new(big.Int).Lsh(big.NewInt(1), MaxWidth-1)
		x = new(big.Int).Mod(new(big.Int).Add(x, half), new(big.Int).Lsh(half, 1))
		return x.Sub(x, half)
	}
	for range 20_000 {
		x, y, n := randomInt(rng), randomInt(rng), rng.IntN(300)
		a, b := x.Big(), y.Big()
		for _, c := range []struct {
			name string
			got  Int
			want *big.Int
		}{
			{"add", x.Add(y), new(big.Int).Add(a, b)},
			{"sub", x.Sub(y), new(big.Int).Sub(a, b)},
			{"mul", x.Mul(y), new(big.Int).Mul(a, b)},
			{"neg", x.Neg(), new(big.Int).Neg(a)},
			{"shl", x.Shl(n), new(big.Int).Lsh(a, uint(n))},
			{"shr", x.Shr(n), new(big.Int).Rsh(a, uint(n))},
		} {
			if want := wrap(c.want); c.got.Big().Cmp(want) != 0 {
				t.Fatalf("%s of %v and %v or %d: got %v, want %v", c.name, a, b, n, c.got, want)
			}
		}
		if x.Cmp(y) != a.Cmp(b) || x.Cmp(x) != 0 || x.Sign() != a.Sign() || (x == y) != (a.Cmp(b) == 0) {
			t.Fatalf("order of %v and %v", a, b)
		}
		if want := new(big.Int).And(new(big.Int).Rsh(a, uint(n)), big.NewInt(1)).Uint64(); uint64(x.Bit(n)) != want {
			t.Fatalf("bit %d of %v: got %d, want %d", n, a, x.Bit(n), want)
		}
		if v, ok := x.Int64(); ok != a.IsInt64() || ok && v != a.Int64() {
			t.Fatalf("int64 of %v: got %d %t", a, v, ok)
		}
		if back, ok := FromBig(a); back != x || !ok || x.String() != a.String() {
			t.Fatalf("%v comes back as %v %t, printed %s", a, back, ok, x)
		}
		if _, ok := FromBig(new(big.Int).Lsh(big.NewInt(1), uint(MaxWidth-1+n))); ok {
			t.Fatalf("2^%d fits 256 bits", MaxWidth-1+n)
		}
	}
	for _, v := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		if NewInt(v).Big().Cmp(big.NewInt(v)) != 0 || NewUint(uint64(v)).Big().Cmp(new(big.Int).SetUint64(uint64(v))) != 0 {
			t.Errorf("%d does not come back", v)
		}
	}
}
