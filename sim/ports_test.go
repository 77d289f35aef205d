package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// lockStep plays one list of commands into a design on Icarus and holds it against the model of another.
func lockStep(t *testing.T, d *hdlgen.Design, played, modelled Options) *Mismatch {
	t.Helper()
	how := Recipe{Simulator: Icarus}
	m, err := compile(context.Background(), d.Dir, d.Manifest, how, nil)
	require.NoError(t, err)
	modelled.Simulator = Icarus
	c := &cosimulation{d: d, o: modelled, commands: modelled.commands(), how: how, model: m, quiet: 10000}
	c.divide(1)
	machine := settling.NewMachine(d.Arithmetic)
	require.NoError(t, machine.SetTensors(d.Initial.Tensors))
	r := &run{cosimulation: c, part: c.parts[0]}
	require.NoError(t, r.open(t.TempDir(), machine))
	r.stimulus, err = writeStimulus(t.TempDir(), stimulusOf(d, played))
	require.NoError(t, err)
	mismatch, err := r.simulate(context.Background())
	require.NoError(t, err)
	return mismatch
}

// stimulusOf is that of a whole run.
func stimulusOf(d *hdlgen.Design, o Options) []byte {
	c := &cosimulation{d: d, o: o, commands: o.commands()}
	return c.stimulusText(0, len(c.commands))
}

// A label that no output neuron has pulls nothing up, neither a neuron nor the padding of the last slot.
func TestLabelOutOfRange(t *testing.T) {
	needTool(t, "iverilog")
	d := testCase{layers: []int{7, 5, 5}, lanes: 3, batch: 1, rule: "constant", formats: "default"}.generate(t)
	right := Options{Learning: randomSamples(d, 4, rand.New(rand.NewPCG(1, 2)))}
	for i := range right.Learning {
		right.Learning[i].Label = 0
	}
	wrong := right
	wrong.Learning = slices.Clone(right.Learning)
	for i, label := range []int{5, 6, 7, 5} { // lane 2 of slot 1 is padding, slot 2 is none
		wrong.Learning[i].Label = label
	}
	require.NotNil(t, lockStep(t, d, wrong, right), "the label does nothing")

	require.Nil(t, lockStep(t, d, wrong, wrong))
}

// play runs a stimulus and returns what the harness printed, line by line.
func play(t *testing.T, d *hdlgen.Design, simulator Simulator, stimulus string) [][]string {
	t.Helper()
	m, err := compile(context.Background(), d.Dir, d.Manifest, Recipe{Simulator: simulator}, nil)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "stimulus.txt")
	require.NoError(t, os.WriteFile(path, []byte(stimulus), 0o644))
	cmd := exec.Command(m.command[0], append(append([]string{}, m.command[1:]...), "+stimulus="+path)...)
	cmd.Dir = d.Dir
	out, err := cmd.Output()
	require.NoError(t, err)
	var lines [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

// Accesses of the host to words that do not exist, may not be written or do not fit change nothing and say so.
func TestHostRefuses(t *testing.T) {
	needTool(t, "iverilog")
	d := testCase{layers: []int{7, 5, 4}, lanes: 3, batch: 2, rule: "constant", formats: "default"}.generate(t)
	depth, rates, counters := uint64(d.Layout.Depth), uint64(len(d.Arithmetic.Matrices)), uint64(len(d.Manifest.Counters))
	require.Equal(t, 16, d.Manifest.Widths.Synapse)
	const rateBits = 17
	const region, lane = uint64(1 << 28), uint64(1 << 20)
	type access struct {
		address uint64
		write   bool
		data    uint64 // what is written, else what is read
		refused bool
	}
	read := func(address, data uint64) access { return access{address, false, data, false} }
	write := func(address, data uint64) access { return access{address, true, data, false} }
	refuse := func(a access) access {
		a.refused = true
		return a
	}
	const minus = ^uint64(0)
	list := []access{
		// The first and the last word of every region take what fits.
		write(0, 0x7fff), read(0, 0x7fff), write(0, minus-0x7fff), read(0, minus-0x7fff),
		write(2*lane+depth-1, minus), read(2*lane+depth-1, minus),
		write(region, 5), write(region+rates-1, 1<<rateBits-1), read(region, 5), read(region+rates-1, 1<<rateBits-1),
		write(2*region, 1<<32-1), write(2*region+1, 9), read(2*region, 1<<32-1), read(2*region+1, 9), read(2*region+2, 0),
		read(3*region+counters-1, 0),
		// A word beyond the last one, which is that of another address without its high bits.
		refuse(read(depth, 0)), refuse(read(3*lane, 0)), refuse(read(4*lane, 0)), refuse(read(region+rates, 0)), refuse(read(region+8, 0)),
		refuse(read(2*region+3, 0)), refuse(read(2*region+256, 0)), refuse(read(3*region+counters, 0)), refuse(read(3*region+256, 0)),
		refuse(write(depth, 1)), refuse(write(1<<19, 1)), refuse(write(3*lane, 1)), refuse(write(4*lane, 1)), refuse(write(region+rates, 1)),
		refuse(write(region+8, 1)), refuse(write(region+lane, 1)), refuse(write(2*region+256, 1)), refuse(write(2*region+lane, 1)),
		// No such region.
		refuse(read(4*region, 0)), refuse(write(4*region, 1)), refuse(write(5*region, 1)), refuse(write(6*region, 1)), refuse(read(15*region, 0)),
		// Read-only words.
		refuse(write(2*region+2, 1)), refuse(write(3*region, 1)),
		// A word that is too wide.
		refuse(write(0, 0x8000)), refuse(write(0, minus-0x8000)), refuse(write(0, 1<<63)), refuse(write(region, 1<<rateBits)), refuse(write(region, minus)),
		refuse(write(2*region, 1<<32)), refuse(write(2*region+1, minus)),
		// All is as it was.
		read(0, minus-0x7fff), read(region, 5), read(region+rates-1, 1<<rateBits-1), read(2*region, 1<<32-1), read(2*region+1, 9), read(2*region+2, 0),
	}
	var stimulus strings.Builder
	var want [][]string
	for _, a := range list {
		if a.write {
			fmt.Fprintf(&stimulus, "H %x %x\n", a.address, a.data)
		} else {
			fmt.Fprintf(&stimulus, "G %x 1\n", a.address)
		}
		if a.refused {
			want = append(want, []string{"N", fmt.Sprintf("%08x", a.address)})
		}
		if !a.write {
			want = append(want, []string{"D", fmt.Sprintf("%08x", a.address), fmt.Sprintf("%016x", a.data)})
		}
	}
	// Every other synapse is as it was generated.
	for i := range d.Manifest.Lanes {
		fmt.Fprintf(&stimulus, "G %x %x\n", uint64(i)*lane, depth)
		image, err := os.ReadFile(filepath.Join(d.Dir, "images", fmt.Sprintf("tester_lane_%03d.hex", i)))
		require.NoError(t, err)
		for address, word := range strings.Fields(string(image)) {
			switch at := uint64(i)*lane + uint64(address); at {
			case 0:
				word = fmt.Sprintf("%016x", minus-0x7fff)
			case 2*lane + depth - 1:
				word = fmt.Sprintf("%016x", minus)
			default:
				word = strings.Repeat(map[bool]string{true: "f", false: "0"}[word[0] >= '8'], 12) + word
			}
			want = append(want, []string{"D", fmt.Sprintf("%08x", uint64(i)*lane+uint64(address)), word})
		}
	}
	want = append(want, []string{"Q"})
	for _, simulator := range []Simulator{Icarus, Verilator} {
		needTool(t, map[Simulator]string{Icarus: "iverilog", Verilator: "verilator"}[simulator])
		var got [][]string
		for _, line := range play(t, d, simulator, stimulus.String()) {
			got = append(got, append(line[:1:1], line[2:]...))
		}
		require.Equal(t, want, got, simulator)
	}
}

// No design uses a word that a memory gives while it is being written.
func TestMemoriesNeedNoBypass(t *testing.T) {
	needTool(t, "iverilog")
	rng := testSeed(t)
	for _, c := range []testCase{
		{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 1, rule: "divide_by_slow_loop_index", formats: "default", early: true},
		{layers: []int{7, 5, 4}, lanes: 2, batch: 3, rule: "constant", formats: "coarse", dense: true, three: true, stall: true},
		{layers: []int{5, 1, 2}, lanes: 1, batch: 2, rule: "constant", formats: "uneven"},
	} {
		d := c.generate(t)
		replaceIn(t, d, "corinfo_ram.v", "read_q <= mem[raddr_i];", "read_q <= (we_i && waddr_i == raddr_i) ? {Width{1'bx}} : mem[raddr_i];")
		report, err := Cosim(context.Background(), d, c.options(d, Icarus, rng))
		require.NoError(t, err)
		require.Nil(t, report.Mismatch, "%v\n%v", c, report.Mismatch)
	}
}

// A reset within a sample drops the sample, and the open mini-batch with it; what follows is cycle by cycle what
// it would be without the sample, once the host has written the number of the update again.
func TestResetWithinSample(t *testing.T) {
	needTool(t, "iverilog")
	needTool(t, "verilator")
	rng := testSeed(t)
	for _, run := range []struct {
		simulator Simulator
		rounds    int
		c         testCase
	}{
		{Verilator, 60, testCase{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 2, rule: "constant", formats: "default"}},
		{Verilator, 60, testCase{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "coarse", dense: true, three: true, early: true}},
		{Icarus, 8, testCase{layers: []int{5, 3, 4}, lanes: 3, batch: 2, rule: "constant", formats: "default"}},
	} {
		c, rounds := run.c, run.rounds
		d := c.generate(t)
		sample := func(b *strings.Builder, s Sample, learn bool) {
			if learn {
				fmt.Fprintf(b, "L %x %d", s.Label, map[bool]int{true: 1}[s.Negative])
			} else {
				fmt.Fprint(b, "I")
			}
			for _, x := range s.X {
				fmt.Fprintf(b, " %x", x)
			}
			fmt.Fprintln(b)
		}
		// One learning sample of an open mini-batch takes so many cycles.
		var once strings.Builder
		samples := randomSamples(d, 1, rng)
		sample(&once, samples[0], true)
		fmt.Fprintln(&once, "E")
		length := 0
		for _, line := range play(t, d, run.simulator, once.String()) {
			if line[0] == "E" {
				_, err := fmt.Sscan(line[2], &length)
				require.NoError(t, err)
			}
		}
		require.Greater(t, length, 200)

		var plain, broken strings.Builder
		for round := range rounds {
			lost := randomSamples(d, 1, rng)[0]
			fmt.Fprintf(&broken, "A C 0 %x\n", round*length/rounds+rng.IntN(length/rounds))
			sample(&broken, lost, true)
			for _, b := range []*strings.Builder{&plain, &broken} {
				fmt.Fprintf(b, "H %x %x\n", hostControl+1, round)
			}
			list := randomSamples(d, 3, rng)
			list[2].Negative = list[1].Negative
			for i, s := range list {
				for _, b := range []*strings.Builder{&plain, &broken} {
					sample(b, s, i > 0)
					fmt.Fprintln(b, "E")
				}
			}
		}
		for _, b := range []*strings.Builder{&plain, &broken} {
			for lane := range d.Manifest.Lanes {
				fmt.Fprintf(b, "G %x %x\n", lane*hostLane, d.Layout.Depth)
			}
			fmt.Fprintf(b, "G %x %x\n", hostControl, controlWords)
		}
		want, resets := rest(t, play(t, d, run.simulator, plain.String()))
		require.Zero(t, resets)
		got, resets := rest(t, play(t, d, run.simulator, broken.String()))
		require.Equal(t, rounds, resets)
		for i := range min(len(want), len(got)) {
			require.Equal(t, want[i], got[i], "%v on %s, line %d", c, run.simulator, i)
		}
		require.Equal(t, len(want), len(got))
	}
}

// rest is a trace without what samples that a reset ended did, and without the cycles counted since the start:
// every line's cycle is counted from the end of the command before, or from the first line behind a reset.
func rest(t *testing.T, lines [][]string) (kept []string, resets int) {
	t.Helper()
	end := 0 // of the lines up to the last command's end
	from := -1
	for _, line := range lines {
		var cycle int
		_, err := fmt.Sscan(line[1], &cycle)
		require.NoError(t, err)
		if line[0] == "Z" {
			kept, from = kept[:end], -1
			resets++
			continue
		}
		if from < 0 {
			from = cycle
		}
		if line[0] == "E" {
			line = line[:2] // the times since the start
		}
		kept = append(kept, fmt.Sprint(line[0], cycle-from, line[2:]))
		if line[0] == "E" {
			end, from = len(kept), -1
		}
	}
	return kept, resets
}
