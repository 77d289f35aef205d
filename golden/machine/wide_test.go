package machine_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	fx "corinfo/fixedpoint"
	"corinfo/golden/arithmetic"
	"corinfo/golden/goldentest/reference"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
)

// wideFormats are types so wide that rounding does not show.
func wideFormats(s *rule.Settings) map[string]fx.Type {
	wide := func(bits int, bound float64) fx.Type { return rule.Fit(bits, bound, true) }
	unsigned := func(bits int, bound float64) fx.Type { return rule.Fit(bits, bound, false) }
	N := float64(s.Learning.Batch)
	o, ok := s.Own.(*rule.CorInfoMax)
	switch s.Own.(type) {
	case *rule.PC, *rule.PCNudge, *rule.Backprop:
		return wideErrorFormats(s)
	}
	if !ok {
		return map[string]fx.Type{
			"x": unsigned(28, 1), "r": unsigned(28, 1), "drive": wide(38, 31), "e": wide(30, 3), "W": wide(31, 1.5), "b": wide(31, 1.5), "M": wide(31, 3),
			"dW": wide(40, 3*N), "db": wide(40, 3*N), "dM": wide(40, 3*N), "eta": unsigned(20, 1), "coefficient": wide(40, 3), "rate": unsigned(40, 1), "decay": unsigned(40, 1),
		}
	}
	gamma := (1 - o.Lambda) / o.Lambda
	return map[string]fx.Type{
		"x": unsigned(27, 1), "r": unsigned(27, 1), "u": wide(40, 7), "current": wide(44, 15), "lateral": wide(44, 32*gamma), "drive": wide(44, 15/o.Epsilon),
		"e": wide(30, 3), "d": wide(30, 3), "c": wide(30, 16*gamma), "W": wide(33, 1.5), "F": wide(33, 1.5), "C": wide(32, 8*gamma),
		"dW": wide(40, 3*N), "dF": wide(40, 3*N), "dC": wide(40, 256*gamma*gamma*N),
		"excess": wide(44, 15), "qu": wide(50, 7), "q": unsigned(44, 7), "nu": unsigned(50, 1),
		"eta": unsigned(40, 1), "coefficient": wide(40, 4/o.Epsilon), "rate": unsigned(40, 1), "gamma": unsigned(40, gamma),
	}
}

// wideErrorFormats are those of the rules whose errors go down.
func wideErrorFormats(s *rule.Settings) map[string]fx.Type {
	wide := func(bits int, bound float64) fx.Type { return rule.Fit(bits, bound, true) }
	unsigned := func(bits int, bound float64) fx.Type { return rule.Fit(bits, bound, false) }
	o, sums := s.Learning.Optimizer, 8*float64(s.Learning.Batch)
	formats := map[string]fx.Type{
		"x": unsigned(28, 1), "W": wide(31, 1.5), "b": wide(31, 1.5), "B": wide(31, 1.5),
		"r": wide(44, 7), "f": unsigned(29, 3), "e": wide(28, 7), "kept": wide(28, 7),
		"drive": wide(48, 7), "current": wide(48, 7), "target": wide(40, 1), "beta": wide(50, s.Learning.Beta), "eta": unsigned(40, 1),
		"top": wide(44, 7), "exp": unsigned(40, 1), "norm": unsigned(40, 1),
		"rate": unsigned(40, 4), "momentum": unsigned(40, 1), "shrink": unsigned(40, 1),
		"correction": unsigned(40, 1), "fresh": unsigned(40, 1), "epsilon": unsigned(60, 1e-4),
	}
	if own, ok := s.Own.(*rule.Backprop); ok && own.Activation == "relu" {
		for k := 1; k < len(s.Layers)-1; k++ {
			formats[fmt.Sprint("r", k)] = unsigned(29, 3) // a signal: sums are of 64 bits
		}
	}
	if _, ok := s.Own.(*rule.PCNudge); ok {
		formats["e"] = wide(28, 8*s.Learning.Beta)
	}
	for _, kind := range []string{"W", "b"} {
		formats["d"+kind] = wide(50, sums)
		formats["m"+kind], formats["v"+kind] = wide(50, sums/(1-o.Momentum)), unsigned(63, sums*sums)
		formats["root"+kind], formats["step"+kind] = unsigned(50, sums), wide(50, 15)
	}
	return formats
}

// wideLimit is how near the wide model comes to the float model: tables come as near to their functions as docs/ARITHMETIC.md says.
func wideLimit(s *rule.Settings) float64 {
	switch own := s.Own.(type) {
	case *rule.PC: // the table of sigmoid
		return 1e-4
	case *rule.PCNudge: // what errors lack is divided by beta
		return 1e-6
	case *rule.Backprop:
		if own.Loss == rule.CrossEntropy { // the table of exp
			return 1e-5
		}
	}
	return 1e-7
}

// TestWideMachineIsFloat follows the trajectories of the authors' code with types of 25 and more fraction bits: the bit-true model
// is the float model but for rounding and tables.
func TestWideMachineIsFloat(t *testing.T) {
	for _, x := range reference.All(t, "../float/testdata") {
		t.Run(x.Name, func(t *testing.T) { followTrajectory(t, x) })
	}
}

func followTrajectory(t *testing.T, x *reference.Trajectory) {
	d := x.Describe()
	a, err := arithmetic.New(d, x.Settings.Learning.Batch, wideFormats(x.Settings), pixels())
	require.NoError(t, err)
	m := machine.New(a, 0)
	set(t, m, x.Initial)
	limit := wideLimit(x.Settings)
	worst := 0.0
	compare := func(got, want float64, format string, args ...any) {
		t.Helper()
		diff := math.Abs(got - want)
		worst = max(worst, diff)
		if diff > limit {
			t.Fatalf("%s: got %v, want %v", fmt.Sprintf(format, args...), got, want)
		}
	}
	X := a.Type("x", 0)
	for b, batch := range x.Batches {
		for s, label := range batch.Labels {
			raw := make([]int64, x.Settings.Layers[0])
			for j := range raw {
				raw[j], _, _ = X.FromFloat(batch.X.At(s, j))
				compare(X.Float(raw[j]), batch.X.At(s, j), "batch %d, sample %d, x[%d]", b, s, j)
			}
			var trace machine.Trace
			m.Run(raw, machine.Command{Learn: true, Label: label, Negative: batch.Negative}, &trace)
			// ends are the states that each phase has left, by layer; first those after an iteration, last those at the end.
			ends, first, last := make([][][]int64, len(d.Phases)), make([][]int64, len(d.Layers)), make([][]int64, len(d.Layers))
			for i := range ends {
				ends[i] = make([][]int64, len(d.Layers))
			}
			for _, record := range trace.Records {
				step := d.Steps[record.Step]
				for i, next := range step.Graph.Results {
					if next.Word != "r" {
						continue
					}
					ends[record.Phase][step.Layer], last[step.Layer] = record.Words[i], record.Words[i]
					if record.Phase == 0 && record.Iteration == 0 {
						first[step.Layer] = record.Words[i]
					}
				}
			}
			states := func(when string, got [][]int64, want []*mat.Dense) {
				for k := 1; k < len(want); k++ {
					for i, word := range got[k] {
						if want[k] == nil {
							break
						}
						compare(a.Type("r", k).Float(word), want[k].At(s, i), "batch %d, sample %d, %s r%d[%d]", b, s, when, k, i)
					}
				}
			}
			states("early", first, batch.First)
			states("free", ends[0], batch.Free)
			states("last", last, batch.Last)
		}
		for i, at := range d.Stored() {
			p := d.Projections[at]
			unit := x.Unit(p.Name)
			for row := range p.Rows {
				for col := range p.Cols {
					compare(a.Types[p.Tensor].Float(m.Synapse(at, row, col))/unit, batch.After[i].At(row, col)/unit, "batch %d, %s[%d,%d]", b, p.Name, row, col)
				}
			}
		}
	}
	for name, n := range m.Counts().Overflows {
		if n != 0 {
			t.Errorf("%d overflows of %s", n, name)
		}
	}
	t.Logf("largest difference %.2g", worst)
}
