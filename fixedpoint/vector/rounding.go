package vector

import "math"

// Rounding brings values into a format: (v + Addend + (v>>Sign & Mask)) >> Drop, or what takes its place outside the limits. What is
// added for random words is random>>Down<<Up instead. The kernels rely on its layout.
type Rounding struct {
	Drop     uint64
	Addend   int64
	Sign     uint64
	Mask     int64 // 0: the same is added to all values
	Down, Up uint64
	Limits
}

// Limits are a range of results and what takes the place of those outside.
type Limits struct{ Lo, Hi, Below, Above int64 }

// Exact leaves values as they are.
var Exact = &Rounding{Limits: Limits{Lo: math.MinInt64, Hi: math.MaxInt64}}

// first is what a kernel takes.
func (r *Rounding) first() *uint64 { return &r.Drop }

func (r *Rounding) round(v int64, outside *int64) int64 {
	return r.limit((v+r.Addend+v>>(r.Sign&63)&r.Mask)>>(r.Drop&63), outside)
}

// limit is v or what takes its place.
func (l *Limits) limit(v int64, outside *int64) int64 {
	switch {
	case v < l.Lo:
		*outside++
		return l.Below
	case v > l.Hi:
		*outside++
		return l.Above
	}
	return v
}
