package sim

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
