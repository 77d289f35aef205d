package lockstep

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// harnessed are designs with all that the harness may disturb: shared words, phases that go back, words beside synapses,
// several samples in flight, whole and narrow units.
func harnessed(rng *rand.Rand) []*network.Network {
	sparse := ruleNetwork("corinfomax", []int{7, 5, 4}, 2, rng)
	own := goldentest.CorInfoMax(sparse)
	own.Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.1}}
	sparse.Learning.Contrast = rule.WithCentred
	momentum := ruleNetwork("fa", []int{7, 5, 4}, 3, rng)
	adam := ruleNetwork("bp", []int{5, 4, 3}, 1, rng)
	adam.Hardware.Contexts = 1
	return []*network.Network{sparse, momentum, adam}
}

// Samples that come late and results that wait change no bit. They change cycles, to more or, where samples in flight meet
// otherwise, to fewer.
func TestStalls(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, goldentest.Seed(t)))
	var cycles [2][][2]int64 // of inferences, of learning
	for i, n := range harnessed(rng) {
		p, err := design.New(n, 4, 2, plainTarget)
		require.NoError(t, err)
		d, program := build(t, p, model(t, n), simulatorOf(i))
		samples := draw(rng, n, model(t, n).Machine, 3, 2*n.Learning.Batch)
		for stalled, stall := range []int{0, 1 + rng.IntN(65535)} {
			r := follow(t, d, model(t, n), program, samples, sim.Options{Simulator: simulatorOf(i), Stall: stall})
			require.Nil(t, r.mismatch, "%s: %v", n.Rule, r.mismatch)
			cycles[stalled] = append(cycles[stalled], [2]int64{r.done.InferenceTime, r.done.LearningTime})
		}
	}
	require.NotEqual(t, cycles[0], cycles[1])
}

// A reset may come at any time: before, while and after a sample is taken, while it settles, after its answer and while synapses
// are written. The next mini-batch is as after the first reset, once the host has written the synapses.
func TestResets(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, goldentest.Seed(t)))
	for i, n := range harnessed(rng) {
		p, err := design.New(n, 4, 2, plainTarget)
		require.NoError(t, err)
		m := model(t, n)
		d, program := build(t, p, m, simulatorOf(i))
		batch := n.Learning.Batch
		var samples []command
		for _, end := range []reset{{'C', 0, 0}, {'C', 0, 1}, {'C', 0, 4}, {'C', 0, 30 + rng.IntN(30)}, {'S', 1, 0}, {'S', 1 + rng.IntN(20), rng.IntN(30)}, {'R', 1, 0},
			{'R', 1, rng.IntN(40)}, {'W', 1, 0}, {'W', 1 + rng.IntN(40), rng.IntN(9)}} {
			list := draw(rng, n, m.Machine, rng.IntN(2), batch)
			last := len(list) - 1
			if end.tag != 'W' { // any sample of the mini-batch
				last = rng.IntN(len(list))
			}
			list[last].reset = &end
			samples = append(samples, list[:last+1]...)
			if toss(rng) {
				samples = append(samples, draw(rng, n, m.Machine, rng.IntN(2), batch)...)
			}
		}
		samples = append(samples, draw(rng, n, m.Machine, 1, batch)...)
		r := follow(t, d, m, program, samples, sim.Options{Simulator: simulatorOf(i)})
		require.Nil(t, r.mismatch, "%s: %v", n.Rule, r.mismatch)
		require.Equal(t, 10, r.c.resets)
	}
}

// With registers on wires, a step, its changes and its answers are on their way when a reset comes: in every cycle of some steps, one
// after another. Then samples are as after the first reset.
func TestResetsOnWires(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, goldentest.Seed(t)))
	n := ruleNetwork("pc-nudge", []int{7, 5, 4}, 1, rng)
	target := plainTarget
	target.WireCycles = 2
	p, err := design.New(n, 4, 2, target)
	require.NoError(t, err)
	m := model(t, n)
	d, program := build(t, p, m, sim.Verilator)
	var samples []command
	const sweep = 60
	for cycle := range sweep {
		list := draw(rng, n, m.Machine, 3, 0)
		list[1].reset = &reset{'S', 1, cycle}
		samples = append(samples, list...)
	}
	r := follow(t, d, m, program, samples, sim.Options{Simulator: sim.Verilator})
	require.Nil(t, r.mismatch, "%v", r.mismatch)
	require.Equal(t, sweep, r.c.resets)
}

// The host reads what it wrote at the ends of every region and of every word's range, and nothing beside it changes; it is refused
// where there is no word, where a word is read only, and what does not fit.
func TestHost(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, goldentest.Seed(t)))
	for _, n := range harnessed(rng) {
		p, err := design.New(n, 6, 2, plainTarget)
		require.NoError(t, err)
		m := model(t, n)
		d, program := build(t, p, m, sim.Icarus)
		var list []access
		write := func(address int, data int64) {
			list = append(list, access{Write: true, Address: uint32(address), Data: uint64(data)})
		}
		read := func(address int, data int64) {
			list = append(list, access{Address: uint32(address), Data: uint64(data)})
		}
		refuse := func(address int, data int64) {
			list = append(list, access{Write: true, Address: uint32(address), Data: uint64(data), Refused: true})
		}
		missing := func(address int) {
			refuse(address, 0)
			list = append(list, access{Address: uint32(address), Refused: true})
		}
		// word tests one of a width at an address.
		word := func(address, width int, signed bool) {
			low, high := int64(0), int64(1)<<width-1
			if signed {
				low, high = -1<<(width-1), 1<<(width-1)-1
			}
			for _, v := range []int64{low, high} {
				write(address, v)
				read(address, v)
			}
			refuse(address, high+1)
			refuse(address, low-1)
			refuse(address, -1<<62)
			refuse(address, 1<<62)
			read(address, high)
		}
		image, err := os.ReadFile(filepath.Join(d.Dir, "images/tester_lane_0000.hex"))
		require.NoError(t, err)
		depth := bytes.Count(image, []byte("\n"))
		for _, lane := range []int{0, p.Lanes - 1} {
			for _, at := range []int{0, depth - 1} {
				address := lane<<18 | at
				word(address, d.Manifest.Widths.Synapse, true)
				for k, x := range p.Beside {
					word((4+k)<<28|address, x.Width, x.Signed)
				}
				write(address, 5) // nothing of it is beside
				for k, x := range p.Beside {
					high := int64(1)<<x.Width - 1
					if x.Signed {
						high >>= 1
					}
					read((4+k)<<28|address, high)
				}
			}
			missing(lane<<18 | depth)
			missing(lane<<18 | (1<<18 - 1))
		}
		missing(p.Lanes << 18)
		missing(1023 << 18)
		for k := len(p.Beside); k < 4; k++ {
			missing((4 + k) << 28)
		}
		if len(p.Beside) > 0 {
			missing(4<<28 | depth)
			missing(4<<28 | p.Lanes<<18)
		}
		last := max(2, len(p.Updates)) - 1
		for _, update := range []int{0, last} {
			for place, x := range p.UpdateConstants {
				word(1<<28|8*update+place, x.Width, false)
			}
			for place, x := range p.UpdateConstants {
				read(1<<28|8*update+place, 1<<x.Width-1)
			}
			for place := len(p.UpdateConstants); place < 8; place++ {
				missing(1<<28 | 8*update + place)
			}
		}
		missing(1<<28 | 8*(last+1))
		missing(1<<28 | (1<<28 - 8))
		read(2<<28, int64(n.Seed))
		word(2<<28, 32, false)
		word(2<<28|1, 32, false)
		read(2<<28|2, 0)
		refuse(2<<28|2, 0)
		missing(2<<28 | 3)
		missing(2<<28 | 1<<20)
		for counter := range p.Counters {
			read(3<<28|counter, 0)
			refuse(3<<28|counter, 0)
		}
		missing(3<<28 | len(p.Counters))
		read(8<<28, 0)
		word(8<<28|2, 32, false)
		read(8<<28|3, 0)
		refuse(8<<28|3, 0)
		missing(8<<28 | 4)
		rows, err := os.ReadFile(filepath.Join(d.Dir, "images/tester_constants.hex"))
		require.NoError(t, err)
		lines := strings.Fields(string(rows))
		width := max(2, slices.MaxFunc(p.Formulas, func(a, b *design.Formula) int { return stepBits(a) - stepBits(b) }).ConstantBits())
		for _, row := range []int{0, len(lines) - 1} {
			all, _ := new(big.Int).SetString(lines[row], 16)
			for part := range (width + 31) / 32 {
				address := 9<<28 | row<<4 | part
				read(address, new(big.Int).And(new(big.Int).Rsh(all, uint(32*part)), big.NewInt(1<<32-1)).Int64())
				word(address, min(32, width-32*part), false)
			}
			missing(9<<28 | row<<4 | (width+31)/32)
		}
		missing(9<<28 | len(lines)<<4)
		for region := 10; region < 16; region++ {
			missing(region << 28)
		}
		require.Empty(t, touch(t, d, program, list), n.Rule)
	}
}

// stepBits are those of the constants of a formula of steps.
func stepBits(f *design.Formula) int {
	if f.Use == design.OfSynapse {
		return 0
	}
	return f.ConstantBits()
}

// access is one of the host's, and what it is to be answered.
type access struct {
	Write   bool
	Address uint32
	Data    uint64 // written, or to be read
	Refused bool
}

// touch plays accesses into a compiled design and tells of the first whose answer is another; "": all are right.
func touch(t *testing.T, d *design.Design, program []string, accesses []access) (mismatch string) {
	t.Helper()
	var stimulus bytes.Buffer
	type answer struct {
		access int
		line   string // without the cycle
	}
	var want []answer
	for i, a := range accesses {
		if a.Write {
			fmt.Fprintf(&stimulus, "H %x %x\n", a.Address, a.Data)
		} else {
			fmt.Fprintf(&stimulus, "G %x 1\n", a.Address)
		}
		if a.Refused {
			want = append(want, answer{i, fmt.Sprintf("N %08x", a.Address)})
		}
		if !a.Write {
			data := a.Data
			if a.Refused {
				data = 0
			}
			want = append(want, answer{i, fmt.Sprintf("D %08x %016x", a.Address, data)})
		}
	}
	stimulus.WriteString("Q\n")
	want = append(want, answer{-1, "Q"})
	c := &cosimulation{d: d, quiet: 200_000}
	path, err := writeStimulus(t.TempDir(), stimulus.Bytes())
	require.NoError(t, err)
	require.NoError(t, play(t.Context(), func(ctx context.Context) *exec.Cmd { return c.simulator(ctx, program, d.Dir, path) }, func(line []byte) (bool, error) {
		f := strings.Fields(string(line))
		got := strings.Join(append([]string{f[0]}, f[2:]...), " ")
		if got != want[0].line {
			mismatch = fmt.Sprintf("cycle %s: %q, not %q", f[1], got, want[0].line)
			if want[0].access >= 0 {
				mismatch += fmt.Sprintf(", of %+v", accesses[want[0].access])
			}
		}
		want = want[1:]
		return mismatch != "" || f[0] == "Q", nil
	}))
	return mismatch
}
