package study

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
)

// world answers trials by a formula in place of doing them.
type world func(r *Row) *Result

// follow plans until the study is whole, with results arriving in an order of its own, some at a time.
func follow(t *testing.T, s *Study, answer world, rng *rand.Rand) *Plan {
	t.Helper()
	p := newPlanner(s, &datasets{}, "test")
	known := map[string]*Result{}
	for range 10000 {
		plan, err := p.plan(func(key string) *Result { return known[key] })
		require.NoError(t, err)
		if plan.Whole {
			require.Empty(t, plan.Open)
			return plan
		}
		require.NotEmpty(t, plan.Open, "neither whole nor anything to do")
		for _, at := range rng.Perm(len(plan.Open))[:1+rng.IntN(len(plan.Open))] {
			row := plan.Open[at]
			known[row.Key] = answer(row)
		}
	}
	require.Fail(t, "no end")
	return nil
}

// words gives accuracies by the bits of the axes, float 0.95: each axis costs its weight / 2^bits.
func words(s *Study, weights ...float64) world {
	return func(r *Row) *Result {
		if r.Point == nil {
			return &Result{Accuracy: 0.95}
		}
		x := &Result{Accuracy: 0.95}
		for i, v := range r.Point {
			bits, _ := s.Axes[i].Numbers()
			x.Accuracy -= weights[i] / float64(int(1)<<int(bits[v]))
			x.MemoryBits += int(bits[v])
		}
		x.Accuracy -= 1e-6 * float64(r.Seed)
		return x
	}
}

const twoAxes = `kind: learning
epochs: 8
seeds: [0, 1]
axes:
  - {set: [W0.width], values: [2, 3, 4, 5, 6, 7, 8]}
  - {set: [W1.width], values: [2, 3, 4, 5, 6, 7, 8]}
`

// pointsOf are the points in the order of the plan, once each.
func pointsOf(p *Plan) []string {
	var list []string
	for _, r := range p.Rows {
		if name := fmt.Sprint(r.Point); r.Point != nil && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// TestSearches: what each search tries and recommends, whatever the order of results.
func TestSearches(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for _, c := range []struct {
		search      string
		points      int
		first, last string
		recommended Point
	}{
		{"search: {method: grid, max_loss: 1}", 49, "[0 0]", "[6 6]", Point{3, 4}},
		{"search: {method: one-at-a-time, max_loss: 100}", 13, "[0 0]", "[0 6]", Point{0, 0}},
		{"search: {method: random, count: 20, seed: 5, max_loss: 100}", 20, "", "", nil},
		{"search: {method: random, count: 1000, max_loss: 1}", 49, "", "", Point{3, 4}},
		// The loss of W0 = 2^-b / 8, of W1 = 2^-b / 4, of both at most 0.01: alone 4 and 5 bits suffice, but not together.
		{"search: {method: min+1, max_loss: 1}", 1 + 12 + 1 + 2 + 2, "[6 6]", "[3 4]", Point{3, 4}},
		{"search: {method: max-1, max_loss: 1}", 0, "[6 6]", "", Point{3, 4}},
		{"search: {method: min+1, max_loss: 0}", 1, "[6 6]", "[6 6]", nil},
		{"search: {method: max-1, max_loss: 0}", 1, "[6 6]", "[6 6]", nil},
		{"search: {method: max-1, max_loss: 100}", 0, "[6 6]", "[0 0]", Point{0, 0}},
	} {
		t.Run(c.search, func(t *testing.T) {
			s, _ := fixture(t, twoAxes+c.search)
			plan := follow(t, s, words(s, 0.125, 0.25), rng)
			points := pointsOf(plan)
			if c.points > 0 {
				require.Len(t, points, c.points, "%v", points)
			}
			if c.first != "" {
				require.Equal(t, c.first, points[0])
			}
			if c.last != "" {
				require.Equal(t, c.last, points[len(points)-1])
			}
			best := plan.Recommended()
			if c.recommended == nil && c.points != 20 {
				require.Nil(t, best)
			} else if c.recommended != nil {
				require.Equal(t, c.recommended, best.Point)
			}
			for range 3 {
				require.Equal(t, string(plan.CSV()), string(follow(t, s, words(s, 0.125, 0.25), rng).CSV()))
			}
			require.Len(t, plan.Rows, 2*len(points)+2, "two seeds and their float runs")
		})
	}
}

// TestHalving: the better half of the points goes on, twice.
func TestHalving(t *testing.T) {
	s, _ := fixture(t, `kind: learning
epochs: 4
axes: [{set: [W.width], values: [2, 3, 4, 5, 6, 7, 8, 9]}]
search: {method: grid, halving: {epochs: [1, 2]}}
`)
	plan := follow(t, s, words(s, 1), rand.New(rand.NewPCG(goldentest.Seed(t), 0)))
	trained := map[int][]int{}
	for _, r := range plan.Rows {
		if r.Point != nil {
			trained[r.Epochs] = append(trained[r.Epochs], r.Point[0])
			n, err := network.Parse("trial", []byte(r.Trial.Network))
			require.NoError(t, err)
			require.Equal(t, r.Epochs, n.Learning.Epochs)
		}
	}
	for _, points := range trained {
		slices.Sort(points)
	}
	require.Equal(t, map[int][]int{1: {0, 1, 2, 3, 4, 5, 6, 7}, 2: {4, 5, 6, 7}, 4: {6, 7}}, trained)
	require.Len(t, plan.Summaries(), 2)
}

// TestBadTrials: points that are refused or diverge are in the table and are never recommended, nor those whose float run
// diverged.
func TestBadTrials(t *testing.T) {
	s, _ := fixture(t, `kind: inference
axes: [{set: [learning.beta], values: [1, 2]}, {set: [W.width], values: [2, 3, 4]}]
search: {method: grid, max_loss: 1}
`)
	plan := follow(t, s, func(r *Row) *Result {
		switch {
		case r.Point == nil && !floatOf(t, r, 1):
			return &Result{Diverged: true}
		case r.Point == nil:
			return &Result{Accuracy: 0.9}
		case r.Point[1] == 0:
			return &Result{Refused: "why, \"so\"", Accuracy: 0}
		}
		return &Result{Accuracy: 0.9, MemoryBits: 10 * r.Point[1]}
	}, rand.New(rand.NewPCG(goldentest.Seed(t), 0)))
	require.Equal(t, Point{0, 1}, plan.Recommended().Point)
	require.Len(t, plan.Rows, 8)
	require.Contains(t, string(plan.CSV()), `"refused: why, ""so""",,,`)
	require.Regexp(t, `(?m)^fixture,float,idx,1,,0,\d+,done,`, string(plan.CSV()), "a float run says the settings that it has, and no formats")
	require.Regexp(t, `(?m)^fixture,float,idx,2,,0,\d+,diverged,`, string(plan.CSV()))
	require.Contains(t, string(plan.CSV()), `refused: its float run diverged`)
}

func floatOf(t *testing.T, r *Row, beta float64) bool {
	n, err := network.Parse("trial", []byte(r.Trial.Network))
	require.NoError(t, err)
	return n.Learning.Beta == beta
}

func TestDecimals(t *testing.T) {
	require.Equal(t, []string{"0.00", "0.00", "-0.01", "0", "-1", "192"}, []string{Decimals(-0.001, 2), Decimals(math.Copysign(0, -1), 2), Decimals(-0.006, 2),
		Decimals(-0.4, 0), Decimals(-0.6, 0), Decimals(192, 0)})
}

// TestChosen: the run of a point whose mean keeps the loss is that of a seed which keeps it too.
func TestChosen(t *testing.T) {
	s, _ := fixture(t, gridStudy) // max_loss: 4
	row := func(seed uint32, accuracy float64) *Row {
		return &Row{Point: Point{0, 0}, Seed: seed, Float: &Row{Result: &Result{Accuracy: 0.9}}, Result: &Result{Accuracy: accuracy}}
	}
	x := summarize(s, []*Row{row(0, 0.85), row(1, 0.89), row(2, 0.9)})
	require.True(t, x.Meets)
	require.InDelta(t, 2, x.Loss, 1e-9)
	require.Equal(t, uint32(1), x.Chosen.Seed, "seed 0 loses 5 points")
	x = summarize(s, []*Row{row(0, 0.86), row(1, 0.9)})
	require.Equal(t, uint32(0), x.Chosen.Seed, "exactly the limit is within it")
	x = summarize(s, []*Row{row(0, 0.5), row(1, 0.6)})
	require.False(t, x.Meets)
	require.Equal(t, uint32(0), x.Chosen.Seed)
}

// TestFront: no point of the front is beaten, and every other is.
func TestFront(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	var list []Summary
	for range 200 {
		list = append(list, Summary{Good: rng.IntN(10) > 0, Hardware: true, Accuracy: float64(rng.IntN(50)), MemoryBits: float64(rng.IntN(50))})
	}
	front := Front(list, CostOf(list))
	for _, x := range list {
		beaten := slices.ContainsFunc(front, func(f Summary) bool { return f.Accuracy >= x.Accuracy && f.MemoryBits <= x.MemoryBits })
		require.True(t, beaten || !x.Good)
	}
	for i := range front[1:] {
		require.Greater(t, front[i+1].Accuracy, front[i].Accuracy)
		require.Greater(t, front[i+1].MemoryBits, front[i].MemoryBits)
	}
}
