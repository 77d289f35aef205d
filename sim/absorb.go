package sim

import (
	"fmt"
	"slices"
	"strings"
)

// absorb moves registers into the block memories and multipliers beside them, which have their own: those behind all
// words that a memory's port reads, with the clock and the enable of the port, and those before both operands and behind
// the product of a multiplier. Yosys leaves them outside, where a word comes 5.8 ns after the clock and has its wire
// before it. What the netlist computes is the same in every cycle but for what registers hold before the first edge of
// the clock, where they have no reset.
//
// It tells how many flip-flops are no more.
func absorb(n *netlist) int {
	a := newAbsorption(n)
	for _, name := range n.names("DP16KD") {
		a.memory(name)
	}
	for _, name := range n.names("MULT18X18D") {
		a.multiplier(name)
	}
	return a.gone
}

// absorption knows what drives a net and what listens to it.
type absorption struct {
	n         *netlist
	drivers   map[bit]string // cells by the net that they drive
	listeners map[bit]int    // inputs of cells and of the module's ports
	sink      map[bit]string // a cell that listens at DI
	gone      int
}

func newAbsorption(n *netlist) *absorption {
	a := &absorption{n: n, drivers: map[bit]string{}, listeners: map[bit]int{}, sink: map[bit]string{}}
	for _, p := range n.ports {
		for _, b := range p.Bits {
			a.listeners[b]++
		}
	}
	for name, c := range n.cells {
		for port, bits := range c.Connections {
			for _, b := range bits {
				if c.Directions[port] != "input" {
					a.drivers[b] = name
					continue
				}
				a.listeners[b]++
				if port == "DI" {
					a.sink[b] = name
				}
			}
		}
	}
	return a
}

// net is the one net at a port of one bit, or at a bit of a bus that is ports of one bit, 0 where nothing is.
func (c *cell) net(port string) bit {
	if bits := c.Connections[port]; len(bits) == 1 {
		return bits[0]
	}
	return constant0
}

// clocking is what registers must share to be one.
type clocking struct{ clock, enable bit }

// plain tells of a flip-flop at the rising edge, without a reset and without a word to begin with but 0.
func (c *cell) plain() (with clocking, ok bool) {
	if c.Type != "TRELLIS_FF" || c.Parameters["CLKMUX"] != "CLK" || c.Parameters["REGSET"] != "RESET" ||
		c.net("LSR") != constant0 || c.net("M") != constant0 || c.net("Q") <= constant1 {
		return clocking{}, false
	}
	enable := constant1
	switch strings.TrimSpace(c.Parameters["CEMUX"]) {
	case "1":
	case "CE":
		enable = c.net("CE")
	default:
		return clocking{}, false
	}
	return clocking{c.net("CLK"), enable}, true
}

// behind finds the flip-flops that alone listen to some nets, all of them with one clocking.
func (a *absorption) behind(nets []bit) (registers []string, with clocking, ok bool) {
	for i, b := range nets {
		name := a.sink[b]
		if name == "" || a.listeners[b] != 1 {
			return nil, clocking{}, false
		}
		own, ok := a.n.cells[name].plain()
		if !ok || i > 0 && own != with {
			return nil, clocking{}, false
		}
		with = own
		registers = append(registers, name)
	}
	return registers, with, len(registers) > 0
}

// before finds the flip-flops that drive some nets, all of them with one clocking, "" where a net is always 0.
func (a *absorption) before(nets []bit) (registers []string, with clocking, ok bool) {
	for _, b := range nets {
		if b == constant0 {
			registers = append(registers, "")
			continue
		}
		name := a.drivers[b]
		if name == "" {
			return nil, clocking{}, false
		}
		own, plain := a.n.cells[name].plain()
		if !plain || ok && own != with {
			return nil, clocking{}, false
		}
		with, ok = own, true
		registers = append(registers, name)
	}
	return registers, with, ok
}

// remove takes a flip-flop out.
func (a *absorption) remove(name string) {
	from := a.n.cells[name].net("DI")
	a.listeners[from]--
	if a.sink[from] == name {
		delete(a.sink, from)
	}
	delete(a.n.cells, name)
	a.gone++
}

// ends lists the ports of a bus, those that are connected.
func (c *cell) ends(bus string, width int) (ports []string) {
	for i := range width {
		if port := fmt.Sprintf("%s%d", bus, i); len(c.Connections[port]) == 1 {
			ports = append(ports, port)
		}
	}
	return ports
}

// heard are the ports of a bus that something listens to.
func (a *absorption) heard(c *cell, bus string, width int) []string {
	return slices.DeleteFunc(c.ends(bus, width), func(port string) bool { return a.listeners[c.net(port)] == 0 })
}

// nets are those at some ports.
func (c *cell) nets(ports []string) (list []bit) {
	for _, port := range ports {
		list = append(list, c.net(port))
	}
	return list
}

// memory absorbs the registers behind each port of a block memory. A word of 36 bits comes from both ports' outputs, and
// is read by port B.
func (a *absorption) memory(name string) {
	c := a.n.cells[name]
	sides := [][]string{{"A"}, {"B"}}
	if wide := strings.Repeat("0", 26) + "100100"; c.Parameters["DATA_WIDTH_A"] == wide || c.Parameters["DATA_WIDTH_B"] == wide {
		sides = [][]string{{"B", "A"}}
	}
	for _, side := range sides {
		var ports []string
		for _, port := range side {
			ports = append(ports, a.heard(c, "DO"+port, 18)...)
		}
		registers, with, ok := a.behind(c.nets(ports))
		// Who reads is the first: its enable is the register's, so that a word that is not read is not passed on.
		if !ok || c.net("CE"+side[0]) != with.enable {
			continue
		}
		clocked := true
		for _, port := range side {
			clocked = clocked && c.net("CLK"+port) == with.clock && c.net("RST"+port) == constant0 && c.without("REGMODE_"+port, "NOREG")
		}
		if !clocked {
			continue
		}
		a.bypass(name, ports, registers)
		for _, port := range side {
			c.Parameters["REGMODE_"+port] = "OUTREG"
			c.connect("OCE"+port, with.enable)
		}
	}
}

// bypass has a cell's outputs drive what the registers behind them drove.
func (a *absorption) bypass(name string, ports, registers []string) {
	for i, register := range registers {
		q := a.n.cells[register].net("Q")
		a.n.cells[name].Connections[ports[i]] = []bit{q}
		a.drivers[q] = name
		a.remove(register)
	}
}

// without tells whether a cell has no register of its own yet: whether its parameter is unset, or says none.
func (c *cell) without(parameter, none string) bool {
	is := c.Parameters[parameter]
	return is == "" || is == none
}

func (c *cell) connect(port string, to bit) {
	c.Connections[port], c.Directions[port] = []bit{to}, "input"
}

// multiplierRegisters are those of both operands and of the product.
var multiplierRegisters = []string{"REG_INPUTA", "REG_INPUTB", "REG_OUTPUT"}

// multiplier absorbs the registers of both operands and of the product, or none.
func (a *absorption) multiplier(name string) {
	c := a.n.cells[name]
	var operands [2][]string // ports
	var registers [2][]string
	var with [3]clocking
	for _, register := range multiplierRegisters {
		if !c.without(register+"_CLK", "NONE") {
			return
		}
	}
	for i, bus := range []string{"A", "B"} {
		operands[i] = c.ends(bus, 18)
		var ok bool
		if registers[i], with[i], ok = a.before(c.nets(operands[i])); !ok {
			return
		}
	}
	ports := a.heard(c, "P", 36)
	products, last, ok := a.behind(c.nets(ports))
	with[2] = last
	if !ok || with[0].clock != last.clock || with[1].clock != last.clock {
		return
	}
	for i := range operands {
		a.ahead(c, operands[i], registers[i])
	}
	a.bypass(name, ports, products)
	c.connect("CLK0", last.clock)
	c.connect("RST0", constant0)
	var enables []bit
	for i, register := range multiplierRegisters {
		at := slices.Index(enables, with[i].enable)
		if at < 0 {
			at = len(enables)
			enables = append(enables, with[i].enable)
			c.connect(fmt.Sprintf("CE%d", at), with[i].enable)
		}
		c.Parameters[register+"_CLK"], c.Parameters[register+"_RST"] = "CLK0", "RST0"
		c.Parameters[register+"_CE"] = fmt.Sprintf("CE%d", at)
	}
}

// ahead has a cell's inputs listen to what the registers before them take. A register that drives something else stays for that.
func (a *absorption) ahead(c *cell, ports, registers []string) {
	for i, name := range registers {
		if name == "" {
			continue
		}
		from, to := c.net(ports[i]), a.n.cells[name].net("DI")
		c.Connections[ports[i]] = []bit{to}
		a.listeners[from]--
		a.listeners[to]++
	}
	for i, name := range registers {
		if name != "" && !slices.Contains(registers[:i], name) && a.listeners[a.n.cells[name].net("Q")] == 0 {
			a.remove(name)
		}
	}
}
