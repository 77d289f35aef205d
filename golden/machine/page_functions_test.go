package machine_test

import (
	"math"
	"math/big"

	fx "corinfo/fixedpoint"
)

// The section "Functions" of docs/ARITHMETIC.md in rational numbers.

// div is floor(a / b 2^f) 2^-f, and 0 where b is not above 0.
func div(a, b *big.Rat, f int) *big.Rat {
	if b.Sign() <= 0 {
		return rat(0)
	}
	return times(floor(times(new(big.Rat).Quo(a, b), power(f))), power(-f))
}

// sqrt is floor(sqrt(a) 2^f) 2^-f, and 0 where a is below 0.
func sqrt(a *big.Rat, f int) *big.Rat {
	if a.Sign() < 0 {
		return rat(0)
	}
	// The root of an integer's floor is the floor of the root.
	square := floor(times(a, power(2*f))).Num()
	return times(new(big.Rat).SetInt(new(big.Int).Sqrt(square)), power(-f))
}

// table is the interpolation of a function between entries of 17 fraction bits; their float64 values are never so near to a tie
// that they round another way.
func table(function func(float64) float64, L int64, s, p int, a *big.Rat) *big.Rat {
	entry := func(i *big.Rat) *big.Rat {
		at, _ := plus(rat(L), times(i, power(-p))).Float64()
		v := new(big.Rat).SetFloat64(function(at))
		return times(floor(plus(times(v, power(17)), big.NewRat(1, 2))), power(-17))
	}
	x := minus(a, rat(L))
	if x.Sign() < 0 {
		x = rat(0)
	}
	if x.Cmp(power(s)) > 0 {
		x = power(s)
	}
	i := floor(times(x, power(p)))
	if last := minus(power(s+p), rat(1)); i.Cmp(last) > 0 {
		i = last
	}
	low, high := entry(i), entry(plus(i, rat(1)))
	return plus(low, times(minus(high, low), times(minus(x, times(i, power(-p))), power(p))))
}

func sigmoid(a *big.Rat) *big.Rat {
	return table(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, -8, 4, 5, a)
}

func exponential(a *big.Rat) *big.Rat { return table(math.Exp, -16, 4, 6, a) }

// act is an activation of a value of a format whose largest value that is not above 1 is one.
func act(activation string, v, one *big.Rat) *big.Rat {
	switch activation {
	case "relu":
		if v.Sign() < 0 {
			return rat(0)
		}
	case "hard_sigmoid":
		if v.Sign() < 0 {
			return rat(0)
		}
		if v.Cmp(one) > 0 {
			return one
		}
	case "sigmoid":
		return sigmoid(v)
	}
	return v
}

// slope is v times the derivative of an activation of layer k where it came to f.
func (p *page) slope(activation string, k int, f, v *big.Rat) *big.Rat {
	zero := f.Sign() == 0
	switch {
	case activation == "sigmoid":
		return times(p.into("slope", k, times(f, minus(rat(1), f))), p.into("current", k, v))
	case activation == "relu" && zero, activation == "hard_sigmoid" && (zero || f.Cmp(rat(1)) == 0):
		return rat(0)
	}
	return v
}

// one is the largest value of a type that is not above 1.
func one(t fx.Type) *big.Rat {
	most := power(t.Width)
	if t.Signed {
		most = power(t.Width - 1)
	}
	most = times(minus(most, rat(1)), power(-t.Frac))
	if below := times(floor(power(t.Frac)), power(-t.Frac)); below.Cmp(most) < 0 {
		return below
	}
	return most
}
