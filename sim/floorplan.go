package sim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
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
// The places are attributes BEL of the cells; it tells how many there are.
func floorplan(n *netlist, device string) int {
	units := map[int][]string{}
	most, count := 0, 0
	for _, name := range n.names("MULT18X18D") {
		m := unitCell.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		unit, err := strconv.Atoi(m[1])
		if err != nil { // beyond all numbers of units
			continue
		}
		units[unit] = append(units[unit], name)
		most = max(most, len(units[unit]))
		count++
	}
	sites := multiplierGrids[device].sites()
	if 2*count <= len(sites) || most*len(units) > len(sites) {
		return 0
	}
	for i, unit := range slices.Sorted(maps.Keys(units)) {
		first := i * (len(sites) - most) / max(len(units)-1, 1)
		for k, name := range units[unit] {
			c := n.cells[name]
			if c.Attributes == nil {
				c.Attributes = map[string]string{}
			}
			c.Attributes["BEL"] = sites[first+k]
		}
	}
	return count
}
