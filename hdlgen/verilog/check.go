package verilog

import (
	"fmt"
	"regexp"
	"strings"
)

var identifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

var reserved = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(`always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config
		deassign default defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive
		endspecify endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include
		initial inout input instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor
		noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
		pulsestyle_onevent pulsestyle_ondetect rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1
		scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0
		tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
		accept_on alias always_comb always_ff always_latch assert assume before bind bins bit break byte chandle checker class
		clocking const constraint context continue cover covergroup coverpoint cross dist do endchecker endclass endclocking
		endgroup endinterface endpackage endprogram endproperty endsequence enum eventually expect export extends extern final
		first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies import inside int interconnect
		interface intersect join_any join_none let local logic longint matches modport nettype new nexttime null package packed
		priority program property protected pure rand randc randcase randsequence ref reject_on restrict return s_always
		s_eventually s_nexttime s_until s_until_with sequence shortint shortreal soft solve static string strong struct super
		sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type typedef union unique unique0 until
		until_with untyped var virtual void wait_order weak wildcard with within`) {
		words[w] = true
	}
	return words
}()

// reservedVHDL are the reserved words of VHDL-2008, whatever their case: a design that cannot be instantiated there is of no use to half of
// the field.
var reservedVHDL = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(`abs access after alias all and architecture array assert assume assume_guarantee attribute
		begin block body buffer bus case component configuration constant context cover default disconnect downto else elsif end
		entity exit fairness file for force function generate generic group guarded if impure in inertial inout is label library
		linkage literal loop map mod nand new next nor not null of on open or others out package parameter port postponed
		procedure process property protected pure range record register reject release rem report restrict restrict_guarantee
		return rol ror select sequence severity shared signal sla sll sra srl strong subtype then to transport type unaffected
		units until use variable vmode vprop vunit wait when while with xnor xor`) {
		words[w] = true
	}
	return words
}()

// CheckTopName tells why a module can't be the top of a design that others instantiate, from Verilog or VHDL, and that tools compile.
func CheckTopName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	lower := strings.ToLower(name)
	switch {
	case reservedVHDL[lower]:
		return fmt.Errorf("%q is a reserved word of VHDL", name)
	case reserved[lower]:
		return fmt.Errorf("%q differs from a reserved word of Verilog in nothing but its case", name)
	case strings.HasSuffix(name, "_") || strings.Contains(name, "__"):
		return fmt.Errorf("%q is no name in VHDL: an underscore ends it or follows another", name)
	case name == "TOP":
		return fmt.Errorf("%q is the name that Verilator gives to what is around a design", name)
	case lower == "work" || lower == "std" || lower == "ieee":
		return fmt.Errorf("%q is a library of VHDL", name)
	}
	return nil
}

// CheckName tells why a name can't be a Verilog identifier: it is refused, never changed.
func CheckName(name string) error {
	if !identifier.MatchString(name) {
		return fmt.Errorf("%q is no Verilog identifier: want a letter, then letters, digits and underscores", name)
	}
	if reserved[name] {
		return fmt.Errorf("%q is a reserved word of Verilog", name)
	}
	return nil
}

// Check tells what is illegal in a module: names, widths, a name declared twice.
func (m *Module) Check() error {
	declared := map[string]bool{}
	declare := func(name string, width int) error {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("module %s: %w", m.Name, err)
		}
		if declared[name] {
			return fmt.Errorf("module %s: %s is declared twice", m.Name, name)
		}
		if width < 1 {
			return fmt.Errorf("module %s: %s has width %d", m.Name, name, width)
		}
		declared[name] = true
		return nil
	}
	if err := CheckName(m.Name); err != nil {
		return fmt.Errorf("module: %w", err)
	}
	for _, p := range m.Ports {
		if p.Name == "" {
			continue
		}
		if err := declare(p.Name, p.Width); err != nil {
			return err
		}
	}
	for _, i := range m.Items {
		var err error
		switch x := i.(type) {
		case Net:
			err = declare(x.Name, x.Width)
		case Localparam:
			err = declare(x.Name, 1)
		case Instance:
			err = declare(x.Name, 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
