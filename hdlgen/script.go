package hdlgen

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"corinfo/constraints"
)

// yosysScript reads Verilog, maps the module top and does what comes after. Every file name is quoted.
func yosysScript(head string, sources, synthesis []string, top string, after ...string) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(head) {
		fmt.Fprintf(&b, "# %s", line)
	}
	for _, file := range sources {
		fmt.Fprintf(&b, "read_verilog -defer %q\n", file)
	}
	for _, command := range slices.Concat(synthesis, after) {
		fmt.Fprintln(&b, strings.ReplaceAll(command, "TOP", top))
	}
	return b.Bytes()
}

// flat are the commands that put all modules into the top one, so that every lane's cells have names.
var flat = []string{"setattr -mod -unset keep_hierarchy *", "flatten"}

// scriptFile is where a design's script stands.
func scriptFile(name string) string { return name + ".ys" }

// outOfContext is the script for figures of a design by itself.
func outOfContext(m *Manifest, f *constraints.Family) []byte {
	head := fmt.Sprintf("%s by itself, without pins, on the family %s (%s): what it takes. In this folder:\n  yosys %s\n",
		m.Name, f.Name, f.Title, scriptFile(m.Name))
	return yosysScript(head, m.Files, f.Synthesis, m.Name, append(slices.Clone(flat), "stat")...)
}

// BoardScript is the script that makes the netlist of a design's whole FPGA: mapped by delay, and flat. Its paths are relative to
// the design's folder: memory images are named so, and YoWASP's tools see no other folder.
func (m *Manifest) BoardScript(netlist string) ([]byte, error) {
	board, err := constraints.Get(m.Board.Name)
	if err != nil {
		return nil, err
	}
	family, err := constraints.GetFamily(board.Family)
	if err != nil {
		return nil, err
	}
	return yosysScript(m.Board.Top+" on "+board.Title+"\n", slices.Concat(m.Files, m.Board.Files), family.Synthesis, m.Board.Top,
		append(slices.Clone(flat), fmt.Sprintf("write_json %q", netlist))...), nil
}
