// Package verilog is Verilog-2005 as plain data and a printer. The tree is made legal before it is printed:
// Check tells what is wrong with it; Fprint decides nothing.
package verilog

import (
	"maps"
	"slices"
)

// Module is one module, printed to one file of its name.
type Module struct {
	Name   string
	Header []string // comment paragraphs, which the printer fills; "" is an empty line
	Ports  []Port
	Items  []Item
}

// Dir is the direction of a port.
type Dir string

const (
	In  Dir = "input"
	Out Dir = "output"
)

// Port is a port of a module, a wire. A port with a Name of "" is a comment line between groups.
type Port struct {
	Dir     Dir
	Width   int
	Signed  bool
	Name    string
	Comment string
}

// Group is a comment line that opens a group of ports.
func Group(comment string) Port { return Port{Comment: comment} }

// Item is one part of a module's body.
type Item interface{ item() }

type (
	// Comment is a comment line after a blank line: it opens a section.
	Comment struct{ Text string }
	// Localparam is a named constant.
	Localparam struct {
		Name    string
		Value   Expr
		Comment string
	}
	// Net declares a wire or a reg.
	Net struct {
		Reg    bool
		Signed bool
		Width  int
		Name   string
	}
	// Assign drives a wire.
	Assign struct {
		Left  Expr
		Right Expr
	}
	// Clocked is a process at the rising edge of clk_i: registers and what they take, while Enable is high if it is
	// not nil.
	Clocked struct {
		Enable Expr
		Body   []Update
	}
	// Gated is a combinational process: registers that are unknown except while When is high. Nobody looks at them
	// then, hardware need not see to it, and a simulator has no work with them in other cycles.
	Gated struct {
		When Expr
		Body []Gate
	}
	// ROM is a process at the rising edge of clk_i: a register that takes the word of an address, while Enable is high.
	ROM struct {
		Enable       Expr
		Left         Id
		Address      Id
		AddressWidth int
		Words        []Expr // one for every address
	}
	// Instance is an instance of a module.
	Instance struct {
		Module string
		Params []Bind
		Name   string
		Ports  []Bind
	}
)

// Update is a nonblocking assignment.
type Update struct {
	Left  Expr
	Right Expr
}

// Gate is what a register of Gated takes.
type Gate struct {
	Left  Id
	Width int
	Right Expr
}

// Bind connects a port or sets a parameter by name.
type Bind struct {
	Name  string
	Value Expr
}

func (Comment) item()    {}
func (Localparam) item() {}
func (Net) item()        {}
func (Assign) item()     {}
func (Clocked) item()    {}
func (Gated) item()      {}
func (ROM) item()        {}
func (Instance) item()   {}

// Wire declares an unsigned wire.
func Wire(name string, width int) Net { return Net{Name: name, Width: width} }

// Expr is an expression.
type Expr interface{ expr() }

type (
	// Id is a name.
	Id string
	// Int is an unsized decimal number, for parameters and indices.
	Int int
	// Lit is a sized constant of raw bits: hexadecimal digits, at most Width bits.
	Lit struct {
		Width  int
		Hex    string
		Signed bool
	}
	// Str is a string, for file names.
	Str string
	// Unary is an operator before its operand.
	Unary struct {
		Op string
		X  Expr
	}
	// Binary is an operator between its operands.
	Binary struct {
		Op   string
		X, Y Expr
	}
	// Cond is Test ? X : Y.
	Cond struct{ Test, X, Y Expr }
	// Concat joins bits, the first the highest.
	Concat []Expr
	// Repeat is {Count{X}}.
	Repeat struct {
		Count int
		X     Expr
	}
	// Bit is X[Index].
	Bit struct {
		X     Id
		Index int
	}
	// Slice is X[High:Low].
	Slice struct {
		X         Id
		High, Low int
	}
	// Signed is $signed(X).
	Signed struct{ X Expr }
)

func (Id) expr()     {}
func (Int) expr()    {}
func (Lit) expr()    {}
func (Str) expr()    {}
func (Unary) expr()  {}
func (Binary) expr() {}
func (Cond) expr()   {}
func (Concat) expr() {}
func (Repeat) expr() {}
func (Bit) expr()    {}
func (Slice) expr()  {}
func (Signed) expr() {}

// Instances are the names of the modules that a module instantiates, sorted.
func (m *Module) Instances() []string {
	names := map[string]bool{}
	for _, i := range m.Items {
		if x, ok := i.(Instance); ok {
			names[x.Module] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
