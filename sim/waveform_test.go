package sim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen/design"
)

// The waveforms of docs/INTERFACE.md and docs/MICROARCHITECTURE.md are of one design of 3-4-2 neurons, simulated.

// signal is what a waveform shows. shown is "" for a level; a word is shown while the signal of that name is high.
type signal struct{ name, shown string }

// ports are recorded in the order in which testdata/interface.v prints them.
var ports = []signal{
	{"rst_i", ""},
	{"command_valid_i", ""}, {"command_ready_o", ""}, {"command_learn_i", ""}, {"command_negative_i", ""},
	{"command_label_i", "command_valid_i"},
	{"sample_valid_i", ""}, {"sample_ready_o", ""}, {"sample_data_i", "sample_valid_i"},
	{"score_valid_o", ""}, {"score_index_o", "score_valid_o"}, {"score_data_o", "score_valid_o"},
	{"result_valid_o", ""}, {"result_ready_i", ""}, {"result_class_o", "result_valid_o"},
	{"host_valid_i", ""}, {"host_ready_o", ""}, {"host_write_i", ""},
	{"host_address_i", "host_valid_i"}, {"host_data_i", "host_write_i"},
	{"host_done_o", ""}, {"host_error_o", ""}, {"host_data_o", "host_done_o"}, {"idle_o", ""},
}

// inside are signals within the design: their names in the drawings, and what they are to the top module. Lane 0 and unit 0 stand for all.
var inside = []struct {
	signal
	value string
}{
	{signal{"start", ""}, "u_control.start"},
	{signal{"step", "start"}, "u_control.step"},
	{signal{"hold", ""}, "|bus_hold"},
	{signal{"kind", "hold"}, "u_control.hold_kind"},
	{signal{"visit", ""}, "bus_visit"},
	{signal{"lane", "visit"}, "bus_visit_sub"},
	{signal{"neuron", "visit"}, "bus_visit_neuron"},
	{signal{"write", ""}, "bus_write"},
	{signal{"row", "write"}, "bus_write_neuron"},
	{signal{"put", ""}, "|from_units_queue_put"},
	{signal{"take", ""}, "|bus_queue_take"},
	{signal{"change", "event"}, "u_control.u_events.change_q"},
	{signal{"event", ""}, "u_control.u_events.event_q"},
	{signal{"column", "placed"}, "u_control.u_events.placed_addr_q"},
	{signal{"placed", ""}, "u_control.u_events.placed_q"},
	{signal{"issue", ""}, "u_control.u_events.issue_q"},
	{signal{"address", "issue"}, "bus_synapse_raddr"},
	{signal{"product", "add"}, "$signed(gen_unit[0].gen_lane[0].u_lane.product_q)"},
	{signal{"read", ""}, "|bus_sum_we"},
	{signal{"add", ""}, "|gen_unit[0].gen_lane[0].u_lane.we_q"},
	{signal{"sum", "add"}, "$signed(gen_unit[0].gen_lane[0].u_lane.next)"},
	{signal{"term", ""}, "u_control.term"},
	{signal{"written", ""}, "trace_synapse_valid_o"},
	{signal{"word", "written"}, "$signed(trace_synapse_words_o)"},
	{signal{"at", "written"}, "trace_synapse_address_o"},
}

// wave is a waveform of a page: the signals that it shows, all cycles or only those around a change, and the columns of a cycle.
type wave struct {
	signals []string
	brief   bool
	step    int
}

// interfaceWaves are of the ports, while testdata/interface.v plays what each is named for.
var interfaceWaves = map[string]wave{
	"reset": {[]string{"rst_i", "command_ready_o", "sample_ready_o", "result_valid_o", "host_ready_o", "idle_o"}, false, 4},
	"command": {[]string{"command_valid_i", "command_ready_o", "command_learn_i", "sample_valid_i", "sample_ready_o", "sample_data_i",
		"idle_o"}, true, 4},
	"result": {[]string{"score_valid_o", "score_index_o", "score_data_o", "result_valid_o", "result_ready_i", "result_class_o",
		"idle_o"}, false, 4},
	"host": {[]string{"host_valid_i", "host_ready_o", "host_write_i", "host_address_i", "host_data_i", "host_done_o", "host_error_o",
		"host_data_o"}, true, 4},
	"first": {[]string{"command_valid_i", "command_ready_o", "host_valid_i", "host_ready_o", "host_done_o", "sample_ready_o",
		"idle_o"}, true, 4},
	"learning": {[]string{"command_valid_i", "command_ready_o", "command_learn_i", "command_negative_i", "command_label_i",
		"sample_valid_i", "sample_ready_o", "score_valid_o", "result_valid_o", "idle_o"}, true, 2},
}

// insideWaves are of signals within the design while it learns: some cycles from the first of a kind on.
var insideWaves = map[string]struct {
	wave
	from   func(cycle map[string]string) bool
	cycles int
}{
	"digit": {wave{[]string{"command_valid_i", "sample_valid_i", "start", "step", "event", "issue"}, true, 1},
		func(c map[string]string) bool { return c["command_valid_i"] == "1" }, 230},
	"change": {wave{[]string{"put", "take", "event", "change", "placed", "column", "issue", "address", "add", "product", "sum"}, true, 3},
		func(c map[string]string) bool { return c["put"] == "1" }, 21},
	"step": {wave{[]string{"start", "step", "hold", "kind", "visit", "lane", "neuron", "write", "row", "put"}, true, 3},
		func(c map[string]string) bool { return c["start"] == "1" && c["step"] == "3" }, 46},
	"update": {wave{[]string{"term", "read", "add", "product", "sum", "hold", "visit", "lane", "written", "at", "word"}, true, 3},
		func(c map[string]string) bool { return c["term"] == "1" }, 32},
}

// shownWith tells of every signal with which other one high it is a word that means something.
var shownWith = func() map[string]string {
	of := map[string]string{}
	for _, s := range ports {
		of[s.name] = s.shown
	}
	for _, s := range inside {
		of[s.name] = s.shown
	}
	return of
}()

// worded is a word as a waveform shows it; "" where it means nothing.
func worded(name string, cycle map[string]string) string {
	if cycle[shownWith[name]] != "1" {
		return ""
	}
	if name == "host_data_i" || name == "host_data_o" {
		return strings.TrimLeft(cycle[name][:15], "0") + cycle[name][15:]
	}
	return cycle[name]
}

// draw draws cycles: low _, high -, unknown ?, words behind bars, and // where a brief waveform leaves out cycles without a change.
func (w *wave) draw(cycles []map[string]string) string {
	const name = 24
	same := func(i, j int) bool {
		for _, s := range w.signals {
			word := shownWith[s] != ""
			if word && worded(s, cycles[i]) != worded(s, cycles[j]) || !word && cycles[i][s] != cycles[j][s] {
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
		for _, s := range w.signals {
			if shownWith[s] != "" {
				wide[at] = max(wide[at], len(worded(s, cycles[i]))+2)
			}
		}
	}
	var b strings.Builder
	for _, s := range w.signals {
		word := shownWith[s] != ""
		fmt.Fprintf(&b, "%-*s", name, s)
		for at, i := range kept {
			gap := at > 0 && kept[at-1] != i-1
			value, before := cycles[i][s], ""
			if at > 0 {
				before = cycles[kept[at-1]][s]
			}
			if word {
				value = worded(s, cycles[i])
				if at > 0 {
					before = worded(s, cycles[kept[at-1]])
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

// insideModule prints the signals within the design, one line a cycle, behind that of the ports.
func insideModule() string {
	var formats, values []string
	for _, s := range inside {
		formats = append(formats, "%0d")
		value := regexp.MustCompile(`\b(u_control|bus_|from_units_|gen_unit|trace_)`).ReplaceAllString(s.value, "interface_test.u_dut.$1")
		values = append(values, value)
	}
	return fmt.Sprintf("`timescale 1ns/1ps\nmodule inside;\n  always @(negedge interface_test.clk) #1 $display(\"inside %s\",\n    %s);\nendmodule\n",
		strings.Join(formats, " "), strings.Join(values, ",\n    "))
}

// recording plays testdata/interface.v into a design on Icarus: the cycles of each waveform by its name, those between as "".
func recording(t *testing.T, d *design.Design) map[string][]map[string]string {
	t.Helper()
	program, within := filepath.Join(t.TempDir(), "interface"), filepath.Join(t.TempDir(), "inside.v")
	require.NoError(t, os.WriteFile(within, []byte(insideModule()), 0o644))
	arguments := []string{"-g2005", "-Wall", "-s", "interface_test", "-s", "inside", "-o", program}
	for _, f := range d.Manifest.Files {
		arguments = append(arguments, filepath.Join(d.Dir, f))
	}
	out, err := exec.Command("iverilog", append(arguments, filepath.Join("testdata", "interface.v"), within)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.Command("vvp", "-n", program)
	run.Dir = d.Dir
	out, err = run.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "update 1", "the testbench did not come to its end")
	drawn, name := map[string][]map[string]string{}, ""
	var cycle map[string]string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "wave":
			name, cycle = strings.Join(fields[1:], ""), nil
		case "update":
			return drawn
		case "inside":
			require.Len(t, fields, len(inside)+1, line)
			for i, value := range fields[1:] {
				if cycle != nil {
					cycle[inside[i].name] = value
				}
			}
		default:
			require.Len(t, fields, len(ports), line)
			cycle = map[string]string{}
			for i, value := range fields {
				cycle[ports[i].name] = value
			}
			for port, value := range cycle {
				gate := shownWith[port]
				powerUp := name == "reset" && len(drawn[name]) == 0
				require.False(t, strings.ContainsAny(value, "xz") && !powerUp && (gate == "" || cycle[gate] == "1"), "%s is %s in %s", port, value, name)
			}
			drawn[name] = append(drawn[name], cycle)
		}
	}
	t.Fatal("no end")
	return nil
}

// TestWaveforms: the pages' waveforms are those of a design on Icarus. CORINFO_UPDATE=1 draws them anew.
func TestWaveforms(t *testing.T) {
	needTool(t, "iverilog")
	drawn := recording(t, testCase{layers: []int{3, 4, 2}, lanes: 2, batch: 2, rule: "constant", formats: "default"}.generate(t))
	texts := map[string]map[string]string{"INTERFACE.md": {}, "MICROARCHITECTURE.md": {}}
	for name, w := range interfaceWaves {
		texts["INTERFACE.md"][name] = w.draw(drawn[name])
	}
	for name, w := range insideWaves {
		cycles := drawn["learning"]
		for len(cycles) > 0 && !w.from(cycles[0]) {
			cycles = cycles[1:]
		}
		require.GreaterOrEqual(t, len(cycles), w.cycles, name)
		texts["MICROARCHITECTURE.md"][name] = w.draw(cycles[:w.cycles])
	}
	blocks := regexp.MustCompile("(?s)<!-- wave: (\\w+) -->\n\n```\n(.*?)```")
	for page, waves := range texts {
		path := filepath.Join("..", "docs", page)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		shown := map[string]bool{}
		fresh := blocks.ReplaceAllStringFunc(string(text), func(block string) string {
			name := blocks.FindStringSubmatch(block)[1]
			require.Contains(t, waves, name, page)
			shown[name] = true
			return fmt.Sprintf("<!-- wave: %s -->\n\n```\n%s```", name, waves[name])
		})
		require.Len(t, shown, len(waves), page)
		if os.Getenv("CORINFO_UPDATE") != "" {
			require.NoError(t, os.WriteFile(path, []byte(fresh), 0o644))
			continue
		}
		require.Equal(t, fresh, string(text), "waveforms; CORINFO_UPDATE=1 draws them anew")
	}
}
