// Command corinfo turns networks that settle and learn into hardware. Each subcommand has a file of its own,
// parses its flags there and calls a package; figures go to stdout, progress and errors to stderr.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // failed, damaged data or a mismatch
	exitUsage  = 2 // wrong usage or input
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &output{to: stdout}
	app := newApp(out, stderr)
	err := app.RunContext(ctx, interspersed(app, args))
	if err == nil {
		err = out.err
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "corinfo: interrupted")
		return exitFailed
	}
	fmt.Fprintf(stderr, "corinfo: %v\n", err)
	if errors.Is(err, golden.ErrUsage) {
		return exitUsage
	}
	return exitFailed
}

// output keeps the first error of writing, which the cli package does not tell of where it prints help.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(text []byte) (int, error) {
	n, err := o.to.Write(text)
	if o.err == nil && err != nil {
		o.err = fmt.Errorf("output: %w", err)
	}
	return n, err
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:    "corinfo",
		Usage:   "hardware for networks that settle and learn",
		Version: golden.Program(),
		Commands: []*cli.Command{
			initCommand(), trainCommand(), evalCommand(), quantizeCommand(), exportCommand(), importCommand(), generateCommand(), cosimCommand(),
			estimateCommand(), synthCommand(), studyCommand(), doctorCommand(),
		},
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		ExitErrHandler:  func(*cli.Context, error) {}, // run chooses the exit code
		OnUsageError:    usageError,
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return cli.ShowAppHelp(c)
			}
			return usagef("unknown command %q; `corinfo --help` lists them", c.Args().First())
		},
	}
	for _, command := range app.Commands {
		for _, c := range append(command.Subcommands, command) {
			c.HideHelpCommand = true
			c.OnUsageError = usageError
		}
	}
	return app
}

func usageError(_ *cli.Context, err error, _ bool) error {
	return fmt.Errorf("%w: %w; --help lists the flags", golden.ErrUsage, err)
}

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{golden.ErrUsage}, args...)...)
}

// interspersed moves a command's flags in front of its arguments, the only place where the cli package
// looks for them.
func interspersed(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	command := app.Command(args[1])
	if command == nil {
		return args
	}
	named := 2 // arguments that name the command
	for _, sub := range command.Subcommands {
		if len(args) > 2 && sub.Name == args[2] {
			command, named = sub, 3
		}
	}
	takesValue := map[string]bool{}
	for _, flag := range command.Flags {
		if _, isSwitch := flag.(*cli.BoolFlag); !isSwitch {
			for _, name := range flag.Names() {
				takesValue[name] = true
			}
		}
	}
	var flags, rest []string
	for i := named; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && arg[0] == '-':
			flags = append(flags, arg)
			if takesValue[strings.TrimLeft(arg, "-")] {
				if i++; i == len(args) {
					return slices.Concat(args[:named], flags) // the cli package tells of the missing value
				}
				flags = append(flags, args[i])
			}
		default:
			rest = append(rest, arg)
		}
	}
	if len(command.Subcommands) > 0 {
		return args // none of them is named
	}
	return slices.Concat(args[:named], flags, []string{"--"}, rest)
}

// argument is the command's only argument; what names it in errors.
func argument(c *cli.Context, what string) (string, error) {
	if c.NArg() != 1 {
		return "", usagef("%s: %d arguments; want one: %s", c.Command.Name, c.NArg(), what)
	}
	return c.Args().First(), nil
}

// noArguments refuses arguments of a command that has flags only.
func noArguments(c *cli.Context) error {
	if c.NArg() > 0 {
		return usagef("%s: unexpected argument %q", c.Command.Name, c.Args().First())
	}
	return nil
}

// required is the value of a flag that must be given.
func required(c *cli.Context, flag string) (string, error) {
	v := c.String(flag)
	if v == "" {
		return "", usagef("%s: -%s is missing", c.Command.Name, flag)
	}
	return v, nil
}

// atLeast refuses a number flag below a limit.
func atLeast(c *cli.Context, flag string, low int) error {
	if v := c.Int(flag); v < low {
		return usagef("%s: --%s %d; want at least %d", c.Command.Name, flag, v, low)
	}
	return nil
}

// noDesign refuses the folder of a design for that of a run: it, too, holds a checkpoint, from which co-simulation starts.
func noDesign(dir string) error {
	if hdlgen.IsDesign(dir) {
		return usagef("%s holds a design, not a run; `corinfo cosim` runs it, and `corinfo train` and `corinfo eval` take the run that it was generated from", dir)
	}
	return nil
}

// heldDesign opens a design and holds its folder: tools work in it.
func heldDesign(dir string) (d *design.Design, lock *golden.Lock, err error) {
	if hdlgen.IsDesign(dir) {
		if lock, err = golden.LockFolder(dir); err != nil {
			return nil, nil, err
		}
	}
	if d, err = design.Open(dir); err != nil {
		lock.Unlock()
		return nil, nil, err
	}
	return d, lock, nil
}

// dataFlag is the flag of every command that reads the data set of a run or a design.
func dataFlag() cli.Flag {
	return &cli.StringFlag{Name: "data", DefaultText: "where it was", Usage: "`FOLDER` of the data set, if it was moved since"}
}

// dataOf reads the data set of a network, whose samples must fit its layers, from the folder of dataFlag if it is given.
func dataOf(c *cli.Context, n *network.Network) (*dataset.Data, error) {
	if folder := c.String("data"); folder != "" {
		var err error
		if n.Dataset.Path, err = filepath.Abs(folder); err != nil {
			return nil, err
		}
	}
	data, err := dataset.Load(n.Dataset)
	if err != nil {
		if _, missing := os.Stat(n.Dataset.Path); n.Dataset.Path != "" && errors.Is(missing, os.ErrNotExist) {
			err = fmt.Errorf("%w; if the data were moved, name their folder by --data", err)
		}
		return nil, err
	}
	return data, data.Check(n.Layers)
}

// otherData tells of a data set that is not the one that a run has learned, nil where it is or the run has learned none.
func otherData(run *training.Checkpoint, data *dataset.Data, dir string) error {
	if run.Data == "" || run.Data == data.Checksum {
		return nil
	}
	return fmt.Errorf("dataset %s: its content is not that which %s has learned (checksum %.12s, the run's %.12s); the figures are of other data", data.Name, dir, data.Checksum, run.Data)
}

// printCounts prints the counts by tensor that are not zero, in one line, or nothing.
func printCounts(w io.Writer, what string, counts map[string]int64) {
	var list []string
	for _, tensor := range slices.Sorted(maps.Keys(counts)) {
		if counts[tensor] > 0 {
			list = append(list, fmt.Sprintf("%s %d", tensor, counts[tensor]))
		}
	}
	if list != nil {
		fmt.Fprintf(w, "%s: %s\n", what, strings.Join(list, ", "))
	}
}

// jsonFlag is the flag of every command that reports figures.
func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print one JSON object"}
}

// report prints a command's figures: as one JSON object with --json, else by text.
func report(c *cli.Context, figures any, text func(w io.Writer)) error {
	var out bytes.Buffer
	if c.Bool("json") {
		encoder := json.NewEncoder(&out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(figures); err != nil {
			return err
		}
	} else {
		text(&out)
	}
	_, err := out.WriteTo(c.App.Writer)
	return err
}

// listed is a list that JSON shows as one, empty or not.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
