package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"corinfo/golden"
)

// multiplierGrid is where a device has its multipliers of 18 x 18 bits: rows, and in each of them the same blocks of four.
type multiplierGrid struct {
	rows, blocks []int // y of the rows, x of the blocks
}

// multiplierGrids are those of the devices that a floorplan is for.
var multiplierGrids = map[string]multiplierGrid{
	"LFE5U-85F": {rows: []int{10, 34, 58}, blocks: []int{4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114}},
}

// sites are nextpnr's names of all multipliers, in the order of a serpentine: along a row, and back along the next one.
func (g multiplierGrid) sites() (list []string) {
	for i, y := range g.rows {
		var row []string
		for _, x := range g.blocks {
			for _, at := range []int{0, 1, 4, 5} {
				row = append(row, fmt.Sprintf("X%d/Y%d/MULT18_%d", x+at, y, at))
			}
		}
		if i%2 == 1 {
			slices.Reverse(row)
		}
		list = append(list, row...)
	}
	return list
}

// unitCell matches the name of a cell in a neuron unit or one of its lanes.
var unitCell = regexp.MustCompile(`\.gen_unit\[(\d+)\]\.`)

// floorplan gives the multipliers of units and lanes their places when they take more than half of the device's: those of a unit, its lanes' among
// them, get neighbours, and the units are spread over the device. nextpnr places a multiplier as near as there is room to where its unit would be
// best; where many units are near the same row, the last ones find theirs across the device, in paths that no register shortens.
//
// It reads Yosys's flat netlist in JSON of the module top, writes it to the file to with the places as attributes BEL, and tells how many
// there are; if there are none, nothing is written.
func floorplan(from, to, top, device string) (int, error) {
	text, err := golden.ReadFile(from, maxProduct)
	if err != nil {
		return 0, err
	}
	damaged := func(err error) error {
		return fmt.Errorf("%w: %s: no netlist of Yosys: %w; delete it", golden.ErrDamaged, from, err)
	}
	// The netlist, its modules, the top one, its cells: the rest is passed on as it is.
	path := []string{"", "modules", top, "cells"}
	levels := make([]map[string]json.RawMessage, len(path))
	for i, key := range path {
		if i > 0 {
			text = levels[i-1][key]
		}
		if err := json.Unmarshal(text, &levels[i]); err != nil {
			return 0, damaged(err)
		}
	}
	cells := levels[len(path)-1]

	units := map[int][]string{}
	most, count := 0, 0
	for _, name := range slices.Sorted(maps.Keys(cells)) {
		if m := unitCell.FindStringSubmatch(name); m != nil && bytes.Contains(cells[name], []byte(`"MULT18X18D"`)) {
			unit, err := strconv.Atoi(m[1])
			if err != nil {
				return 0, damaged(err)
			}
			units[unit] = append(units[unit], name)
			most = max(most, len(units[unit]))
			count++
		}
	}
	sites := multiplierGrids[device].sites()
	if 2*count <= len(sites) || most*len(units) > len(sites) {
		return 0, nil
	}
	for i, unit := range slices.Sorted(maps.Keys(units)) {
		first := i * (len(sites) - most) / max(len(units)-1, 1)
		for k, name := range units[unit] {
			var cell map[string]json.RawMessage
			attributes := map[string]string{}
			if err := json.Unmarshal(cells[name], &cell); err != nil {
				return 0, damaged(err)
			}
			if err := json.Unmarshal(cell["attributes"], &attributes); err != nil {
				return 0, damaged(err)
			}
			attributes["BEL"] = sites[first+k]
			if cell["attributes"], err = json.Marshal(attributes); err != nil {
				return 0, err
			}
			if cells[name], err = json.Marshal(cell); err != nil {
				return 0, err
			}
		}
	}
	for i := len(path) - 1; i > 0; i-- {
		if levels[i-1][path[i]], err = json.Marshal(levels[i]); err != nil {
			return 0, err
		}
	}
	if text, err = json.Marshal(levels[0]); err != nil {
		return 0, err
	}
	return count, golden.WriteFile(to, text)
}
