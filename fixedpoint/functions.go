package fixedpoint

import (
	"crypto/sha256"
	"fmt"
	"math/big"
)

// DivFormat is the format of floor(a / b) to frac fraction bits: it holds the largest a by the smallest b above 0.
// A signed one has two bits at least.
func DivFormat(a, b Format, frac int) Format {
	f := build(a.integer()+b.Frac, frac, a.Signed)
	if f.Signed {
		f.Width = max(f.Width, 2)
	}
	return f
}

// SqrtFormat is the format of floor(sqrt(a)) to frac fraction bits.
func SqrtFormat(a Format, frac int) Format {
	return build((a.integer()+1)>>1, frac, false) // the shift rounds down below 0 too
}

// radicand is the format of the integer of which a node's root is taken, without what a root drops.
func (g *Graph) radicand(n *Node) Format {
	a := g.nodes[n.Args[0]].Format
	return Format{max(a.Width+2*n.Format.Frac-a.Frac, 1), 2 * n.Format.Frac, a.Signed}
}

// Div is floor(a / b) to frac fraction bits, 0 where b is not above 0.
func (g *Graph) Div(a, b Value, frac int) Value {
	return g.add(Node{Op: OpDiv, Format: DivFormat(g.format(a), g.format(b), frac), Args: []Value{a, b}})
}

// Sqrt is floor(sqrt(a)) to frac fraction bits, unsigned; 0 where a is negative.
func (g *Graph) Sqrt(a Value, frac int) Value {
	return g.add(Node{Op: OpSqrt, Format: SqrtFormat(g.format(a), frac), Args: []Value{a}})
}

// Table is a function of a, limited to the table's domain: linear between the entries, exactly.
func (g *Graph) Table(a Value, t *Table) Value {
	if err := t.check(); err != nil {
		g.fail("%v", err)
	}
	return g.add(Node{Op: OpTable, Format: t.Of(g.format(a)), Args: []Value{a}, Table: t})
}

// Table is a function on [Low, Low + 2^Log2Size], a line in each of its segments of 2^-Step. Nothing changes it once a
// graph has it.
type Table struct {
	Name     string
	Low      int // the lower end of the domain, a whole number
	Log2Size int
	Step     int
	Format   Format  // of the entries
	Entries  []int64 // the words at the ends of the segments, one more than there are segments
}

// Ranges of a table's fields: a segment lies at whole numbers of its width, and a ROM holds the entries.
const (
	maxLow      = 1 << 20
	maxSegments = 16 // logarithm
)

// Segments is the number of segments.
func (t *Table) Segments() int { return 1 << (t.Log2Size + t.Step) }

// Of is the format of the values at arguments of a format: the entries', and the fraction bits that the argument has
// beyond those of the ends of segments. Values lie between entries, so that no more bits are needed in front.
func (t *Table) Of(a Format) Format {
	more := max(a.Frac-t.Step, 0)
	return Format{t.Format.Width + more, t.Format.Frac + more, t.Format.Signed}
}

// argument is the format of an argument as it is compared with the ends of segments: at its own binary point, or at
// theirs if it has fewer fraction bits.
func (t *Table) argument(a Format) Format {
	frac := max(a.Frac, t.Step)
	return Format{a.Width + frac - a.Frac, frac, a.Signed}
}

// check tells what is wrong with a table.
func (t *Table) check() error {
	switch segments := t.Log2Size + t.Step; {
	case t.Low < -maxLow || t.Low > maxLow:
		return fmt.Errorf("table %s: low end %d; want -%d to %d", t.Name, t.Low, maxLow, maxLow)
	case t.Step < 0 || t.Log2Size < -maxSegments || segments < 0 || segments > maxSegments:
		return fmt.Errorf("table %s: size 2^%d in steps of 2^-%d; want steps of 1 or less, 1 to %d of them",
			t.Name, t.Log2Size, t.Step, 1<<maxSegments)
	case t.Format.Check() != nil || t.Format.Width > MaxWord:
		return fmt.Errorf("table %s: entries of %v; want 1 to %d bits", t.Name, t.Format, MaxWord)
	case len(t.Entries) != t.Segments()+1:
		return fmt.Errorf("table %s: %d entries; want %d", t.Name, len(t.Entries), t.Segments()+1)
	}
	for i, w := range t.Entries {
		if v := t.Format.Int(w); !t.Format.Contains(v) || t.Format.Word(v) != w {
			return fmt.Errorf("table %s: entry %d is %d: no word of %v", t.Name, i, w, t.Format)
		}
	}
	return nil
}

// String tells tables apart, by their contents.
func (t *Table) String() string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%s[%d,%d,%d] %v %x", t.Name, t.Low, t.Log2Size, t.Step, t.Format, sha256.Sum256(fmt.Append(nil, t.Entries)))
}

// At is the raw value, in the format that Of gives, at an argument of a format.
func (t *Table) At(v Int, a Format) Int {
	frac := max(a.Frac, t.Step)
	part := frac - t.Step // bits of a place in a segment
	low := NewInt(int64(t.Low)).Shl(frac)
	v = clip(v.Shl(frac-a.Frac), low, low.Add(NewInt(1).Shl(t.Log2Size+frac))).Sub(low)
	index, _ := v.Shr(part).Int64()
	index = min(index, int64(t.Segments()-1)) // the upper end is the last segment's
	place := v.Sub(NewInt(index).Shl(part))
	from, to := t.Format.Int(t.Entries[index]), t.Format.Int(t.Entries[index+1])
	return from.Shl(part).Add(to.Sub(from).Mul(place))
}

// TableError is the panic value of a table that cannot be made: the caller's mistake.
type TableError struct{ Table, Problem string }

func (e TableError) Error() string { return "fixedpoint: table " + e.Table + ": " + e.Problem }

// NewTable makes a table of a function: its values at the ends of the segments, rounded to the nearest word, ties up.
// f is off by at most 2^-precision times the larger of 1 and its value; it is asked for more precision until the
// rounding is certain.
func NewTable(name string, low, log2size, step int, format Format, f func(x *big.Float, precision uint) *big.Float) *Table {
	t := &Table{Name: name, Low: low, Log2Size: log2size, Step: step, Format: format, Entries: []int64{0}}
	if log2size+step >= 0 && log2size+step <= maxSegments {
		t.Entries = make([]int64, t.Segments()+1)
	}
	if err := t.check(); err != nil {
		panic(TableError{name, err.Error()})
	}
	for i := range t.Entries {
		x := new(big.Float).SetInt64(int64(low)<<step + int64(i))
		x.SetMantExp(x, -step)
		v, ok := FromBig(nearest(x, format.Frac, f))
		if !ok || !format.Contains(v) {
			panic(TableError{name, fmt.Sprintf("the value at %v is no word of %v", x, format)})
		}
		t.Entries[i] = format.Word(v)
	}
	return t
}

// tie is the precision at which a value that may still be rounded either way is taken for one half between two words.
const tie = 1 << 12

// nearest is f(x) in units of 2^-frac, rounded to the nearest integer, ties up.
func nearest(x *big.Float, frac int, f func(x *big.Float, precision uint) *big.Float) *big.Int {
	for precision := uint(64); ; precision *= 2 {
		y := f(x, precision)
		// The error in units, then both ends of where the value may lie.
		off := new(big.Float).SetMantExp(big.NewFloat(1), max(y.MantExp(nil), 0)+frac-int(precision))
		exact := new(big.Float).SetPrec(2*tie + uint(max(frac, -frac)))
		y = exact.SetMantExp(exact.Set(y), frac)
		below, above := roundUp(y, off, -1), roundUp(y, off, 1)
		if below.Cmp(above) == 0 || precision >= tie {
			return above
		}
	}
}

// roundUp is floor(y + sign off + 1/2).
func roundUp(y, off *big.Float, sign int) *big.Int {
	z := new(big.Float).SetPrec(y.Prec()).Add(y, big.NewFloat(0.5))
	if sign < 0 {
		z.Sub(z, off)
	} else {
		z.Add(z, off)
	}
	whole, accuracy := z.Int(nil) // towards 0
	if accuracy == big.Above {
		whole.Sub(whole, big.NewInt(1))
	}
	return whole
}
