package fixedpoint

import (
	"math/big"
	"sync"
)

// Exp is e^x to a relative 2^-precision.
func Exp(x *big.Float, precision uint) *big.Float {
	if x.Sign() == 0 {
		return big.NewFloat(1)
	}
	// e^x = (e^(x / 2^halved))^(2^halved), the root's argument below 2^-8; every squaring doubles the relative error.
	halved := max(x.MantExp(nil)+8, 0)
	work := precision + uint(halved) + 32
	number := func() *big.Float { return new(big.Float).SetPrec(work) }
	r := number().SetMantExp(number().Set(x), -halved)
	sum, term := number().SetInt64(1), number().SetInt64(1)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > -int(work); n++ {
		term.Mul(term, r)
		term.Quo(term, number().SetInt64(n))
		sum.Add(sum, term)
	}
	for range halved {
		sum.Mul(sum, sum)
	}
	return sum
}

// Sigmoid is 1 / (1 + e^-x) to a relative 2^-precision.
func Sigmoid(x *big.Float, precision uint) *big.Float {
	e := Exp(new(big.Float).Neg(x), precision+8)
	one := new(big.Float).SetPrec(precision + 8).SetInt64(1)
	sum := new(big.Float).SetPrec(precision+8).Add(one, e)
	return one.Quo(one, sum)
}

// SigmoidTable is the sigmoid on [-8, 8] in segments of 1/32, of 17 bits.
var SigmoidTable = sync.OnceValue(func() *Table { return NewTable("sigmoid", -8, 4, 5, U(17, 17), Sigmoid) })

// ExpTable is e^x on [-16, 0] in segments of 1/64, of 18 bits: the last of them is 1.
var ExpTable = sync.OnceValue(func() *Table { return NewTable("exp", -16, 4, 6, U(18, 17), Exp) })
