package verilog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Fprint writes a module. It fails on a tree that Check refuses and on errors of w.
func Fprint(w io.Writer, m *Module) error {
	if err := m.Check(); err != nil {
		return err
	}
	p := &printer{}
	p.module(m)
	_, err := w.Write(p.out.Bytes())
	return err
}

// maxColumns is the longest line printed.
const maxColumns = 100

type printer struct {
	out    bytes.Buffer
	indent int
}

func (p *printer) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text == "" {
		p.out.WriteByte('\n')
		return
	}
	for _, part := range wrap(text, maxColumns-2*p.indent) {
		p.out.WriteString(strings.Repeat("  ", p.indent))
		p.out.WriteString(part)
		p.out.WriteByte('\n')
	}
}

func (p *printer) module(m *Module) {
	for _, h := range m.Header {
		p.line("%s", strings.TrimRight("// "+h, " "))
	}
	p.line("")
	p.line("`timescale 1ns/1ps")
	p.line("`default_nettype none")
	p.line("")
	p.line("module %s (", m.Name)
	p.indent++
	p.ports(m.Ports)
	p.indent--
	p.line(");")
	p.line("")
	p.indent++
	p.items(m.Items)
	p.indent--
	p.line("")
	p.line("endmodule")
	p.line("")
	p.line("`default_nettype wire")
}

func (p *printer) ports(ports []Port) {
	ranges, last := 0, -1
	group, names := 0, map[int]int{} // the longest name with a comment, by group
	for i, port := range ports {
		switch {
		case port.Name == "":
			group++
			continue
		case port.Comment != "":
			names[group] = max(names[group], len(port.Name)+len(","))
		}
		ranges = max(ranges, len(bitRange(port.Width, port.Signed)))
		last = i
	}
	group = 0
	for i, port := range ports {
		if port.Name == "" {
			group++
			if i > 0 {
				p.line("")
			}
			p.line("// %s", port.Comment)
			continue
		}
		comma := ","
		if i == last {
			comma = ""
		}
		text := fmt.Sprintf("%-6s wire %-*s ", port.Dir, ranges, bitRange(port.Width, port.Signed))
		if port.Comment == "" {
			text += port.Name + comma
		} else {
			text += fmt.Sprintf("%-*s  // %s", names[group], port.Name+comma, port.Comment)
		}
		p.line("%s", text)
	}
}

func bitRange(width int, signed bool) string {
	text := ""
	if signed {
		text = "signed "
	}
	if width > 1 {
		text += fmt.Sprintf("[%d:0]", width-1)
	}
	return strings.TrimRight(text, " ")
}

func (p *printer) items(items []Item) {
	for i := 0; i < len(items); i++ {
		switch x := items[i].(type) {
		case Comment:
			if i > 0 {
				p.line("")
			}
			p.line("// %s", x.Text)
		case Localparam:
			text := fmt.Sprintf("localparam %s = %s;", x.Name, p.expr(x.Value, 0))
			if x.Comment != "" {
				text += "  // " + x.Comment
			}
			p.line("%s", text)
		case Net:
			text := "wire"
			if x.Reg {
				text = "reg"
			}
			if r := bitRange(x.Width, x.Signed); r != "" {
				text += " " + r
			}
			p.line("%s %s;", text, x.Name)
		case Assign:
			p.line("assign %s = %s;", p.expr(x.Left, 0), p.expr(x.Right, 0))
		case Clocked:
			p.line("")
			p.line("always @(posedge clk_i) begin")
			p.indent++
			if x.Enable != nil {
				p.line("if (%s) begin", p.expr(x.Enable, 0))
				p.indent++
			}
			width := 0
			for _, u := range x.Body {
				width = max(width, len(p.expr(u.Left, 0)))
			}
			for _, u := range x.Body {
				p.line("%-*s <= %s;", width, p.expr(u.Left, 0), p.expr(u.Right, 0))
			}
			if x.Enable != nil {
				p.indent--
				p.line("end")
			}
			p.indent--
			p.line("end")
			if i+1 < len(items) {
				if _, ok := items[i+1].(Comment); !ok {
					p.line("")
				}
			}
		case Gated:
			p.line("")
			p.line("always @* begin")
			p.indent++
			for _, g := range x.Body {
				p.line("%s = %d'hx;", g.Left, g.Width)
			}
			p.line("if (%s) begin", p.expr(x.When, 0))
			p.indent++
			for _, g := range x.Body {
				p.line("%s = %s;", g.Left, p.expr(g.Right, 0))
			}
			p.indent--
			p.line("end")
			p.indent--
			p.line("end")
			p.line("")
		case ROM:
			p.line("")
			p.line("always @(posedge clk_i) begin")
			p.indent++
			p.line("if (%s) begin", p.expr(x.Enable, 0))
			p.indent++
			p.line("case (%s)", x.Address)
			p.indent++
			digits := (x.AddressWidth + 3) / 4
			for at, word := range x.Words {
				p.line("%d'h%0*x: %s <= %s;", x.AddressWidth, digits, at, x.Left, p.expr(word, 0))
			}
			p.indent--
			p.line("endcase")
			p.indent--
			p.line("end")
			p.indent--
			p.line("end")
			p.line("")
		case Instance:
			p.line("")
			p.instance(x)
		}
	}
}

func (p *printer) instance(x Instance) {
	if len(x.Params) > 0 {
		p.line("%s #(", x.Module)
		p.binds(x.Params)
		p.line(") %s (", x.Name)
	} else {
		p.line("%s %s (", x.Module, x.Name)
	}
	p.binds(x.Ports)
	p.line(");")
}

func (p *printer) binds(binds []Bind) {
	p.indent++
	width := 0
	for _, b := range binds {
		width = max(width, len(b.Name))
	}
	for i, b := range binds {
		comma := ","
		if i == len(binds)-1 {
			comma = ""
		}
		p.line(".%-*s(%s)%s", width, b.Name, p.expr(b.Value, 0), comma)
	}
	p.indent--
}

// precedence of operators, higher binds tighter.
var precedence = map[string]int{
	"*": 11, "+": 10, "-": 10,
	"<": 8, "<=": 8, ">": 8, ">=": 8, "==": 7, "!=": 7, "&": 6, "^": 5, "|": 4, "&&": 3, "||": 2,
}

const (
	condPrecedence  = 1
	unaryPrecedence = 12
)

// expr is the text of an expression inside an operator of precedence outer.
func (p *printer) expr(e Expr, outer int) string {
	enclose := func(own int, text string) string {
		if own < outer {
			return "(" + text + ")"
		}
		return text
	}
	switch x := e.(type) {
	case Id:
		return string(x)
	case Int:
		return fmt.Sprint(int(x))
	case Lit:
		sign := ""
		if x.Signed {
			sign = "s"
		}
		return fmt.Sprintf("%d'%sh%s", x.Width, sign, x.Hex)
	case Str:
		return fmt.Sprintf("%q", string(x))
	case Unary:
		return enclose(unaryPrecedence, x.Op+p.expr(x.X, unaryPrecedence+1))
	case Binary:
		own := precedence[x.Op]
		return enclose(own, p.expr(x.X, own)+" "+x.Op+" "+p.expr(x.Y, own+1))
	case Cond:
		return enclose(condPrecedence, p.expr(x.Test, condPrecedence+1)+" ? "+p.expr(x.X, condPrecedence+1)+" : "+p.expr(x.Y, condPrecedence))
	case Concat:
		parts := make([]string, len(x))
		for i, part := range x {
			parts[i] = p.expr(part, 0)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case Repeat:
		return fmt.Sprintf("{%d{%s}}", x.Count, p.expr(x.X, 0))
	case Bit:
		return fmt.Sprintf("%s[%d]", x.X, x.Index)
	case Slice:
		return fmt.Sprintf("%s[%d:%d]", x.X, x.High, x.Low)
	case Signed:
		return "$signed(" + p.expr(x.X, 0) + ")"
	}
	panic(fmt.Sprintf("verilog: unknown expression %T", e))
}
