package network

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// TestPresets: every preset's commented text is the network of its plain file, explains every setting, and writes the
// default of every tensor that has a name for people.
func TestPresets(t *testing.T) {
	require.Equal(t, "tiny", Presets()[0])
	for _, name := range Presets() {
		t.Run(name, func(t *testing.T) {
			plain, err := presets.ReadFile("presets/" + name + ".yaml")
			require.NoError(t, err)
			want, err := Parse(name, plain)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(name, "-", "_"), want.Name)
			text, err := Preset(name)
			require.NoError(t, err)
			got, err := Parse(name, text)
			require.NoError(t, err)
			require.Equal(t, want, got)
			d := want.Describe()
			for _, line := range strings.Split(string(text), "\n") {
				require.LessOrEqual(t, len(line), 200, line)
			}
			for _, tensor := range d.Tensors {
				if tensor.About != "" {
					require.Contains(t, string(text), " "+tensor.Kind, tensor)
				}
			}
			if name == "tiny" {
				return
			}
			about, _, _ := strings.Cut(string(text), "\n")
			require.Contains(t, about, "arXiv 2306.04810, Table 1")
			require.Equal(t, 20, want.Learning.Batch)
			require.Equal(t, 50, want.Learning.Epochs)
		})
	}
}

func TestPresetUnknown(t *testing.T) {
	for _, name := range []string{"cifar100", "", "../presets/network", "tiny.yaml", "mnist_sparse"} {
		_, err := Preset(name)
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, `no preset "`+name+`"; there are tiny, cifar10, `)
	}
}

// TestPresetComments: comments of settings begin in one column, except after a setting that is too long.
func TestPresetComments(t *testing.T) {
	comment := regexp.MustCompile(`^( *(?:# *)?[a-z_]+:(?: [^#]*?)?) +# `)
	for _, name := range Presets() {
		text, err := Preset(name)
		require.NoError(t, err)
		require.NotRegexp(t, `\t|<no value>| \n`, string(text))
		require.True(t, strings.HasSuffix(string(text), "\n"))
		settings, _, _ := strings.Cut(string(text), "# Word lengths")
		count := 0
		for _, line := range strings.Split(settings, "\n") {
			if m := comment.FindStringSubmatch(line); m != nil && !strings.HasSuffix(line, "# of this rule alone") {
				require.Equal(t, max(commentColumn+2, len(m[1])+3), len(m[0]), line)
				count++
			}
		}
		require.GreaterOrEqual(t, count, 18)
	}
}

// TestPresetKeys wants every key of the network file in every preset, with a comment; those that its rule or its kind of
// optimizer does not have are not there.
func TestPresetKeys(t *testing.T) {
	for _, name := range Presets() {
		bytes, err := Preset(name)
		require.NoError(t, err)
		text := string(bytes)
		n, err := Parse(name, bytes)
		require.NoError(t, err)
		not := slices.Clone(rule.Named(n.Rule).Not)
		for key, kinds := range map[string][]string{"momentum": {"momentum"}, "weight_decay": {"sgd", "momentum"},
			"beta1": {"adam"}, "beta2": {"adam"}, "epsilon": {"adam"}, "plain_root": {"adam"}} {
			if !slices.Contains(kinds, n.Learning.Optimizer.Kind) {
				not = append(not, "learning.optimizer."+key)
			}
		}
		var visit func(path string, v reflect.Type)
		visit = func(path string, v reflect.Type) {
			for i := range v.NumField() {
				key, field := v.Field(i).Tag.Get("yaml"), v.Field(i).Type
				if key == "-" {
					continue
				}
				want := `(?m)^ *(# *)?` + key + `:( .*)? # .`
				if field.Kind() == reflect.Struct || field.Kind() == reflect.Map {
					want = `(?m)^ *(# *)?` + key + `:`
				}
				if slices.Contains(not, path+key) {
					around := text
					if path == "learning.optimizer." { // corinfomax has an epsilon, too
						around = optimizerSection(t, text)
					}
					require.NotRegexp(t, want, around, name)
					continue // a section of keys that other sections have too
				}
				require.Regexp(t, want, text, name)
				if field.Kind() == reflect.Struct {
					visit(path+key+".", field)
				}
			}
		}
		visit("", reflect.TypeFor[Network]())
		if n.Own != nil {
			visit(n.Rule+".", reflect.TypeOf(n.Own).Elem())
		}
	}
}

// TestPresetSilence takes away every line that a comment says may be left out with the value that stands there.
func TestPresetSilence(t *testing.T) {
	for _, name := range Presets() {
		text, err := Preset(name)
		require.NoError(t, err)
		n, err := Parse(name, text)
		require.NoError(t, err)
		silent := string(text)
		taken := 0
		for _, m := range regexp.MustCompile(`(?m)^ *[a-z_]+: (\w+) .*; left out: (\w+)$`).FindAllStringSubmatch(silent, -1) {
			if m[1] == m[2] {
				silent = strings.Replace(silent, m[0]+"\n", "", 1)
				taken++
			}
		}
		require.GreaterOrEqual(t, taken, 1, name)
		back, err := Parse(name, []byte(silent))
		require.NoError(t, err)
		require.Equal(t, n, back)
	}
}

// TestOptimizerSection: a section of comments where a preset is silent, which may be taken out of them, and the settings of the
// kind where it is not.
func TestOptimizerSection(t *testing.T) {
	section := func(name string) string {
		text, err := Preset(name)
		require.NoError(t, err)
		return optimizerSection(t, string(text))
	}
	silent := section("mnist-pc-nudge")
	require.Equal(t, []string{"#   kind: sgd", "#   weight_decay: 0"}, keys(silent))
	require.Equal(t, []string{"  kind: adam", "  beta1: 0.9", "  beta2: 0.999", "  epsilon: 1e-08", "  plain_root: true"}, keys(section("mnist-pc")))

	text, err := Preset("mnist")
	require.NoError(t, err)
	want, err := Parse("mnist", text)
	require.NoError(t, err)
	uncommented := strings.Replace(string(text), "\n  # optimizer:\n"+silent, strings.ReplaceAll("\n  # optimizer:\n"+silent, "\n  # ", "\n  "), 1)
	require.NotEqual(t, string(text), uncommented)
	got, err := Parse("mnist", []byte(uncommented))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// optimizerSection is that of a commented network file.
func optimizerSection(t *testing.T, text string) string {
	t.Helper()
	_, after, found := strings.Cut(text, "optimizer:\n")
	require.True(t, found)
	section, _, found := strings.Cut(after, "  epochs:")
	require.True(t, found)
	return section
}

// keys are the settings of a section of learning, without what explains them.
func keys(section string) (list []string) {
	for _, line := range strings.Split(strings.TrimSuffix(section, "\n"), "\n") {
		setting, _, _ := strings.Cut(strings.TrimPrefix(line, "  "), " # ")
		list = append(list, strings.TrimRight(setting, " "))
	}
	return list
}

// TestUncommentedDefaults: a comment of a setting that is left out may be taken out of its comment, formats included.
func TestUncommentedDefaults(t *testing.T) {
	for _, name := range Presets() {
		text, err := Preset(name)
		require.NoError(t, err)
		want, err := Parse(name, text)
		require.NoError(t, err)
		var lines []string
		formats := false
		for _, line := range strings.Split(string(text), "\n") {
			formats = formats && strings.HasPrefix(line, "  ") || line == "formats:"
			if formats {
				line = strings.Replace(line, "  # ", "  ", 1)
			}
			lines = append(lines, line)
		}
		got, err := Parse(name, []byte(strings.Join(lines, "\n")))
		require.NoError(t, err, name)
		require.NotEmpty(t, got.Formats)
		d := want.Describe()
		for _, tensor := range d.Tensors {
			for key, format := range got.Formats {
				if key == tensor.String() || key == tensor.Kind {
					require.Equal(t, tensor.Default, format, "%s: %s", name, key)
				}
			}
		}
	}
}
