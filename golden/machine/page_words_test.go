package machine_test

import (
	"fmt"
	"math/big"

	fx "corinfo/fixedpoint"
)

// The sections "Words" and "Random words" of docs/ARITHMETIC.md in rational numbers.

func rat(n int64) *big.Rat         { return new(big.Rat).SetInt64(n) }
func plus(a, b *big.Rat) *big.Rat  { return new(big.Rat).Add(a, b) }
func minus(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

// power is 2^n.
func power(n int) *big.Rat {
	one := big.NewInt(1)
	if n < 0 {
		return new(big.Rat).SetFrac(one, new(big.Int).Lsh(one, uint(-n)))
	}
	return new(big.Rat).SetInt(new(big.Int).Lsh(one, uint(n)))
}

func floor(x *big.Rat) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Div(x.Num(), x.Denom())) // Euclidean: the denominator is positive
}

func zeros(n int) []*big.Rat {
	v := make([]*big.Rat, n)
	for i := range v {
		v[i] = new(big.Rat)
	}
	return v
}

// word is the raw integer of a value of a type.
func word(t fx.Type, v *big.Rat) int64 {
	raw := times(v, power(t.Frac))
	if !raw.IsInt() || !raw.Num().IsInt64() {
		panic(fmt.Sprintf("%v is not a value of %v", v, t))
	}
	return raw.Num().Int64()
}

// value is what a raw integer of a type stands for.
func value(t fx.Type, raw int64) *big.Rat { return times(rat(raw), power(-t.Frac)) }

// round is the table "Words". frac is the number of fraction bits of the exact value, which matters to
// stochastic rounding alone.
func round(t fx.Type, v *big.Rat, frac int, random uint32) (result *big.Rat, overflow bool) {
	scaled := times(v, power(t.Frac))
	half := big.NewRat(1, 2)
	up := func(x *big.Rat) *big.Rat { return rat(0).Neg(floor(rat(0).Neg(x))) }
	var q *big.Rat
	switch t.Rounding {
	case fx.Trn:
		q = floor(scaled)
	case fx.TrnZero:
		if q = floor(scaled); scaled.Sign() < 0 {
			q = up(scaled)
		}
	case fx.Rnd:
		q = floor(plus(scaled, half))
	case fx.RndMinInf:
		q = up(minus(scaled, half))
	case fx.RndZero:
		if q = up(minus(scaled, half)); scaled.Sign() < 0 {
			q = floor(plus(scaled, half))
		}
	case fx.RndInf:
		if q = floor(plus(scaled, half)); scaled.Sign() < 0 {
			q = up(minus(scaled, half))
		}
	case fx.RndConv:
		q = floor(plus(scaled, half))
		if tie := minus(q, scaled).Cmp(half) == 0; tie && q.Num().Bit(0) == 1 {
			q = minus(q, rat(1))
		}
	case fx.Stochastic:
		if q = floor(scaled); frac > t.Frac {
			d := frac - t.Frac
			R := floor(times(rat(int64(random)), power(d-32))) // in units of the exact value's last place
			q = floor(plus(scaled, times(R, power(-d))))
		}
	}
	low, high := rat(0), minus(power(t.Width), rat(1))
	if t.Signed {
		low, high = rat(0).Neg(power(t.Width-1)), minus(power(t.Width-1), rat(1))
	}
	if t.Signed && t.Overflow == fx.SatSym {
		low = rat(0).Neg(high)
	}
	if q.Cmp(low) < 0 || q.Cmp(high) > 0 {
		overflow = true
		switch t.Overflow {
		case fx.Wrap:
			q = minus(q, times(floor(times(q, power(-t.Width))), power(t.Width)))
			if t.Signed && q.Cmp(power(t.Width-1)) >= 0 {
				q = minus(q, power(t.Width))
			}
		case fx.SatZero:
			q = rat(0)
		default:
			if q.Sign() < 0 {
				q = low
			} else {
				q = high
			}
		}
	}
	return times(q, power(-t.Frac)), overflow
}

// speck is "Random words".
func speck(seed, update uint32, tensor, i, j int) uint32 {
	ror := func(x uint32, n int) uint32 { return (x>>n | x<<(16-n)) & 0xffff }
	k := []uint32{seed & 0xffff}
	l := []uint32{seed >> 16, update & 0xffff, uint32(tensor&0xff)<<8 | update>>16&0xff}
	for m := range uint32(15) {
		l = append(l, (k[m]+ror(l[m], 7))&0xffff^m)
		k = append(k, ror(k[m], 14)^l[m+3])
	}
	x, y := uint32(i), uint32(j)
	for m := 8; m < 16; m++ {
		x = (ror(x, 7)+y)&0xffff ^ k[m]
		y = ror(y, 14) ^ x
	}
	return x*65536 + y
}
