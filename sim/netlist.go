package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"corinfo/golden"
)

// netlist is Yosys's flat netlist of a top module, in JSON; what the steps between synthesis and place and route do not
// look at is passed on as it is.
type netlist struct {
	levels [4]map[string]json.RawMessage // the netlist, its modules, the top one, its cells
	path   [4]string                     // the keys to them
	ports  map[string]struct{ Bits []bit }
	cells  map[string]*cell
}

// cell is one of a netlist. Its connections are nets by port, from the lowest bit.
type cell struct {
	HideName    int               `json:"hide_name"`
	Type        string            `json:"type"`
	Parameters  map[string]string `json:"parameters"`
	Attributes  map[string]string `json:"attributes"`
	Directions  map[string]string `json:"port_directions"`
	Connections map[string][]bit  `json:"connections"`
}

// bit is a net's number, or a constant.
type bit int

// Constants of a netlist; nets begin at 2.
const (
	constantX bit = -1
	constant0 bit = 0
	constant1 bit = 1
)

func (b *bit) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `"0"`:
		*b = constant0
	case `"1"`:
		*b = constant1
	case `"x"`, `"z"`:
		*b = constantX
	default:
		n, err := strconv.Atoi(string(text))
		if err != nil || n < 2 {
			return fmt.Errorf("net %s; want a number of 2 or more, \"0\", \"1\", \"x\" or \"z\"", text)
		}
		*b = bit(n)
	}
	return nil
}

func (b bit) MarshalJSON() ([]byte, error) {
	switch b {
	case constant0:
		return []byte(`"0"`), nil
	case constant1:
		return []byte(`"1"`), nil
	case constantX:
		return []byte(`"x"`), nil
	}
	return strconv.AppendInt(nil, int64(b), 10), nil
}

// readNetlist reads the netlist of the module top. One that is cut off, or none, is ErrDamaged.
func readNetlist(file, top string) (*netlist, error) {
	text, err := golden.ReadFile(file, maxProduct)
	if err != nil {
		return nil, err
	}
	damaged := func(err error) error {
		return fmt.Errorf("%w: %s: no netlist of Yosys: %w; delete it", golden.ErrDamaged, file, err)
	}
	n := &netlist{path: [4]string{"", "modules", top, "cells"}, cells: map[string]*cell{}}
	for i, key := range n.path {
		if i > 0 {
			text = n.levels[i-1][key]
		}
		if err := json.Unmarshal(text, &n.levels[i]); err != nil {
			return nil, damaged(err)
		}
	}
	if ports := n.levels[2]["ports"]; ports != nil {
		if err := json.Unmarshal(ports, &n.ports); err != nil {
			return nil, damaged(err)
		}
	}
	for name, text := range n.levels[3] {
		var c *cell
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, damaged(fmt.Errorf("cell %s: %w", name, err))
		}
		if c == nil {
			return nil, damaged(fmt.Errorf("cell %s is nothing", name))
		}
		for _, m := range []*map[string]string{&c.Parameters, &c.Attributes, &c.Directions} {
			if *m == nil {
				*m = map[string]string{}
			}
		}
		n.cells[name] = c
	}
	return n, nil
}

// names lists the cells of a type, sorted.
func (n *netlist) names(kind string) (list []string) {
	for name, c := range n.cells {
		if c.Type == kind {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func (n *netlist) write(file string) error {
	text, err := json.Marshal(n.cells)
	for i := len(n.path) - 1; err == nil && i > 0; i-- {
		n.levels[i-1][n.path[i]] = text
		text, err = json.Marshal(n.levels[i-1])
	}
	if err != nil {
		return err
	}
	return golden.WriteFile(file, text)
}
