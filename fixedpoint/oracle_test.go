package fixedpoint

import (
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// The oracle: rounding and overflow from their definitions, in rational numbers. It shares no arithmetic
// with the package.

func power(n int) *big.Rat {
	p := new(big.Int).Lsh(big.NewInt(1), uint(max(n, -n)))
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), p)
	}
	return new(big.Rat).SetInt(p)
}

func scaled(v *big.Int, exponent int) *big.Rat {
	r := new(big.Rat).SetInt(v)
	return r.Mul(r, power(exponent))
}

// floorOf is the largest integer that is not above x.
func floorOf(x *big.Rat) *big.Int {
	q, r := new(big.Int), new(big.Int)
	q.DivMod(x.Num(), x.Denom(), r) // Euclidean, and the denominator is positive
	return q
}

// oracleRound brings x, a number of last places, to an integer. drop is the number of binary places of x
// that stochastic rounding randomizes.
func oracleRound(x *big.Rat, q Rounding, drop int, random uint32) *big.Int {
	if x.IsInt() {
		return new(big.Int).Set(x.Num())
	}
	below := floorOf(x)
	above := new(big.Int).Add(below, big.NewInt(1))
	switch q {
	case Trn:
		return below
	case TrnZero:
		if x.Sign() < 0 {
			return above
		}
		return below
	case Stochastic:
		// R is made of the top bits of the random word: as many as are dropped, zeros below bit 32.
		r := floorOf(scaled(big.NewInt(int64(random)), drop-32))
		return floorOf(new(big.Rat).Add(x, scaled(r, -drop)))
	}
	down := new(big.Rat).Sub(x, new(big.Rat).SetInt(below))
	up := new(big.Rat).Sub(new(big.Rat).SetInt(above), x)
	if c := down.Cmp(up); c < 0 {
		return below
	} else if c > 0 {
		return above
	}
	switch {
	case q == RndMinInf,
		q == RndZero && below.CmpAbs(above) < 0,
		q == RndInf && below.CmpAbs(above) > 0,
		q == RndConv && below.Bit(0) == 0:
		return below
	}
	return above
}

// oracleLimits is the range of t in which a value is not an overflow.
func oracleLimits(t Type) (low, high *big.Int) {
	one := big.NewInt(1)
	if !t.Signed {
		return new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(one, uint(t.Width)), one)
	}
	end := new(big.Int).Lsh(one, uint(t.Width-1))
	low, high = new(big.Int).Neg(end), new(big.Int).Sub(end, one)
	if t.Overflow == SatSym {
		low.Neg(high)
	}
	return low, high
}

func oracleLimit(raw *big.Int, t Type) (word *big.Int, overflow bool) {
	low, high := oracleLimits(t)
	if raw.Cmp(low) >= 0 && raw.Cmp(high) <= 0 {
		return raw, false
	}
	switch {
	case t.Overflow == SatZero:
		return new(big.Int), true
	case t.Overflow != Wrap && raw.Sign() < 0:
		return low, true
	case t.Overflow != Wrap:
		return high, true
	}
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(t.Width))
	word = new(big.Int).Mod(raw, modulus)
	if t.Signed && word.Cmp(high) > 0 {
		word.Sub(word, modulus)
	}
	return word, true
}

// oracleResize converts the value x, of which frac binary places exist, to t.
func oracleResize(x *big.Rat, frac int, t Type, random uint32) (word *big.Int, overflow bool) {
	places := new(big.Rat).Mul(x, power(t.Frac))
	return oracleLimit(oracleRound(places, t.Rounding, frac-t.Frac, random), t)
}

// pattern is the word that stores an integer: two's complement in 64 bits.
func pattern(v *big.Int) int64 {
	return int64(new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0))).Uint64())
}

// integer is the number that a stored word of f stands for.
func integer(f Format, word int64) *big.Int {
	if !f.Signed {
		return new(big.Int).SetUint64(uint64(word))
	}
	return big.NewInt(word)
}

// random gives a generator and prints its seed; CORINFO_SEED repeats a run.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("CORINFO_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CORINFO_SEED: %v", err)
		}
	}
	t.Logf("CORINFO_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// randomWord is a word of f, often at an end of the range, next to a power of two or on a tie.
func randomWord(rng *rand.Rand, f Format) int64 {
	w := rng.Uint64()
	switch k := rng.IntN(f.Width); rng.IntN(7) {
	case 0:
		w = 1 << (f.Width - 1) // the lowest signed, the middle unsigned
	case 1:
		w = 1<<(f.Width-1) - 1
	case 2:
		w = ^uint64(0)
	case 3:
		w = 0
	case 4:
		w = w>>k<<k | 1<<k>>1 // half of 2^k
	case 5:
		w = 1<<k + uint64(rng.IntN(3)) - 1
	}
	w <<= 64 - f.Width
	if f.Signed {
		return int64(w) >> (64 - f.Width)
	}
	return int64(w >> (64 - f.Width))
}

func randomType(rng *rand.Rand, width int, frac int) Type {
	return Type{Format{width, frac, rng.IntN(2) == 0}, Rounding(rng.IntN(len(roundingNames))), Overflow(rng.IntN(len(overflowNames)))}
}
