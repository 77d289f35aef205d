package sim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen/design"
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
		w := m.Widths
		widths := map[string]int{"x": w.X, "label": w.Label, "score": w.Score, "context": w.Context, "units x words": m.Units * w.Words, "shared": w.Shared,
			"units x synapse": m.Units * w.Synapse, "units x beside": m.Units * w.Beside}
		var page [][3]string
		for _, row := range tableAfter(t, "## Ports") {
			width := row[2]
			if bits, symbol := widths[width]; symbol {
				width = strconv.Itoa(bits)
			}
			page = append(page, [3]string{row[0], row[1], width})
		}
		require.Equal(t, emitted, page, "%v", c)
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
func recording(t *testing.T, d *design.Design) map[string][]map[string]string {
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
			}
			for port, value := range cycle {
				gate, word := shownWith[port]
				powerUp := name == "reset" && len(drawn[name]) == 0
				require.False(t, strings.ContainsAny(value, "xz") && !powerUp && (!word || cycle[gate] == "1"), "%s is %s in %s", port, value, name)
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
