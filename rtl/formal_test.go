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

// without are the modules that have no properties, and why.
var without = map[string]string{
	"corinfo_wire":     "a corinfo_delay",
	"corinfo_synapses": "two corinfo_ram",
}

// Every module of the library has properties, or a reason for none, and they are of no module but one of the library.
func TestPropertiesOfAll(t *testing.T) {
	found := 0
	for _, file := range Order {
		with, properties := WithProperties(file, Text(file))
		reason := without[strings.TrimSuffix(file, ".v")]
		require.Equal(t, properties == nil, reason != "", file)
		if properties == nil {
			continue
		}
		found++
		require.Contains(t, string(with), "_formal ")
		for _, line := range strings.Split(string(properties), "\n") {
			require.LessOrEqual(t, len(line), 120, "%s: %s", file, line)
		}
	}
	entries, err := formal.ReadDir("formal")
	require.NoError(t, err)
	require.Len(t, entries, found, "properties of no module of the library")
}

// asserted matches the message of an assertion, which Yosys does not read.
var asserted = regexp.MustCompile(`\s+else \$fatal\(1, "([^"]*)"\)`)

// proof gives a module and its properties as Yosys proves them: what is asserted of the environment is assumed. Of the behaviour, what
// the messages named are of is left out.
func proof(t *testing.T, file, parameters string, but []string) (with, properties string) {
	t.Helper()
	text, checker := WithProperties(file, []byte(set(t, string(Text(file)), parameters)))
	before, behaviour, ok := strings.Cut(string(checker), ": behaviour")
	require.True(t, ok, file)
	for _, message := range but {
		pattern := regexp.MustCompile(`assert \([^;]*` + regexp.QuoteMeta(message) + `"\);`)
		require.Regexp(t, pattern, behaviour)
		behaviour = pattern.ReplaceAllString(behaviour, "")
	}
	return string(text), asserted.ReplaceAllString(strings.ReplaceAll(before, "assert (", "assume (")+": behaviour"+behaviour, "")
}

// Properties of cells that are small are proven, not only watched: for every run that keeps to what is promised to them, of any length; what
// but names, as an order of words, for every run of so many cycles from a reset on.
func TestProofs(t *testing.T) {
	t.Parallel()
	goldentest.NeedTool(t, "yosys")
	order := []string{"the head is not the word that was put"}
	inputBit := []string{"an input's bit is not that of its words"}
	queueOrder := []string{"the head is not the event that was put"}
	for _, c := range []struct {
		module, parameters string
		but                []string
	}{
		{"fifo", "Width=1 AddrW=1", order},
		{"fifo", "Width=1 AddrW=2", order},
		{"queue", "Width=1 Contexts=1 ContextW=1 AddrW=1", queueOrder},
		{"queue", "Width=1 Contexts=2 ContextW=1 AddrW=1", queueOrder},
		{"valid", "Cycles=0", nil},
		{"valid", "Cycles=1", nil},
		{"valid", "Cycles=4", nil},
		{"delay", "Width=1 Cycles=0", nil},
		{"delay", "Width=2 Cycles=3", nil},
		{"ring", "Width=1 Cycles=3", nil},
		{"ring", "Width=1 Cycles=4", nil},
		{"choice", "Width=2 Count=1 IndexW=1", nil},
		{"choice", "Width=2 Count=5 IndexW=3", nil},
		{"reset", "Cycles=1", nil},
		{"reset", "Cycles=3", nil},
		{"status", "", nil},
		{"grant", "Contexts=3 ContextW=2", nil},
		{"grant", "Contexts=3 ContextW=2 Groups=1", nil},
		{"join", "Contexts=3 ContextW=2", nil},
		{"random_keys", "", nil},
		{"commands", "Contexts=3 ContextW=2 Batch=3 SampleW=2", nil},
		{"live_inputs", "Inputs=1", inputBit},
		{"live_inputs", "Inputs=2", inputBit},
		{"live_inputs", "Inputs=5", inputBit},
		{"context", "LabelW=1 HostTables=0", nil},
		{"answer", "Units=2 UnitW=1 LabelW=2 ScoreWidth=2 Answers=0", nil},
		{"answer", "Units=3 UnitW=2 LabelW=2 ScoreWidth=3 Answers=2", nil},
		{"presynaptic", "Units=3 KeptWidth=3 XWidth=2 XSigned=0 ValueWidth=4 ReadCycles=1 Answers=0", nil},
		{"presynaptic", "Units=2 UnitW=1 KeptWidth=2 XWidth=2 XSigned=1 ValueWidth=3 ReadCycles=2 Answers=1", nil},
	} {
		t.Run(c.module+" "+c.parameters, func(t *testing.T) {
			t.Parallel()
			prove := func(but []string, how string) {
				dir := t.TempDir()
				files := "properties.sv"
				for _, file := range Order {
					text := string(Text(file))
					if file == "corinfo_"+c.module+".v" {
						var properties string
						text, properties = proof(t, file, c.parameters, but)
						require.NoError(t, os.WriteFile(filepath.Join(dir, files), []byte(properties), 0o644))
					}
					require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644))
				}
				needed := strings.Join(Needed([]string{"corinfo_" + c.module}), " ")
				cmd := exec.Command("yosys", "-q", "-p", "read_verilog -formal -sv "+needed+" "+files+"; prep -flatten -top corinfo_"+c.module+
					"; memory_map; opt -full; async2sync; sat -set-assumes -prove-asserts -verify "+how)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
			prove(c.but, "-tempinduct -maxsteps 20")
			if c.but != nil {
				prove(nil, "-tempinduct -tempinduct-baseonly -maxsteps 14")
			}
		})
	}
}
