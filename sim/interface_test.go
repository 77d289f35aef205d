package sim

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/dataset"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// docs/INTERFACE.md against what is emitted: its tables, its waveforms, and what it says a host has to do.

const interfacePage = "../docs/INTERFACE.md"

func pageText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(interfacePage)
	require.NoError(t, err)
	return string(text)
}

// tableAfter are the rows of the page's first table behind a heading, cell by cell, without its two head rows.
func tableAfter(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	_, rest, found := strings.Cut(pageText(t), "\n"+heading+"\n")
	require.True(t, found, "%s has no %q", interfacePage, heading)
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if rows != nil {
				break
			}
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.Trim(strings.TrimSpace(cell), "`"))
		}
		rows = append(rows, cells)
	}
	require.Greater(t, len(rows), 2, heading)
	return rows[2:]
}

var portLine = regexp.MustCompile(`(?m)^  (input|output) +(?:wire|reg) +(?:signed )?(?:\[(\d+):0\])? *(\w+),?$`)

// TestInterfacePorts: the page's table has every port of the emitted top, in order, with direction and width.
func TestInterfacePorts(t *testing.T) {
	for _, c := range []testCase{
		{layers: []int{3, 4, 2}, lanes: 2, batch: 2, rule: "constant", formats: "default"},
		{layers: []int{7, 5, 6}, lanes: 3, batch: 1, contexts: 4, rule: "constant", formats: "uneven", wires: 2},
		{layers: []int{5, 9, 17}, lanes: 4, batch: 3, contexts: 2, rule: "constant", formats: "default", sparse: true},
	} {
		d := c.generate(t)
		m := d.Manifest
		text, err := os.ReadFile(filepath.Join(d.Dir, "rtl", m.Name+".v"))
		require.NoError(t, err)
		head, _, _ := strings.Cut(string(text), ");")
		var emitted [][3]string
		for _, p := range portLine.FindAllStringSubmatch(head, -1) {
			high, _ := strconv.Atoi(p[2]) // of one bit where it is not there
			emitted = append(emitted, [3]string{p[3], p[1], strconv.Itoa(high + 1)})
		}
		require.Equal(t, len(emitted), strings.Count(head, "\n  input ")+strings.Count(head, "\n  output "), "ports")
		widths := map[string]int{"x": m.Widths.X, "label": m.Widths.Label, "r": m.Widths.R, "context": m.Widths.Context,
			"lanes x u": m.Lanes * m.Widths.U, "lanes x r": m.Lanes * m.Widths.R, "lanes x synapse": m.Lanes * m.Widths.Synapse,
			"qu": m.Widths.QU, "q": m.Widths.Q}
		var page [][3]string
		for _, row := range tableAfter(t, "## Ports") {
			if strings.HasPrefix(row[0], "trace_step") && !c.sparse {
				continue
			}
			width := row[2]
			if bits, symbol := widths[width]; symbol {
				width = strconv.Itoa(bits)
			}
			page = append(page, [3]string{row[0], row[1], width})
		}
		require.Equal(t, emitted, page, "%v", c)
	}
}

// TestInterfaceRegisters: the page's map of the host's words is that of corinfo_host and of a design: how many there are, and
// which may be written; the counters are those of the manifest.
func TestInterfaceRegisters(t *testing.T) {
	needTool(t, "iverilog")
	d := testCase{layers: []int{3, 4, 2}, lanes: 2, batch: 2, rule: "constant", formats: "default"}.generate(t)
	source, err := os.ReadFile("../rtl/corinfo_host.v")
	require.NoError(t, err)
	constant := func(name string) int {
		found := regexp.MustCompile(`localparam (?:\[\d+:0\])? *` + name + ` *= *\d+'d(\d+);`).FindSubmatch(source)
		require.NotNil(t, found, name)
		n, err := strconv.Atoi(string(found[1]))
		require.NoError(t, err)
		return n
	}
	regions := map[string]int{"synapses": constant("RegionSynapses"), "rates": constant("RegionRates"), "control": constant("RegionControl"),
		"counters": constant("RegionCounters")}
	words := map[string]int{"its lane's": d.Layout.Depth, "matrices": len(d.Arithmetic.Matrices), "counters": len(d.Manifest.Counters)}
	var stimulus strings.Builder
	var want []string
	expect := func(address, data uint64, write, refused bool) {
		if write {
			fmt.Fprintf(&stimulus, "H %x %x\n", address, data)
		} else {
			fmt.Fprintf(&stimulus, "G %x 1\n", address)
		}
		if refused {
			want = append(want, fmt.Sprintf("N %08x", address))
		}
		if !write { // a refused read is answered too
			want = append(want, fmt.Sprintf("D %08x", address))
		}
	}
	seen := map[int]bool{}
	for _, row := range tableAfter(t, "### Register map") {
		region, err := strconv.Atoi(row[0])
		require.NoError(t, err)
		require.Equal(t, regions[row[1]], region, row[1])
		first, count := 0, words[row[2]]
		if count == 0 { // one word, named by its number
			first, err = strconv.Atoi(strings.TrimPrefix(row[2], "word "))
			require.NoError(t, err)
			count = 1
			switch {
			case strings.HasPrefix(row[4], "seed"):
				require.Equal(t, constant("ControlSeed"), first)
			case strings.HasPrefix(row[4], "number"):
				require.Equal(t, constant("ControlUpdate"), first)
			}
		}
		seen[region] = true
		base := uint64(region)<<28 + uint64(first)
		writable := map[string]bool{"read, write": true, "read": false}
		may, known := writable[row[3]]
		require.True(t, known, row[3])
		for _, at := range []uint64{base, base + uint64(count) - 1} {
			expect(at, 0, false, false)
			expect(at, 1, true, !may)
		}
		if region != regions["control"] {
			expect(base+uint64(count), 0, false, true)
		}
	}
	require.Len(t, seen, len(regions))
	expect(uint64(regions["control"])<<28+3, 0, false, true)
	for _, region := range []uint64{4, 15} {
		expect(region<<28, 0, false, true)
	}
	var got []string
	for _, line := range play(t, d, Icarus, stimulus.String()) {
		if line[0] == "N" || line[0] == "D" {
			got = append(got, line[0]+" "+line[2])
		}
	}
	require.Equal(t, want, got)

	rows := tableAfter(t, "### Counters")
	require.Len(t, rows, len(d.Manifest.Counters))
	for i, row := range rows {
		require.Equal(t, []string{strconv.Itoa(i), d.Manifest.Counters[i]}, row[:2])
	}
}

// wave is a waveform of the page: which ports it shows, all cycles or only those around a change, and the columns of a cycle.
type wave struct {
	ports []string
	brief bool
	step  int
}

var waves = map[string]wave{
	"reset": {ports: []string{"rst_i", "command_ready_o", "sample_ready_o", "result_valid_o", "host_ready_o", "idle_o"}, step: 4},
	"command": {ports: []string{"command_valid_i", "command_ready_o", "command_learn_i", "sample_valid_i", "sample_ready_o", "sample_data_i", "idle_o"},
		brief: true, step: 4},
	"result": {ports: []string{"score_valid_o", "score_index_o", "score_data_o", "result_valid_o", "result_ready_i", "result_class_o", "idle_o"}, step: 4},
	"host": {ports: []string{"host_valid_i", "host_ready_o", "host_write_i", "host_address_i", "host_data_i", "host_done_o", "host_error_o", "host_data_o"},
		brief: true, step: 4},
	"first": {ports: []string{"command_valid_i", "command_ready_o", "host_valid_i", "host_ready_o", "host_done_o", "sample_ready_o", "idle_o"}, brief: true, step: 4},
	"learning": {ports: []string{"command_valid_i", "command_ready_o", "command_learn_i", "command_negative_i", "command_label_i", "sample_valid_i", "sample_ready_o",
		"score_valid_o", "result_valid_o", "idle_o"}, brief: true, step: 2},
}

// recorded are the ports in the order in which testdata/interface.v prints them.
var recorded = []string{"rst_i", "command_valid_i", "command_ready_o", "command_learn_i", "command_negative_i", "command_label_i",
	"sample_valid_i", "sample_ready_o", "sample_data_i", "score_valid_o", "score_index_o", "score_data_o", "result_valid_o", "result_ready_i", "result_class_o",
	"host_valid_i", "host_ready_o", "host_write_i", "host_address_i", "host_data_i", "host_done_o", "host_error_o", "host_data_o", "idle_o"}

// shownWith tells with which port high a word means something.
var shownWith = map[string]string{"command_label_i": "command_valid_i", "sample_data_i": "sample_valid_i", "score_index_o": "score_valid_o", "score_data_o": "score_valid_o",
	"result_class_o": "result_valid_o", "host_address_i": "host_valid_i", "host_data_i": "host_write_i", "host_data_o": "host_done_o"}

// cell is a word as a waveform shows it; "" where it means nothing.
func cell(port string, cycle map[string]string) string {
	if gate := shownWith[port]; cycle[gate] != "1" {
		return ""
	}
	if port == "host_data_i" || port == "host_data_o" {
		return strings.TrimLeft(cycle[port][:15], "0") + cycle[port][15:]
	}
	return cycle[port]
}

// draw draws cycles: low _, high -, unknown ?, words behind bars, and // where a brief waveform leaves out cycles without a change.
func (w *wave) draw(cycles []map[string]string) string {
	const name = 24
	same := func(i, j int) bool {
		for _, port := range w.ports {
			if _, word := shownWith[port]; word && cell(port, cycles[i]) != cell(port, cycles[j]) || !word && cycles[i][port] != cycles[j][port] {
				return false
			}
		}
		return true
	}
	var kept []int
	for i := range cycles {
		if !w.brief || i == 0 || i == len(cycles)-1 || !same(i, i-1) || !same(i, i+1) {
			kept = append(kept, i)
		}
	}
	wide := map[int]int{} // columns of a cycle, by its place in kept
	for at, i := range kept {
		wide[at] = w.step
		for _, port := range w.ports {
			if _, word := shownWith[port]; word {
				wide[at] = max(wide[at], len(cell(port, cycles[i]))+2)
			}
		}
	}
	var b strings.Builder
	for _, port := range w.ports {
		_, word := shownWith[port]
		fmt.Fprintf(&b, "%-*s", name, port)
		for at, i := range kept {
			gap := at > 0 && kept[at-1] != i-1
			value, before := cycles[i][port], ""
			if at > 0 {
				before = cycles[kept[at-1]][port]
			}
			if word {
				value = cell(port, cycles[i])
				if at > 0 {
					before = cell(port, cycles[kept[at-1]])
				}
			}
			if gap {
				b.WriteString("//")
			}
			switch {
			case word && value == "":
				b.WriteString(strings.Repeat(".", wide[at]))
			case word && value == before && !gap:
				b.WriteString(strings.Repeat(" ", wide[at]))
			case word:
				fmt.Fprintf(&b, "|%-*s", wide[at]-1, value)
			default:
				level := map[string]string{"0": "_", "1": "-", "x": "?"}[value]
				edge := level
				switch {
				case at > 0 && value < before && before != "x":
					edge = `\`
				case at > 0 && value > before:
					edge = "/"
				}
				b.WriteString(edge + strings.Repeat(level, wide[at]-1))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// recording plays testdata/interface.v into a design on Icarus: the cycles of each waveform by its name, those between as "".
func recording(t *testing.T, d *hdlgen.Design) map[string][]map[string]string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "interface")
	arguments := []string{"-g2005", "-Wall", "-s", "interface_test", "-o", program}
	for _, f := range d.Manifest.Files {
		arguments = append(arguments, filepath.Join(d.Dir, f))
	}
	out, err := exec.Command("iverilog", append(arguments, filepath.Join("testdata", "interface.v"))...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.Command("vvp", "-n", program)
	run.Dir = d.Dir
	out, err = run.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "update 1", "the testbench did not come to its end")
	drawn, name := map[string][]map[string]string{}, ""
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "wave":
			name = strings.Join(fields[1:], "")
		case "update":
			return drawn
		default:
			require.Len(t, fields, len(recorded), line)
			cycle := map[string]string{}
			for i, value := range fields {
				cycle[recorded[i]] = value
				powerUp := name == "reset" && len(drawn[name]) == 0
				require.False(t, strings.ContainsAny(value, "xz") && !powerUp, "%s is %s in %s", recorded[i], value, name)
			}
			drawn[name] = append(drawn[name], cycle)
		}
	}
	t.Fatal("no end")
	return nil
}

// TestInterfaceHostCycles: an access takes as many cycles as the page says, whatever the target; one cycle of reset is enough.
func TestInterfaceHostCycles(t *testing.T) {
	needTool(t, "iverilog")
	for _, c := range []testCase{{wires: 1}, {wires: 2}, {shallow: true}, {sparse: true}} {
		c.layers, c.lanes, c.batch, c.rule, c.formats = []int{3, 4, 2}, 2, 2, "constant", "default"
		d := c.generate(t)
		target := d.Manifest.Target
		taken, done := -1, 0
		for i, cycle := range recording(t, d)["host"] {
			if cycle["host_done_o"] == "1" {
				require.Equal(t, target.ReadCycles+2*target.WireCycles+6, i-taken, "%+v", target)
				taken = -1
				done++
			}
			if cycle["host_valid_i"] == "1" && cycle["host_ready_o"] == "1" {
				require.Equal(t, -1, taken)
				taken = i
			}
		}
		require.Equal(t, 3, done)
	}
}

// TestInterfaceWaveforms: the page's waveforms are those of a design on Icarus. CORINFO_UPDATE=1 draws them anew.
func TestInterfaceWaveforms(t *testing.T) {
	needTool(t, "iverilog")
	drawn := recording(t, testCase{layers: []int{3, 4, 2}, lanes: 2, batch: 2, rule: "constant", formats: "default"}.generate(t))
	text := pageText(t)
	blocks := regexp.MustCompile("(?s)<!-- wave: (\\w+) -->\n\n```\n(.*?)```")
	shown := map[string]bool{}
	fresh := blocks.ReplaceAllStringFunc(text, func(block string) string {
		name := blocks.FindStringSubmatch(block)[1]
		w, known := waves[name]
		require.True(t, known, name)
		shown[name] = true
		return fmt.Sprintf("<!-- wave: %s -->\n\n```\n%s```", name, w.draw(drawn[name]))
	})
	require.Len(t, shown, len(waves))
	if os.Getenv("CORINFO_UPDATE") != "" {
		require.NoError(t, os.WriteFile(interfacePage, []byte(fresh), 0o644))
		return
	}
	require.Equal(t, fresh, text, "waveforms; CORINFO_UPDATE=1 draws them anew")
}

// TestInterfaceTraining does what the page asks of a host: rates before every epoch, N learning commands a mini-batch with the
// sign that the seed draws, inferences in between that take no part; then every synapse, read through the host port, is that of corinfo train.
func TestInterfaceTraining(t *testing.T) {
	needTool(t, "iverilog")
	d := testCase{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "default"}.generate(t)
	n := *d.Network
	n.Learning.RandomSign, n.Learning.Epochs = true, 3
	n.Learning.Decay = rule.Decay{Factor: 0.7}
	data := &dataset.Data{Name: "random", Checksum: "of random"}
	rng := testSeed(t)
	for _, set := range []*dataset.Set{&data.Train, &data.Test} {
		set.Size = n.Layers[0]
		for range 5 { // one is left out of every epoch
			for range n.Layers[0] {
				set.Pixels = append(set.Pixels, uint8(rng.IntN(256)))
			}
			set.Labels = append(set.Labels, uint8(rng.IntN(n.Layers[n.K()])))
		}
	}
	trained := &training.Checkpoint{Network: &n, Arithmetic: training.Fixed, Seed: n.Seed, Tensors: d.Initial.Tensors}
	_, err := training.Train(t.Context(), trained, data, training.TrainOptions{Dir: t.TempDir()})
	require.NoError(t, err)

	a, err := settling.New(&n)
	require.NoError(t, err)
	var stimulus bytes.Buffer
	step, signs := 0, map[bool]bool{}
	for epoch := range n.Learning.Epochs {
		for matrix, rate := range a.Rates(epoch) {
			fmt.Fprintf(&stimulus, "H %x %x\n", hostRates+matrix, rate)
		}
		order := training.Order(n.Seed, epoch, data.Train.Len())
		for first := 0; first+n.Learning.Batch <= len(order); first += n.Learning.Batch {
			negative := training.Negative(&n.Learning, n.Seed, step)
			signs[negative] = true
			for _, i := range order[first : first+n.Learning.Batch] {
				x := &command{Sample{make([]int64, n.Layers[0]), int(data.Train.Labels[i]), negative}, learning}
				a.QuantizeInput(data.Train.Sample(i), x.X)
				x.text(&stimulus)
				(&command{x.Sample, inference}).text(&stimulus)
			}
			step++
		}
		stimulus.WriteString("E\n")
	}
	require.Len(t, signs, 2)
	for lane := range d.Manifest.Lanes {
		fmt.Fprintf(&stimulus, "G %x %x\n", hostSynapses+lane*hostLane, d.Layout.Depth)
	}
	fmt.Fprintf(&stimulus, "G %x %x\n", hostControl, controlWords)
	read := map[uint64]int64{}
	for _, line := range play(t, d, Icarus, stimulus.String()) {
		if line[0] == "D" {
			address, err := strconv.ParseUint(line[2], 16, 32)
			require.NoError(t, err)
			word, err := strconv.ParseUint(line[3], 16, 64)
			require.NoError(t, err)
			read[address] = int64(word)
		}
	}
	require.EqualValues(t, n.Seed, read[hostControl])
	require.EqualValues(t, trained.Step, read[hostControl+controlUpdate])
	require.Zero(t, read[hostControl+2], "samples held")
	changed := 0
	for m, place := range d.Manifest.Matrices {
		for row := range place.Rows {
			for column := range place.Cols {
				address := uint64(hostSynapses + row%d.Manifest.Lanes*hostLane + place.Base + column*place.Stride + row/d.Manifest.Lanes)
				at := row*place.Cols + column
				require.Equal(t, trained.Tensors[m].Words[at], read[address], "%s row %d column %d", place.Name, row, column)
				if trained.Tensors[m].Words[at] != d.Initial.Tensors[m].Words[at] {
					changed++
				}
			}
		}
	}
	require.Greater(t, changed, 50)
}
