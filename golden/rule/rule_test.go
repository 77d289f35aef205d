package rule

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyDescription calls f with descriptions of every rule with every optimizer, activation and loss, of one to three layers.
func everyDescription(t *testing.T, f func(what string, s *Settings, d *Description)) {
	t.Helper()
	for _, r := range Rules {
		for depth := 1; depth <= 3; depth++ {
			for _, kind := range []string{SGD, Momentum, Adam} {
				for _, activation := range Activations {
					for _, loss := range []string{MSE, CrossEntropy} {
						s := &Settings{Layers: []int{9, 7, 6, 4}[3-depth:], Own: r.Own(),
							Settling: Settling{FreeIterations: 4, NudgedIterations: 3, Step: StepSize{Rule: "constant", Start: 0.1}},
							Learning: Learning{Batch: 3, Beta: 0.5, Contrast: WithFree, Decay: Decay{Factor: 0.5}, Optimizer: DefaultOptimizer()}}
						s.Learning.Optimizer.Kind = kind
						if kind != Adam {
							s.Learning.Optimizer.WeightDecay = 0.01
						}
						for k := range depth {
							s.Learning.Feedforward = append(s.Learning.Feedforward, 0.1/float64(k+1))
						}
						s.Learning.Feedback = s.Learning.Feedforward[1:]
						if loss == MSE { // one for all
							s.Learning.Feedforward = s.Learning.Feedforward[:1]
						}
						switch own := s.Own.(type) {
						case *CorInfoMax:
							own.Epsilon, own.Lambda, own.Leak = 0.15, 0.99, 0.5
							own.Sparse = Sparse{Layers: []int{depth}, Nu: []float64{0.1}}
						case *CSM:
							for range depth - 1 {
								own.Lateral = append(own.Lateral, -0.1)
							}
						case *PC:
							own.Activation = activation
						case *PCNudge:
							own.Activation = activation
						case *Backprop:
							own.Activation, own.Loss = activation, loss
						}
						if r.Lacks("learning.feedback") {
							s.Learning.Feedback = nil
						}
						what := fmt.Sprintf("%s of %d layers, %s, %s, %s", r.Name, depth, kind, activation, loss)
						r.Check(s, func(path, format string, args ...any) { t.Errorf(what+": "+path+": "+format, args...) })
						f(what, s, r.Describe(s))
					}
				}
			}
		}
	}
}

// TestDescriptions: names are those of one thing, and what a formula names is there.
func TestDescriptions(t *testing.T) {
	everyDescription(t, func(what string, s *Settings, d *Description) {
		unique := map[string]bool{}
		once := func(kind, name string) {
			require.False(t, unique[kind+name], "%s: two of %s %s", what, kind, name)
			unique[kind+name] = true
		}
		for _, x := range d.Tensors {
			once("tensor", x.String())
		}
		for _, x := range d.Words {
			once("word", fmt.Sprint(x.Name, x.Layer))
		}
		for _, x := range d.Projections {
			once("projection", x.Name)
		}
		graph := func(g *Graph, layer int) {
			for _, n := range g.Nodes {
				switch {
				case n.Op == OpRound || n.Op == OpDivide || n.Op == OpRoot:
					require.GreaterOrEqual(t, d.Tensor(n.Name, layer), 0, "%s: %s of layer %d has no tensor %s", what, g.Name, layer, n.Name)
				case n.Op == OpOperand && slices.Contains([]Source{FromWord, FromEarlier, FromTotal, FromLargest}, n.Source):
					require.GreaterOrEqual(t, d.Word(n.Name, layer), 0, "%s: %s of layer %d has no word %s", what, g.Name, layer, n.Name)
				case n.Op == OpOperand && n.Source == FromSum:
					require.GreaterOrEqual(t, d.Sum(n.Name, layer), 0, "%s: %s of layer %d has no sum %s", what, g.Name, layer, n.Name)
				}
			}
			for _, c := range g.Constants {
				if c.Tensor != "" {
					require.GreaterOrEqual(t, d.Tensor(c.Tensor, layer), 0, "%s: %s has no tensor %s", what, g.Name, c.Tensor)
				}
			}
			for _, word := range append(slices.Clone(g.Watched), g.Guarded...) {
				require.True(t, slices.ContainsFunc(g.Results, func(x Next) bool { return x.Word == word }), "%s: %s watches %s, no result", what, g.Name, word)
			}
		}
		for _, x := range d.Steps {
			graph(x.Graph, x.Layer)
			for _, next := range x.Graph.Results {
				w := d.Word(next.Word, x.Layer)
				require.GreaterOrEqual(t, w, 0, "%s: %s makes no word %s", what, x.Name, next.Word)
				require.Equal(t, x.Shared, d.Words[w].Shared, "%s: %s makes %s", what, x.Name, next.Word)
			}
		}
		for _, x := range d.Factors {
			if x.Graph != nil {
				graph(x.Graph, x.Layer)
			}
		}
		for i := range d.Updates {
			u := &d.Updates[i]
			p := &d.Projections[u.Projection]
			graph(u.Graph, d.Tensors[p.Tensor].Index)
			require.Less(t, p.Mirror, 0, "%s: %s learns what it mirrors", what, p.Name)
			require.NotEmpty(t, d.SumOf(u), "%s: %s", what, p.Name)
			results := []string{"w"}
			for _, x := range p.Words {
				results = append(results, x.Name)
				require.Equal(t, OfBeside, d.Tensors[p.Beside(x.Name)].Use)
			}
			var got []string
			for _, next := range u.Graph.Results {
				got = append(got, next.Word)
			}
			require.Equal(t, results, got, "%s: results of %s", what, p.Name)
			require.Equal(t, p.Tensor, p.Beside("w"))
		}
	})
}

// TestOptimizers: what learns by the optimizer keeps its words, plain descent is one product of matrices with the rate and the decay
// of the weights, and all learning rates fall by the schedule alone.
func TestOptimizers(t *testing.T) {
	everyDescription(t, func(what string, s *Settings, d *Description) {
		o, words := s.Learning.Optimizer, 0
		for i := range d.Updates {
			u := &d.Updates[i]
			p := d.Projections[u.Projection]
			if p.Symmetric {
				require.Empty(t, p.Words)
				continue
			}
			require.Len(t, p.Words, map[string]int{Momentum: 1, Adam: 2}[o.Kind], what)
			words += p.Rows * p.Cols * len(p.Words)
			require.True(t, u.Always, "%s: its words change, or it decays, without products", what)
			for _, epoch := range []int{0, 2} {
				at := Moment{Epoch: epoch}
				k := d.Tensors[p.Tensor].Index
				if p.Name[0] == 'b' { // that of the W below
					k--
				}
				rates := s.Learning.Feedforward
				if p.Name[0] == 'F' {
					rates, k = s.Learning.Feedback, k-1
				}
				mu := rates[min(k, len(rates)-1)]
				fallen := mu * s.Learning.Decay.At(at)
				require.Equal(t, fallen, u.Rate(at), "%s: %s", what, p.Name)
				of, by, linear := u.Linear(at)
				require.Equal(t, o.Kind == SGD, linear, "%s: %s", what, p.Name)
				if linear {
					require.InDelta(t, 1-fallen*o.WeightDecay, of, 1e-15, "%s: %s", what, p.Name)
					require.Positive(t, by)
				}
			}
		}
		require.Equal(t, d.Synapses()+words, d.SynapseWords())
	})
	plain := &Settings{Layers: []int{3, 2}, Own: Named("bp").Own(), Learning: Learning{Batch: 3, Feedforward: []float64{0.1}, Decay: Decay{Factor: 1}}}
	d := Named("bp").Describe(plain)
	require.False(t, d.Updates[0].Always, "plain descent without products changes nothing")
	of, by, linear := d.Updates[0].Linear(Moment{})
	require.True(t, linear)
	require.Equal(t, 1.0, of)
	require.InDelta(t, 0.1*2/(3*2), by, 1e-15)
}

// TestScheduled: a constant of an update that may be another in every mini-batch says so, by mini-batches or by epochs.
func TestScheduled(t *testing.T) {
	everyDescription(t, func(what string, s *Settings, _ *Description) {
		for _, decay := range []Decay{{Factor: 0.5}, {Factor: 0.5, Batches: 2}} {
			s.Learning.Decay = decay
			name := strings.Fields(what)[0]
			changes := 0
			d := Named(name).Describe(s)
			for i := range d.Updates {
				g := d.Updates[i].Graph
				for _, c := range g.Constants {
					changed := false
					for update := range 7 {
						changed = changed || c.At(Moment{Update: update}) != c.At(Moment{})
					}
					if changed {
						changes++
						require.True(t, c.Scheduled, "%s: %s of %s", what, c.Name, d.SumOf(&d.Updates[i]))
					}
				}
			}
			require.Equal(t, decay.Batches > 0 || s.Learning.Optimizer.Kind == Adam, changes > 0, what)
		}
	})
}

func TestUses(t *testing.T) {
	for kind, want := range map[string][]string{
		SGD:      {"kind", "weight_decay"},
		Momentum: {"kind", "momentum", "weight_decay"},
		Adam:     {"kind", "beta1", "beta2", "epsilon", "plain_root"},
	} {
		o := Optimizer{Kind: kind}
		var got []string
		for _, key := range []string{"kind", "momentum", "weight_decay", "beta1", "beta2", "epsilon", "plain_root"} {
			if o.Uses(key) {
				got = append(got, key)
			}
		}
		require.Equal(t, want, got, kind)
	}
}

// TestLacks: what is within a section goes with it, what only begins like it does not.
func TestLacks(t *testing.T) {
	r := Rule{Not: []string{"settling", "learning.beta"}}
	for path, want := range map[string]bool{"settling": true, "settling.step.rule": true, "settlings": false, "learning": false, "learning.beta": true, "learning.beta1": false} {
		require.Equal(t, want, r.Lacks(path), path)
	}
	require.Nil(t, Named("hebbian"))
	require.Len(t, Names(), len(Rules))
}

// TestActivations: activations and their derivatives in real numbers, at the ends of their pieces too.
func TestActivations(t *testing.T) {
	at := []float64{-2, 0, 0.25, 1, 3}
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	values := map[string][2][]float64{
		"linear":       {at, {1, 1, 1, 1, 1}},
		"relu":         {{0, 0, 0.25, 1, 3}, {0, 0, 1, 1, 1}},
		"hard_sigmoid": {{0, 0, 0.25, 1, 1}, {0, 0, 1, 0, 0}},
		"sigmoid":      {},
	}
	require.Len(t, values, len(Activations))
	for _, name := range Activations {
		for i, v := range at {
			f, slope := sigmoid(v), sigmoid(v)*(1-sigmoid(v))
			if name != "sigmoid" {
				f, slope = values[name][0][i], values[name][1][i]
			}
			g := &Graph{Name: name}
			activity := g.activate(name, g.Word("v"))
			scaled := g.slope(name, activity, g.Word("error"))
			got := evaluated(g, map[string]float64{"v": v, "error": -0.5})
			require.Equal(t, f, got[activity], "%s of %v", name, v)
			require.InDelta(t, -0.5*slope, got[scaled], 1e-16, "slope of %s at %v", name, v)
		}
		require.Equal(t, 15, activity(name).Width, "with a sign, its changes are words of 16 bits")
	}
	require.PanicsWithValue(t, `rule: no activation "tanh"`, func() { new(Graph).activate("tanh", 0) })
}

// evaluated are the values of a formula of words.
func evaluated(g *Graph, words map[string]float64) []float64 {
	values := make([]float64, len(g.Nodes))
	for i, n := range g.Nodes {
		arg := func(k int) float64 { return values[n.Args[k]] }
		switch n.Op {
		case OpOperand:
			values[i] = words[n.Name]
		case OpLiteral:
			values[i] = float64(n.Literal)
		case OpSub:
			values[i] = arg(0) - arg(1)
		case OpMul:
			values[i] = arg(0) * arg(1)
		case OpClip:
			values[i] = min(max(arg(0), 0), 1)
		case OpRelu:
			values[i] = max(arg(0), 0)
		case OpNonZero:
			if arg(0) != 0 {
				values[i] = 1
			}
		case OpFunction:
			values[i] = n.Function.At(arg(0))
		case OpRound:
			values[i] = arg(0)
		default:
			panic(fmt.Sprint("operation ", n.Op))
		}
	}
	return values
}
