package sim

import (
	"context"
	"path/filepath"
	"strings"

	"corinfo/hdlgen"
)

// Lint runs every linter on a design's Verilog and returns what they say; "" is a clean design.
func Lint(ctx context.Context, dir string, m *hdlgen.Manifest) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	var said strings.Builder
	out, err := output(ctx, dir, "verilator", append([]string{"--lint-only", "-Wall", "--top-module", m.Name}, m.Files...)...)
	said.WriteString(out)
	if err != nil {
		return said.String(), err
	}
	out, err = output(ctx, dir, "iverilog", append([]string{"-g2005", "-Wall", "-t", "null", "-s", m.Name}, m.Files...)...)
	said.WriteString(out)
	if err != nil {
		return said.String(), err
	}
	out, err = output(ctx, dir, "yosys", "-q", "-p", "read_verilog "+strings.Join(m.Files, " ")+"; hierarchy -check -top "+m.Name+"; proc; opt_clean; check -assert")
	said.WriteString(out)
	return strings.TrimSpace(said.String()), err
}
