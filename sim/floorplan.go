package sim

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
)

// grid is where a device has cells of a kind: in every row the same blocks, and in each of them the same sites.
type grid struct {
	rows   []int       // y
	blocks []int       // x
	sites  []blockSite // from the left
}

// blockSite is a site of a block: how far from the block's x, and what nextpnr names it.
type blockSite struct {
	right int
	name  string
}

// blocks85 are the blocks of multipliers and of memories of the LFE5U-85F, above each other.
var blocks85 = []int{4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114}

// deviceGrids are those of the devices that a floorplan is for, by the cells' type: multipliers of 18 x 18 bits and block memories.
var deviceGrids = map[string]map[string]grid{
	"LFE5U-85F": {
		"MULT18X18D": {
			rows: []int{10, 34, 58}, blocks: blocks85,
			sites: []blockSite{{0, "MULT18_0"}, {1, "MULT18_1"}, {4, "MULT18_4"}, {5, "MULT18_5"}},
		},
		"DP16KD": {
			rows: []int{22, 46, 70, 82}, blocks: blocks85,
			sites: []blockSite{{0, "EBR0"}, {2, "EBR1"}, {4, "EBR2"}, {6, "EBR3"}},
		},
	},
}

// aspect is a device's width in tiles by its height.
const aspect = 4.0 / 3

// stripsFor is in how many strips from top to bottom a device is cut for some units: as many units in each, whose shares are about square.
func stripsFor(units int) (best int) {
	off := func(n int) float64 { return math.Abs(math.Log(float64(n) / math.Sqrt(aspect*float64(units)))) }
	best = 1
	for n := 2; n <= units; n++ {
		if units%n == 0 && off(n) < off(best) {
			best = n
		}
	}
	return best
}

// places are all sites, strip by strip, down in one and up in the next.
func (g grid) places(strips int) (list []string) {
	names := make([][]string, strips)
	for _, y := range g.rows {
		for b, x := range g.blocks {
			for s, site := range g.sites {
				strip := (b*len(g.sites) + s) * strips / (len(g.blocks) * len(g.sites))
				names[strip] = append(names[strip], fmt.Sprintf("X%d/Y%d/%s", x+site.right, y, site.name))
			}
		}
	}
	for i, strip := range names {
		if i%2 == 1 {
			slices.Reverse(strip)
		}
		list = append(list, strip...)
	}
	return list
}

// unitCell matches the name of a cell in a neuron unit or one of its lanes.
var unitCell = regexp.MustCompile(`\.gen_unit\[(\d+)\]\.`)

// floorplan gives the multipliers of units and lanes their places when they take more than half of the device's, and so
// their block memories: every unit has a share of the device, about square, and its lanes lie in it in their order.
// nextpnr places such a cell as near as there is room to where its unit would be best; where many want the same row,
// the last ones find theirs across the device, in paths that no register shortens.
//
// The places are attributes BEL of the cells; it tells how many there are of each type.
func floorplan(n *netlist, device string) map[string]int {
	placed := map[string]int{}
	for kind, g := range deviceGrids[device] {
		units := map[int][]string{}
		most, count := 0, 0
		for _, name := range n.names(kind) {
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
		places := g.places(stripsFor(len(units)))
		if 2*count <= len(places) || most*len(units) > len(places) {
			continue
		}
		for i, unit := range slices.Sorted(maps.Keys(units)) {
			share := places[i*len(places)/len(units) : (i+1)*len(places)/len(units)]
			for k, name := range units[unit] {
				n.cells[name].Attributes["BEL"] = share[k*len(share)/len(units[unit])] // what is over is left between them
			}
		}
		placed[kind] = count
	}
	return placed
}
