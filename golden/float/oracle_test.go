package float

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// The oracle: the equations of docs/NETWORKS.md one number at a time, with B and gamma as the paper writes them. It shares no
// arithmetic with the model, and no description.
type oracle struct {
	n      *network.Network
	m      map[string][][]float64 // W0, F1, B1, b1, M1 by row
	settle func(r states, q, y []float64, beta float64, iterations int, inference bool)
	update func(x []sampleEnds, beta, scale float64)

	inhibited int // steps of sparse layers that leave their interneuron active
}

// states are those of one sample by layer, the input included.
type states [][]float64

// sampleEnds are the two compared ends of a sample.
type sampleEnds struct{ minus, plus states }

func newOracle(n *network.Network, w weights.Weights) *oracle {
	o := &oracle{n: n, m: map[string][][]float64{}}
	for _, x := range w {
		name, unit := o.name(x.Name)
		rows, _ := x.Dims()
		for i := range rows {
			row := slices.Clone(x.RawRowView(i))
			for j := range row {
				row[j] /= unit
			}
			o.m[name] = append(o.m[name], row)
		}
	}
	if _, ok := n.Own.(*rule.CorInfoMax); ok {
		o.settle, o.update = o.settleCorInfoMax, o.updateCorInfoMax
	} else {
		o.settle, o.update = o.settleEquilibrium, o.updateEquilibrium
	}
	return o
}

// name is what the oracle calls a matrix, and what its values are multiplied by in the model.
func (o *oracle) name(matrix string) (string, float64) {
	if matrix[0] == 'C' {
		return "B" + matrix[1:], o.gamma()
	}
	return matrix, 1
}

func (o *oracle) gamma() float64 {
	own := o.n.Own.(*rule.CorInfoMax)
	return (1 - own.Lambda) / own.Lambda
}

func (o *oracle) at(kind string, k int) [][]float64 { return o.m[fmt.Sprint(kind, k)] }

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// eta is the step size.
func (o *oracle) eta(s int, inference bool) float64 {
	t := o.n.Settling.Step
	switch {
	case inference && t.Inference > 0:
		return t.Inference
	case t.Rule == "divide_by_loop_index":
		return math.Max(t.Start/float64(s+1), t.Stop)
	case t.Rule == "divide_by_slow_loop_index":
		return math.Max(t.Start/(1+float64(s)*t.Decay), t.Stop)
	}
	return t.Start
}

// free is a sample after the free phase, with its interneurons.
func (o *oracle) free(x, y []float64, inference bool) (r states, q []float64) {
	r = states{x}
	for k := 1; k <= o.n.K(); k++ {
		r = append(r, make([]float64, o.n.Layers[k]))
	}
	q = make([]float64, o.n.K()+1)
	o.settle(r, q, y, 0, o.n.Settling.FreeIterations, inference)
	return r, q
}

// learn applies one mini-batch; beta is signed.
func (o *oracle) learn(x, y [][]float64, beta float64) {
	var ends []sampleEnds
	scale := beta
	if o.n.Learning.Contrast != "free" {
		scale *= 2
	}
	nudged := o.n.Settling.NudgedIterations
	for i := range x {
		r, q := o.free(x[i], y[i], false)
		e := sampleEnds{minus: slices.Clone(r)}
		freeR, freeQ := slices.Clone(r), slices.Clone(q)
		o.settle(r, q, y[i], beta, nudged, false)
		e.plus = slices.Clone(r)
		switch o.n.Learning.Contrast {
		case "third":
			o.settle(r, q, y[i], -beta, nudged, false)
			e.minus = r
		case "centred":
			o.settle(freeR, freeQ, y[i], -beta, nudged, false)
			e.minus = freeR
		}
		ends = append(ends, e)
	}
	o.update(ends, beta, scale)
}

// change is m + mu / (scale N) (sum of f of the plus ends less that of the minus ends), element by element.
func (o *oracle) change(kind string, k int, mu, scale float64, ends []sampleEnds, f func(m [][]float64, r states, i, j int) float64) [][]float64 {
	m := o.at(kind, k)
	next := make([][]float64, len(m))
	for i := range m {
		next[i] = slices.Clone(m[i])
		for j := range m[i] {
			sum := 0.0
			for _, e := range ends {
				sum += f(m, e.plus, i, j) - f(m, e.minus, i, j)
			}
			next[i][j] += mu / (scale * float64(len(ends))) * sum
		}
	}
	return next
}

// settleCorInfoMax settles one sample in place; q are the states of the interneurons by layer.
func (o *oracle) settleCorInfoMax(r states, q, y []float64, beta float64, iterations int, inference bool) {
	own, K, g := o.n.Own.(*rule.CorInfoMax), o.n.K(), o.n.Own.(*rule.CorInfoMax).Leak
	gamma := o.gamma()
	u, qu := make([][]float64, K+1), slices.Clone(q)
	for k := range u {
		u[k] = slices.Clone(r[k])
	}
	for s := range iterations {
		eta := o.eta(s, inference)
		for k := 1; k <= K; k++ {
			next := slices.Clone(r[k])
			at := slices.Index(own.Sparse.Layers, k)
			sum := 0.0
			for i := range next {
				basal := dot(o.at("W", k-1)[i], r[k-1])
				br := 0.0
				if own.Lateral {
					br = dot(o.at("B", k)[i], r[k])
				}
				v := u[k][i]
				var du float64
				if k < K {
					apical := own.Epsilon*(2*gamma*br+g*r[k][i]) + dot(o.at("F", k)[i], r[k+1])
					if at >= 0 {
						apical -= own.Epsilon * q[k]
					}
					du = -g*v + (basal-v)/own.Epsilon + (apical-v)/own.Epsilon
				} else {
					apical := gamma*br + g*r[k][i] - beta*(r[k][i]-y[i])
					if at >= 0 {
						apical -= q[k]
					}
					du = -g*v + (basal-v)/own.Epsilon + (apical - v)
				}
				v += eta * du
				u[k][i] = v
				next[i] = math.Max(0, v)
				if at < 0 {
					next[i] = math.Min(1, next[i])
				}
				sum += next[i]
			}
			r[k] = next
			if at >= 0 {
				qu[k] += own.Sparse.Nu[at] * (-qu[k] + sum - 1 + q[k])
				q[k] = math.Max(qu[k], 0)
				if q[k] > 0 {
					o.inhibited++
				}
			}
		}
	}
}

func (o *oracle) updateCorInfoMax(ends []sampleEnds, beta, scale float64) {
	own, next := o.n.Own.(*rule.CorInfoMax), map[string][][]float64{}
	// error is (r_post - M r_pre) r_pre' at (i, j).
	error := func(post, pre int) func(m [][]float64, r states, i, j int) float64 {
		return func(m [][]float64, r states, i, j int) float64 { return (r[post][i] - dot(m[i], r[pre])) * r[pre][j] }
	}
	for k := range o.n.K() {
		next[fmt.Sprint("W", k)] = o.change("W", k, o.n.Learning.Feedforward[k], scale, ends, error(k+1, k))
		if k > 0 {
			next[fmt.Sprint("F", k)] = o.change("F", k, o.n.Learning.Feedback[k-1], scale, ends, error(k, k+1))
		}
	}
	for k := 1; k <= o.n.K() && own.Lateral; k++ {
		b := o.at("B", k)
		list := make([][]float64, len(b))
		for i := range list {
			list[i] = slices.Clone(b[i])
			for j := range list[i] {
				sum := 0.0
				for _, e := range ends {
					sum += dot(b[i], e.plus[k]) * dot(b[j], e.plus[k])
				}
				list[i][j] = (list[i][j] - o.gamma()*sum/float64(len(ends))) / own.Lambda
			}
		}
		next[fmt.Sprint("B", k)] = list
	}
	o.m = next
}

// settleEquilibrium is that of equilibrium propagation, and with M that of contrastive similarity matching.
func (o *oracle) settleEquilibrium(r states, _, y []float64, beta float64, iterations int, inference bool) {
	K := o.n.K()
	for s := range iterations {
		old := slices.Clone(r)
		for k := 1; k <= K; k++ {
			r[k] = slices.Clone(old[k])
			for i := range r[k] {
				d := dot(o.at("W", k-1)[i], old[k-1]) + o.at("b", k)[i][0] - old[k][i]
				if k < K {
					for j, above := range old[k+1] {
						d += o.at("W", k)[j][i] * above
					}
					if m := o.at("M", k); m != nil {
						d -= dot(m[i], old[k])
					}
				} else {
					d += 2 * beta * (y[i] - old[k][i])
				}
				r[k][i] = math.Min(math.Max(old[k][i]+o.eta(s, inference)*d, 0), 1)
			}
		}
	}
}

func (o *oracle) updateEquilibrium(ends []sampleEnds, beta, scale float64) {
	next := map[string][][]float64{}
	for k := range o.n.K() {
		mu := o.n.Learning.Feedforward[k]
		next[fmt.Sprint("W", k)] = o.change("W", k, mu, scale, ends, func(_ [][]float64, r states, i, j int) float64 { return r[k+1][i] * r[k][j] })
		next[fmt.Sprint("b", k+1)] = o.change("b", k+1, mu, scale, ends, func(_ [][]float64, r states, i, _ int) float64 { return r[k+1][i] })
	}
	own, _ := o.n.Own.(*rule.CSM)
	for k := 1; k < o.n.K() && own != nil; k++ {
		alpha, m := own.Lateral[k-1], o.at("M", k)
		list := make([][]float64, len(m))
		for i := range m {
			list[i] = slices.Clone(m[i])
			for j := range m[i] {
				sum := 0.0
				for _, e := range ends {
					sum += e.plus[k][i] * e.plus[k][j]
				}
				list[i][j] -= alpha / (2 * beta * float64(len(ends))) * sum
				list[i][j] *= 1 + alpha/(2*math.Abs(beta))
			}
		}
		next[fmt.Sprint("M", k)] = list
	}
	o.m = next
}

// randomOf is goldentest.Random under a rule, with any contrast that it has, with and without lateral synapses.
func randomOf(rng *rand.Rand, name string) *network.Network {
	n := goldentest.Random(rng)
	n.Learning.Contrast = []string{rule.WithFree, rule.WithThird, rule.WithCentred}[rng.IntN(3)]
	if rng.IntN(2) == 0 {
		n.Settling.Step.Inference = 0.1
	}
	if name == n.Rule {
		goldentest.CorInfoMax(n).Lateral = rng.IntN(4) > 0
		return n
	}
	n.Rule, n.Own, n.Learning.Feedback = name, nil, nil
	n.Settling.Step.Start = 0.3
	if name == "csm" {
		own := &rule.CSM{}
		for range n.K() - 1 {
			own.Lateral = append(own.Lateral, -rng.Float64()*n.Learning.Beta)
		}
		n.Own, n.Learning.Contrast = own, rule.WithFree
	}
	return n
}

func newFloat(t testing.TB, n *network.Network, w weights.Weights) *Model[float64] {
	t.Helper()
	m, err := New[float64](n.Describe(), n.Learning.Batch, n.Dataset.Normalize.Inputs(), w)
	require.NoError(t, err)
	return m
}

// numbers are samples as the oracle takes them.
func numbers(n *network.Network, samples [][]uint8, labels []int) (x, y [][]float64) {
	planes := n.Dataset.Normalize
	for i, pixels := range samples {
		values, hot := make([]float64, len(pixels)), make([]float64, n.Layers[n.K()])
		for j, p := range pixels {
			values[j] = float64(p) / 255
			if len(planes.Mean) > 0 {
				plane := j / (len(pixels) / len(planes.Mean))
				values[j] = (values[j] - planes.Mean[plane]) / planes.Deviation[plane]
			}
		}
		hot[labels[i]] = 1
		x, y = append(x, values), append(y, hot)
	}
	return x, y
}

// TestFloatAgainstOracle covers what the trajectories lack: states at both ends of their range, one to four layers above the
// input, beta of any size, every contrast, sparse layers whose interneuron is active, no lateral synapses.
func TestFloatAgainstOracle(t *testing.T) {
	for _, r := range rule.Rules {
		t.Run(r.Name, func(t *testing.T) {
			seed := goldentest.Seed(t)
			atEnds, inhibited, contrasts := [2]int{}, 0, map[string]bool{}
			for trial := range 60 {
				rng := rand.New(rand.NewPCG(seed, uint64(trial)))
				n := randomOf(rng, r.Name)
				contrasts[n.Learning.Contrast] = true
				if rng.IntN(3) == 0 { // inputs on both sides of zero
					n.Layers[0] *= 3
					n.Dataset.Normalize = dataset.Normalize{Mean: []float64{0.4, 0.5, 0.6}, Deviation: []float64{0.6, 0.5, 0.7}}
				}
				w := weights.Initial(n.Describe(), rng.Uint32())
				for _, x := range w {
					if x.Name[0] == 'W' {
						x.Scale(3, x.Dense) // states reach 1 too
					}
				}
				m, o := newFloat(t, n, w), newOracle(n, w)
				for batch := range 3 {
					samples, labels := goldentest.Samples(rng, n, n.Learning.Batch)
					x, y := numbers(n, samples, labels)
					negative := rng.IntN(2) == 0
					m.Learn(samples, labels, negative)
					beta := n.Learning.Beta
					if negative {
						beta = -beta
					}
					o.learn(x, y, beta)
					got := m.Weights()
					require.Len(t, got, len(o.m))
					for _, x := range got {
						name, unit := o.name(x.Name)
						sameMatrix(t, fmt.Sprintf("trial %d %v batch %d: %s", trial, n.Layers, batch, name), x.Dense, o.m[name], unit)
					}
					for k := 1; k <= n.K(); k++ {
						for i := range samples {
							for _, v := range m.learning.words[m.d.States[k]].Row(i) {
								if v == 0 || v == 1 {
									atEnds[int(v)]++
								}
							}
						}
					}
				}
				inhibited += o.inhibited
			}
			if atEnds[0] == 0 || atEnds[1] == 0 {
				t.Errorf("%d states at 0, %d at 1; both ends are to be covered", atEnds[0], atEnds[1])
			}
			require.Equal(t, r.Name == "csm", len(contrasts) < 3)
			require.Equal(t, r.Name == "corinfomax", inhibited > 0)
		})
	}
}

func sameMatrix(t *testing.T, what string, got *mat.Dense, want [][]float64, unit float64) {
	t.Helper()
	for i, row := range want {
		for j, w := range row {
			if v := got.At(i, j) / unit; !(math.Abs(v-w) <= 1e-9*(1+math.Abs(w))) {
				t.Fatalf("%s row %d column %d: got %v, want %v", what, i, j, v, w)
			}
		}
	}
}

// TestFloatStates holds the states of more samples than a block against the oracle's.
func TestFloatStates(t *testing.T) {
	for _, r := range rule.Rules {
		rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
		n := randomOf(rng, r.Name)
		n.Settling.Step.Inference = 0.07
		samples, labels := goldentest.Samples(rng, n, classifyRows+5)
		w := weights.Initial(n.Describe(), 7)
		got, o := newFloat(t, n, w).States(samples), newOracle(n, w)
		x, y := numbers(n, samples, labels)
		for i := range samples {
			want, _ := o.free(x[i], y[i], true)
			for k := range want {
				require.InDeltaSlice(t, want[k], got[k].RawRowView(i), 1e-12, "%s sample %d, r%d", r.Name, i, k)
			}
		}
	}
}
