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

// linted are the other parameters with which modules are linted, beside their defaults.
var linted = map[string]string{
	"corinfo_divide":      "Width=2 Signed=0 DivisorWidth=2 DivisorSigned=1",
	"corinfo_root":        "Width=1",
	"corinfo_ram":         "Width=3 Depth=7 Cycles=2",
	"corinfo_delay":       "Width=5 Cycles=0",
	"corinfo_ring":        "Width=5 Cycles=3",
	"corinfo_choice":      "Width=5 Count=1",
	"corinfo_valid":       "Cycles=0",
	"corinfo_fifo":        "Width=70 AddrW=1",
	"corinfo_commands":    "Contexts=3 ContextW=2 Batch=20 SampleW=5",
	"corinfo_lane":        "SynapseWidth=5 FactorWidth=4 Contexts=3 ContextW=2 Kinds=1 SumWidth=9",
	"corinfo_synapses":    "ReadCycles=1 SynapseWidth=5 SynapseDepth=7 SynapseAddrW=3 BesideWidth=9",
	"corinfo_queue":       "Width=3 Contexts=3 ContextW=2 AddrW=1",
	"corinfo_words":       "Width=3 Depth=2",
	"corinfo_wire":        "Width=3 Cycles=0",
	"corinfo_reset":       "Cycles=3",
	"corinfo_table":       "Width=64 Depth=700 Host=0",
	"corinfo_walk":        "Lanes=5 Subs=1 SubW=1 SlotW=1 IndexW=2",
	"corinfo_steps":       "Lanes=3 Units=3 Subs=1 SubW=1 Contexts=3 ContextW=2 SampleW=5 Steps=3 Rows=1 HostTables=0",
	"corinfo_context":     "LabelW=1 SampleW=5 ProgramDepth=40 ProgramAddrW=6 HostTables=0",
	"corinfo_events":      "Contexts=3 ContextW=2 Units=1 UnitW=1 ReadCycles=1 SynapseAddrW=12 ChangeWidth=5 SignalW=1 Signals=2 WalkDepth=3 HostTables=0",
	"corinfo_terms":       "Batch=3 SampleW=2 Units=1 UnitW=1 Subs=5 SubW=3 Lanes=5 SlotW=1 IndexW=4 FetchCycles=5",
	"corinfo_update":      "Lanes=5 Units=5 UnitW=3 Subs=1 SubW=1 Batch=3 SampleW=2 Inputs=7 InputAddrW=5 ReadCycles=1 FetchCycles=5 MaxLatency=90 HostTables=0",
	"corinfo_host":        "Lanes=2 LaneW=1 SynapseDepth=4000 SynapseAddrW=12 SynapseWidth=40 BesideW=33 ConstantsWidth=64 SampleW=5 ReadCycles=1 Schedule=1",
	"corinfo_control":     "Contexts=3 ContextW=2 Batch=3 SampleW=2 OneSignal=2 Dense=1 Groups=1 ReadCycles=1 HostTables=0 Entries=3",
	"corinfo_schedule":    "Entries=7 ConstantsWidth=70 RandomSign=0",
	"corinfo_counters":    "Units=1 Flags=3 Totals=13 Numbers=2 HostTables=0",
	"corinfo_input":       "Inputs=3 Batch=2 InputAddrW=3 ReadCycles=1 Dense=1",
	"corinfo_status":      "",
	"corinfo_grant":       "Contexts=3 ContextW=2 Answers=4 Groups=1",
	"corinfo_answer":      "Units=3 Answers=4",
	"corinfo_live":        "NumberW=2 SampleW=5 Answers=4",
	"corinfo_live_inputs": "Inputs=1",
	"corinfo_load":        "Inputs=1 InputAddrW=1 ReadCycles=1 Dense=1 OneSignal=2 XSigned=1",
	"corinfo_presynaptic": "Units=3 XSigned=1 Answers=4",
	"corinfo_join":        "Contexts=3 ContextW=2 Kinds=1 KindW=1",
}

// Every module of the library lints alone, as the top, with its defaults and with other parameters.
func TestLibraryLints(t *testing.T) {
	goldentest.NeedTool(t, "verilator")
	library := t.TempDir()
	for _, file := range Order {
		require.NoError(t, os.WriteFile(filepath.Join(library, file), Text(file), 0o644))
	}
	for _, file := range Order {
		module, text := strings.TrimSuffix(file, ".v"), string(Text(file))
		sets := []string{""}
		if other, ok := linted[module]; ok {
			sets = append(sets, other)
		} else {
			require.NotRegexp(t, regexp.MustCompile(`(?m)^  parameter `), text, "%s: name a second set of parameters here", module)
		}
		for _, parameters := range sets {
			changed := text
			for _, parameter := range strings.Fields(parameters) {
				before := changed
				changed = set(t, changed, parameter)
				require.NotEqual(t, before, changed, "%s: %s is its default", module, parameter)
			}
			alone := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(alone, file), []byte(changed), 0o644))
			lint := exec.Command("verilator", "--lint-only", "-Wall", "--top-module", module, "-y", library, file)
			lint.Dir = alone
			said, err := lint.CombinedOutput()
			require.NoError(t, err, "%s %s\n%s", module, parameters, said)
			require.Empty(t, string(said), "%s %s", module, parameters)
		}
	}
}
