package rtl

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
)

// guards are the parameters that modules refuse: the reason that elaboration then names, parameters that are illegal for this reason
// alone, and the nearest ones that are legal; those that are not named have their defaults.
var guards = []struct{ module, reason, illegal, legal string }{
	{"choice", "width_below_1", "Width=0", "Width=1"},
	{"choice", "count_below_1", "Count=0", "Count=1"},
	{"choice", "index_w_too_narrow", "Count=3", "Count=4 IndexW=2"},
	{"commands", "contexts_below_1", "Contexts=0", "Contexts=1"},
	{"commands", "context_w_too_narrow", "Contexts=3", "Contexts=4 ContextW=2"},
	{"commands", "label_w_below_1", "LabelW=0", "LabelW=1"},
	{"commands", "batch_below_1", "Batch=0", "Batch=1"},
	{"commands", "sample_w_too_narrow", "Batch=3", "Batch=2"},
	{"context", "label_w_below_1", "LabelW=0", "LabelW=1"},
	{"context", "sample_w_below_1", "SampleW=0", "SampleW=1"},
	{"context", "program_depth_not_2_to_65536", "ProgramDepth=1 ProgramAddrW=0", "ProgramDepth=2 ProgramAddrW=1"},
	{"context", "program_addr_w_not_of_program_depth", "ProgramAddrW=5", "ProgramDepth=17 ProgramAddrW=5"},
	{"control", "lanes_not_units_x_subs", "Lanes=15", "Lanes=6 LaneW=3 Units=2 UnitW=1 Subs=3 SubW=2"},
	{"control", "lane_w_too_narrow", "LaneW=3", "LaneW=4"},
	{"control", "contexts_not_1_to_255", "Contexts=256 ContextW=8", "Contexts=2"},
	{"control", "label_w_not_1_to_16", "LabelW=17", "LabelW=16"},
	{"control", "signal_w_not_1_to_8", "SignalW=9", "SignalW=8"},
	{"control", "one_signal_not_a_signal", "OneSignal=4", "OneSignal=3"},
	{"control", "learning_not_0_or_1", "Learning=2", "Learning=1"},
	{"control", "updates_0_with_learning", "Updates=0", "Learning=0 Updates=0"},
	{"control", "wire_cycles_below_0", "WireCycles=-1", "WireCycles=0"},
	{"counters", "units_below_1", "Units=0", "Units=1"},
	{"counters", "flags_below_1", "Flags=0", "Flags=1"},
	{"counters", "ticks_below_1", "Ticks=0", "Ticks=1"},
	{"counters", "totals_not_2_to_255", "Totals=256", "Totals=255"},
	{"counters", "totals_below_ticks", "Totals=7", "Totals=8"},
	{"counters", "numbers_below_2", "Numbers=1", "Numbers=2"},
	{"counters", "number_w_not_of_numbers", "NumberW=4", ""},
	{"delay", "width_below_1", "Width=0", "Width=1"},
	{"delay", "cycles_below_0", "Cycles=-1", "Cycles=0"},
	{"divide", "signed_not_0_or_1", "Signed=2", "Signed=0"},
	{"divide", "divisor_signed_not_0_or_1", "DivisorSigned=2", "DivisorSigned=1"},
	{"divide", "width_without_magnitude", "Width=1", "Width=2"},
	{"divide", "divisor_width_without_magnitude", "DivisorWidth=0", "DivisorWidth=1"},
	{"events", "contexts_below_1", "Contexts=0", "Contexts=1"},
	{"events", "context_w_too_narrow", "Contexts=3", "Contexts=2"},
	{"events", "units_below_1", "Units=0", "Units=1"},
	{"events", "unit_w_too_narrow", "Units=5", "Units=3"},
	{"events", "read_cycles_below_1", "ReadCycles=0", "ReadCycles=1"},
	{"events", "wire_cycles_below_0", "WireCycles=-1", "WireCycles=0"},
	{"events", "queue_w_below_1", "QueueW=0", "QueueW=1"},
	{"events", "synapse_addr_w_not_1_to_32", "SynapseAddrW=33", "SynapseAddrW=32"},
	{"events", "sum_addr_w_not_1_to_24", "SumAddrW=25", "SumAddrW=24"},
	{"events", "change_width_below_2", "ChangeWidth=1", "ChangeWidth=2"},
	{"events", "operand_width_below_change_width", "OperandWidth=15", "OperandWidth=16"},
	{"events", "signals_below_2", "Signals=1", "Signals=2"},
	{"events", "signal_w_too_narrow", "Signals=9", "Signals=8"},
	{"events", "walk_depth_not_2_to_65536", "WalkDepth=65537", "WalkDepth=2"},
	{"fifo", "width_below_1", "Width=0", "Width=1"},
	{"fifo", "addr_w_below_1", "AddrW=0", "AddrW=1"},
	{"host", "lanes_not_1_to_1024", "Lanes=1025 LaneW=10", "Lanes=1024 LaneW=10"},
	{"host", "lane_w_not_of_lanes", "LaneW=3", "LaneW=4"},
	{"host", "synapse_depth_not_1_to_262144", "SynapseDepth=262145 SynapseAddrW=18", "SynapseDepth=262144 SynapseAddrW=18"},
	{"host", "synapse_addr_w_not_of_synapse_depth", "SynapseDepth=513", "SynapseDepth=513 SynapseAddrW=10"},
	{"host", "synapse_width_not_2_to_64", "SynapseWidth=65", "SynapseWidth=64"},
	{"host", "beside_w_below_1", "BesideW=0", "BesideW=1"},
	{"host", "updates_not_0_or_2_to_256", "Updates=1", "Updates=2"},
	{"host", "constants_width_below_1", "ConstantsWidth=0", "ConstantsWidth=1"},
	{"host", "schedule_not_0_or_1", "Schedule=2", "Schedule=1"},
	{"host", "sample_w_not_1_to_63", "SampleW=64", "SampleW=63"},
	{"host", "counters_not_1_to_255", "Counters=256", "Counters=255"},
	{"host", "read_cycles_below_1", "ReadCycles=0", "ReadCycles=1"},
	{"input", "inputs_not_1_to_65535", "Inputs=65536 InputAddrW=17", "Inputs=65535 InputAddrW=16"},
	{"input", "batch_below_1", "Batch=0", "Batch=1"},
	{"input", "sample_w_too_narrow", "Batch=3 InputAddrW=12", "Batch=2 InputAddrW=11"},
	{"input", "input_addr_w_too_narrow", "InputAddrW=9", "Inputs=1024"},
	{"input", "x_width_below_1", "XWidth=0", "XWidth=1"},
	{"input", "read_cycles_not_1_or_2", "ReadCycles=3", "ReadCycles=1"},
	{"lane", "synapse_width_below_2", "SynapseWidth=1", "SynapseWidth=2"},
	{"lane", "factor_width_below_2", "FactorWidth=1", "FactorWidth=2"},
	{"lane", "operand_width_below_1", "OperandWidth=0", "OperandWidth=1"},
	{"lane", "contexts_below_1", "Contexts=0", "Contexts=1"},
	{"lane", "context_w_too_narrow", "Contexts=3", "Contexts=2"},
	{"lane", "kinds_below_1", "Kinds=0", "Kinds=1"},
	{"lane", "sum_depth_below_1", "SumDepth=0", "SumDepth=1"},
	{"lane", "sum_addr_w_too_narrow", "SumDepth=33", "SumDepth=32"},
	{"lane", "sum_width_below_1", "SumWidth=0", "SumWidth=1"},
	{"queue", "width_below_1", "Width=0", "Width=1"},
	{"queue", "contexts_below_1", "Contexts=0", "Contexts=1"},
	{"queue", "context_w_too_narrow", "Contexts=3", "Contexts=2"},
	{"queue", "addr_w_below_1", "AddrW=0", "AddrW=1"},
	{"ram", "width_below_1", "Width=0", "Width=1"},
	{"ram", "depth_below_2", "Depth=1", "Depth=2"},
	{"ram", "cycles_not_1_or_2", "Cycles=3", "Cycles=2"},
	{"ram", "addr_w_not_of_depth", "AddrW=8", ""},
	{"reset", "cycles_below_1", "Cycles=0", "Cycles=1"},
	{"ring", "width_below_1", "Width=0", "Width=1"},
	{"ring", "cycles_below_3", "Cycles=2", "Cycles=3"},
	{"root", "width_below_1", "Width=0", "Width=1"},
	{"schedule", "entries_below_2", "Entries=1", "Entries=2"},
	{"schedule", "constants_width_below_1", "ConstantsWidth=0", "ConstantsWidth=1"},
	{"schedule", "random_sign_not_0_or_1", "RandomSign=2", "RandomSign=0"},
	{"steps", "lanes_not_units_x_subs", "Lanes=15", "Lanes=6 Units=2 UnitW=1 Subs=3"},
	{"steps", "unit_w_not_of_units", "UnitW=1", "UnitW=2"},
	{"steps", "sub_w_not_of_subs", "SubW=1", "SubW=2"},
	{"steps", "kinds_below_1", "Kinds=0", "Kinds=1"},
	{"steps", "kind_w_too_narrow", "Kinds=5", "Kinds=4"},
	{"steps", "slots_below_1", "Slots=0", "Slots=1"},
	{"steps", "slot_w_too_narrow", "SlotW=2", "SlotW=3"},
	{"steps", "index_w_not_of_slots_x_subs", "IndexW=4", "IndexW=5"},
	{"steps", "contexts_below_1", "Contexts=0", "Contexts=1"},
	{"steps", "context_w_too_narrow", "Contexts=3", "Contexts=2"},
	{"steps", "sum_addr_w_too_narrow", "SumAddrW=4", "SumAddrW=5"},
	{"steps", "sample_w_below_1", "SampleW=0", "SampleW=1"},
	{"steps", "factor_addr_w_not_1_to_16", "FactorAddrW=17", "FactorAddrW=16"},
	{"steps", "kept_addr_w_not_1_to_16", "KeptAddrW=17", "KeptAddrW=16"},
	{"steps", "label_w_not_1_to_16", "LabelW=17", "LabelW=16"},
	{"steps", "steps_not_2_to_256", "Steps=257", "Steps=256"},
	{"steps", "rows_not_1_to_16384", "Rows=16385", "Rows=16384"},
	{"steps", "wire_cycles_below_0", "WireCycles=-1", "WireCycles=0"},
	{"synapses", "synapse_addr_w_not_of_synapse_depth", "SynapseAddrW=8", "SynapseDepth=257"},
	{"synapses", "beside_width_below_0", "BesideWidth=-1", "BesideWidth=0"},
	{"synapses", "beside_w_not_of_beside_width", "BesideW=2", "BesideWidth=3"},
	{"table", "width_not_1_to_512", "Width=513", "Width=512"},
	{"table", "depth_not_2_to_1048576", "Depth=1", "Depth=2"},
	{"table", "addr_w_not_of_depth", "AddrW=5 Depth=16", ""},
	{"terms", "lanes_not_units_x_subs", "Lanes=15", "Lanes=6 Units=2 UnitW=1 Subs=3"},
	{"terms", "unit_w_too_narrow", "UnitW=1", "UnitW=2"},
	{"terms", "sub_w_not_of_subs", "SubW=1", "SubW=2"},
	{"terms", "batch_below_1", "Batch=0", "Batch=1"},
	{"terms", "sample_w_too_narrow", "Batch=3", "Batch=2"},
	{"terms", "slot_w_below_1", "SlotW=0", "SlotW=1"},
	{"terms", "index_w_not_1_to_32", "IndexW=33", "IndexW=32"},
	{"terms", "factor_addr_w_not_1_to_32", "FactorAddrW=33", "FactorAddrW=32"},
	{"terms", "kept_addr_w_not_1_to_32", "KeptAddrW=33", "KeptAddrW=32"},
	{"terms", "input_addr_w_below_1", "InputAddrW=0", "InputAddrW=1"},
	{"terms", "synapse_addr_w_not_above_slot_w", "SynapseAddrW=3", "SynapseAddrW=4"},
	{"terms", "value_width_below_2", "ValueWidth=1", "ValueWidth=2"},
	{"terms", "operand_width_below_value_width", "OperandWidth=17", "OperandWidth=18"},
	{"terms", "fetch_cycles_below_2", "FetchCycles=1", "FetchCycles=2"},
	{"terms", "term_addr_w_too_narrow", "Batch=5 SampleW=3", "Batch=4 SampleW=2"},
	{"update", "updates_not_2_to_256", "Updates=1", "Updates=2"},
	{"update", "slot_w_too_narrow", "Slots=9", "Slots=7"},
	{"update", "inputs_below_1", "Inputs=0", "Inputs=1"},
	{"update", "read_cycles_below_1", "ReadCycles=0", "ReadCycles=1"},
	{"update", "max_latency_not_0_to_253", "MaxLatency=254", "MaxLatency=253"},
	{"valid", "cycles_below_0", "Cycles=-1", "Cycles=0"},
	{"walk", "lanes_not_1_to_65535", "Lanes=65536", "Lanes=65535"},
	{"walk", "sub_w_not_of_subs", "SubW=1", "SubW=2"},
	{"walk", "kind_w_below_1", "KindW=0", "KindW=1"},
	{"walk", "slot_w_below_1", "SlotW=0", "SlotW=1"},
	{"walk", "index_w_below_1", "IndexW=0", "IndexW=1"},
	{"words", "width_below_1", "Width=0", "Width=1"},
	{"words", "depth_below_2", "Depth=1", "Depth=2"},
	{"words", "addr_w_not_of_depth", "AddrW=5 Depth=16", ""},
	{"grant", "contexts_below_1", "Contexts=0", "Contexts=1"},
	{"grant", "context_w_too_narrow", "Contexts=3", "Contexts=2"},
	{"grant", "answers_below_0", "Answers=-1", "Answers=0"},
	{"live", "units_below_1", "Units=0", "Units=1"},
	{"live", "number_w_not_1_to_16", "NumberW=17", "NumberW=16"},
	{"live", "sample_w_below_1", "SampleW=0", "SampleW=1"},
	{"live", "answers_below_0", "Answers=-1", "Answers=0"},
	{"live_inputs", "inputs_not_1_to_65535", "Inputs=65536", "Inputs=65535"},
	{"answer", "units_below_1", "Units=0", "Units=1"},
	{"answer", "unit_w_too_narrow", "Units=5", "Units=3"},
	{"answer", "label_w_below_1", "LabelW=0", "LabelW=1"},
	{"answer", "score_width_below_1", "ScoreWidth=0", "ScoreWidth=1"},
	{"answer", "answers_below_0", "Answers=-1", "Answers=0"},
	{"load", "signal_w_too_narrow", "OneSignal=8", "OneSignal=7"},
	{"load", "change_width_not_above_x_width", "ChangeWidth=9", "ChangeWidth=10"},
	{"presynaptic", "units_below_1", "Units=0", "Units=1"},
	{"presynaptic", "unit_w_too_narrow", "Units=5", "Units=3"},
	{"presynaptic", "kept_width_below_2", "KeptWidth=1", "KeptWidth=2"},
	{"presynaptic", "value_width_too_narrow", "ValueWidth=15", "ValueWidth=16"},
	{"presynaptic", "read_cycles_below_1", "ReadCycles=0", "ReadCycles=1"},
	{"presynaptic", "answers_below_0", "Answers=-1", "Answers=0"},
	{"join", "contexts_below_1", "Contexts=0", "Contexts=1"},
	{"join", "context_w_too_narrow", "Contexts=3", "Contexts=2"},
	{"join", "kinds_below_1", "Kinds=0", "Kinds=1"},
	{"join", "kind_w_too_narrow", "Kinds=5", "Kinds=4"},
	{"join", "sub_w_below_1", "SubW=0", "SubW=1"},
	{"join", "sum_addr_w_below_1", "SumAddrW=0", "SumAddrW=1"},
	{"join", "synapse_addr_w_below_1", "SynapseAddrW=0", "SynapseAddrW=1"},
	{"join", "factor_addr_w_below_1", "FactorAddrW=0", "FactorAddrW=1"},
	{"join", "operand_width_below_1", "OperandWidth=0", "OperandWidth=1"},
	{"host", "beside_bits_not_in_beside_w", "BesideBits=2", "BesideBits=1"},
	{"host", "constant_bits_not_in_constants_width", "ConstantBits=18", "ConstantBits=17"},
}

// verilatorSays is what ends Verilator's elaboration before it comes to a guard: a name that is not there without a first context or
// stage, or the guard of a cell inside.
var verilatorSays = map[string]string{
	"lane contexts_below_1":          "Can't find definition",
	"root width_below_1":             "Can't find definition",
	"divide width_without_magnitude": "Can't find definition",
	"answer score_width_below_1":     "corinfo_error_width_below_1",
	"queue addr_w_below_1":           "corinfo_error_width_below_1",
}

// set gives a module's text with other defaults, "A=1 B=2", in place of -G, which makes every parameter a 32-bit word.
func set(t *testing.T, text, parameters string) string {
	t.Helper()
	for _, parameter := range strings.Fields(parameters) {
		name, value, _ := strings.Cut(parameter, "=")
		pattern := regexp.MustCompile(`(?m)^(  parameter +(?:\[[^\]]*\] *)?` + name + ` *= *)[^,/\n]*[^,/\n ]`)
		require.Regexp(t, pattern, text)
		text = pattern.ReplaceAllString(text, "${1}"+value)
	}
	return text
}

// Every guard of the library's parameters refuses an illegal value by its reason, and lets the nearest legal one pass, in Verilator and in
// Icarus.
func TestGuards(t *testing.T) {
	t.Parallel()
	goldentest.NeedTool(t, "verilator")
	goldentest.NeedTool(t, "iverilog")
	met := map[string]bool{}
	library := t.TempDir()
	for _, file := range Order {
		text := string(Text(file))
		require.NoError(t, os.WriteFile(filepath.Join(library, file), []byte(text), 0o644))
		for _, match := range regexp.MustCompile(`corinfo_error_(\w+) u_error \(\);`).FindAllStringSubmatch(text, -1) {
			reason := strings.TrimSuffix(strings.TrimPrefix(file, "corinfo_"), ".v") + " " + match[1]
			require.False(t, met[reason], "%s: two guards of one reason", reason)
			met[reason] = true
		}
	}
	for _, g := range guards {
		require.True(t, met[g.module+" "+g.reason], "%s has no guard %s", g.module, g.reason)
		delete(met, g.module+" "+g.reason)
		t.Run(g.module+"/"+g.reason, func(t *testing.T) {
			t.Parallel()
			file := "corinfo_" + g.module + ".v"
			elaborate := func(parameters string) (said [2]string, failed [2]bool) {
				path := filepath.Join(t.TempDir(), file)
				require.NoError(t, os.WriteFile(path, []byte(set(t, string(Text(file)), parameters)), 0o644))
				for i, command := range [][]string{
					{"verilator", "--lint-only", "-Wno-lint", "-Wno-fatal", "-y", library, path},
					{"iverilog", "-g2005", "-t", "null", "-y", library, path},
				} {
					out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
					said[i], failed[i] = string(out), err != nil
				}
				return said, failed
			}
			said, failed := elaborate(g.illegal)
			for i := range said {
				require.True(t, failed[i], g.illegal)
				want := `\bcorinfo_error_` + g.reason + `\b`
				if sooner, ok := verilatorSays[g.module+" "+g.reason]; ok && i == 0 {
					want = sooner
				}
				require.Regexp(t, want, said[i])
			}
			said, failed = elaborate(g.legal)
			for i := range said {
				require.False(t, failed[i], "%s: %s", g.legal, said[i])
			}
		})
	}
	require.Empty(t, met, "guards without a case")
}
