package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// needTool skips a test without its tool, except where CI asks for all of them.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// testCase is one design to hold against the model.
type testCase struct {
	layers       []int
	lanes, batch int
	rule         string // of the step size
	more         string // further lines of the network file
}

func (c testCase) String() string {
	return fmt.Sprintf("%v lanes %d batch %d %s %s", c.layers, c.lanes, c.batch, c.rule, c.more)
}

func (c testCase) network(t *testing.T) *golden.Network {
	t.Helper()
	rates := func(n int, value string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(value+", ", max(n, 0)), ", ") + "]"
	}
	text := fmt.Sprintf(`name: tester
dataset: {name: mnist}
layers: [%s]
epsilon: 0.15
lambda: 0.99
leak: 0.5
settling: {free_iterations: 8, nudged_iterations: 5, step: {rule: %s, start: 0.05, stop: 0.001, decay: 0.01}}
learning: {batch: %d, beta: 1, feedforward: %s, feedback: %s, epochs: 1%s}
seed: 7
%s`, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(c.layers)), ","), "[]"), c.rule, c.batch, rates(len(c.layers)-1, "0.5"), rates(len(c.layers)-2, "0.15"),
		map[bool]string{true: ", three_phase: true"}[strings.Contains(c.more, "#three")], c.more)
	n, err := golden.ParseNetwork("test.yaml", []byte(text))
	require.NoError(t, err)
	return n
}

// generate makes the design of a case with weights that let states move.
func (c testCase) generate(t *testing.T) *hdlgen.Design {
	t.Helper()
	a, err := golden.NewArithmetic(c.network(t))
	require.NoError(t, err)
	machine := golden.NewMachine(a)
	_, err = machine.SetWeights(golden.InitialWeights(a.Network, a.Network.Seed))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "design")
	_, err = hdlgen.Generate(a, machine, c.lanes, dir)
	require.NoError(t, err)
	d, err := hdlgen.OpenDesign(dir)
	require.NoError(t, err)
	return d
}

// randomSamples draws inputs with many zeros, as digits have.
func randomSamples(d *hdlgen.Design, count int, rng *rand.Rand) []Sample {
	samples := make([]Sample, count)
	negative := false
	for i := range samples {
		if i%d.Network.Learning.Batch == 0 {
			negative = rng.IntN(2) == 0
		}
		pixels := make([]uint8, d.Network.Layers[0])
		for j := range pixels {
			if rng.IntN(3) > 0 {
				pixels[j] = uint8(rng.IntN(256))
			}
		}
		samples[i] = Sample{X: make([]int64, len(pixels)), Label: rng.IntN(d.Network.Layers[d.Network.K()]), Negative: negative}
		d.Arithmetic.QuantizeInput(pixels, samples[i].X)
	}
	return samples
}

func (c testCase) check(t *testing.T, simulator Simulator) *Report {
	t.Helper()
	d := c.generate(t)
	rng := rand.New(rand.NewPCG(1, 2))
	report, err := Cosim(context.Background(), d, Options{Simulator: simulator, Inference: randomSamples(d, 3, rng), Learning: randomSamples(d, 2*c.batch+1, rng)})
	require.NoError(t, err, c.String())
	if report.Mismatch != nil {
		t.Fatalf("%v\n%v", c, report.Mismatch)
	}
	return report
}

func TestCosimSmall(t *testing.T) {
	needTool(t, "iverilog")
	for _, c := range []testCase{
		{[]int{5, 1, 2}, 1, 1, "constant", ""},
		{[]int{12, 9, 8, 5}, 3, 1, "constant", ""},
		{[]int{20, 13, 7}, 8, 3, "divide_by_slow_loop_index", ""},
		{[]int{20, 13, 7}, 16, 20, "divide_by_loop_index", "#three"},
	} {
		c.check(t, Icarus)
	}
}

func TestCosimVerilator(t *testing.T) {
	needTool(t, "verilator")
	for _, c := range []testCase{
		{[]int{5, 1, 2}, 1, 1, "constant", ""},
		{[]int{12, 9, 8, 5}, 3, 1, "constant", ""},
		{[]int{20, 13, 7}, 8, 3, "divide_by_slow_loop_index", ""},
		{[]int{20, 13, 7}, 16, 20, "divide_by_loop_index", "#three"},
		{[]int{784, 64, 10}, 16, 1, "divide_by_slow_loop_index", ""},
	} {
		r := c.check(t, Verilator)
		t.Logf("%v: %+v", c, *r)
	}
}
