package golden

import (
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func presetNetwork(t *testing.T, name string) (*Network, string) {
	t.Helper()
	text, err := Preset(name)
	require.NoError(t, err)
	n, err := ParseNetwork(name+".yaml", text)
	require.NoError(t, err)
	return n, string(text)
}

// TestPresets holds every preset against the settings of the paper's runs, as docs/NETWORKS.md lists them.
func TestPresets(t *testing.T) {
	const slow, constant = "divide_by_slow_loop_index", "constant"
	small, mnist, cifar := []int{784, 64, 10}, []int{784, 500, 10}, []int{3072, 1000, 10}
	staged, single := Decay{Factor: 0.95, Epochs: 15, Then: 0.9}, Decay{Factor: 0.9, Then: 1}
	cases := []struct {
		name, data string
		layers     []int
		ff, fb     []float64
		decay      Decay
		start      float64
		rule       string
		free       int
		leak       float64
		nu         []float64
		epochs     int
	}{
		{"tiny", "mnist", small, []float64{1, 0.7}, []float64{0.15}, staged, 0.05, slow, 30, 0.5, nil, 1},
		{"mnist", "mnist", mnist, []float64{1, 0.7}, []float64{0.15}, staged, 0.05, slow, 30, 0.5, nil, 50},
		{"mnist-sparse", "mnist", mnist, []float64{1, 0.75}, []float64{0.12}, single, 0.05, slow, 30, 0.5, []float64{1e-6, 0.01}, 50},
		{"fashion", "fashion", mnist, []float64{0.3, 0.22}, []float64{0.07}, staged, 0.07, slow, 30, 0.3, nil, 50},
		{"fashion-sparse", "fashion", mnist, []float64{0.35, 0.23}, []float64{0.05}, staged, 0.05, slow, 20, 0.2, []float64{1e-6, 0.01}, 50},
		{"cifar10", "cifar10", cifar, []float64{0.08, 0.04}, []float64{0.04}, staged, 0.05, constant, 30, 0.1, nil, 50},
		{"cifar10-sparse", "cifar10", cifar, []float64{0.09, 0.07}, []float64{0.045}, staged, 0.025, slow, 30, 0.1, []float64{1e-5, 0.01}, 50},
	}
	var names []string
	for _, c := range cases {
		names = append(names, c.name)
		t.Run(c.name, func(t *testing.T) {
			n, _ := presetNetwork(t, c.name)
			require.Equal(t, strings.ReplaceAll(c.name, "-", "_"), n.Name)
			require.Equal(t, Dataset{Name: c.data}, n.Dataset)
			require.Equal(t, c.layers, n.Layers)
			require.Equal(t, []float64{0.15, 0.99999, c.leak}, []float64{n.Epsilon, n.Lambda, n.Leak})
			require.Equal(t, Settling{FreeIterations: c.free, NudgedIterations: 10, EarlyEnd: true,
				Step: Step{Rule: c.rule, Start: c.start, Stop: 0.001, Decay: 0.01}}, n.Settling)
			require.Equal(t, Learning{Batch: 20, Beta: 1, RandomSign: true, Feedforward: c.ff, Feedback: c.fb,
				Decay: c.decay, Epochs: c.epochs}, n.Learning)
			require.Empty(t, n.Formats)
			require.Zero(t, n.Layers[1]%n.Hardware.Lanes, "lanes idle")
			_, err := NewArithmetic(n)
			require.NoError(t, err)
			if c.nu == nil {
				require.Empty(t, n.Sparse)
			} else {
				require.Equal(t, Sparse{Layers: []int{1, 2}, Nu: c.nu}, n.Sparse)
			}
		})
	}
	require.Equal(t, names, Presets())
}

func TestPresetUnknown(t *testing.T) {
	for _, name := range []string{"cifar100", "", "../presets/network", "tiny.yaml", "mnist_sparse"} {
		_, err := Preset(name)
		require.ErrorIs(t, err, ErrUsage)
		require.ErrorContains(t, err, "there are tiny, mnist, mnist-sparse, fashion, fashion-sparse, cifar10, cifar10-sparse")
	}
}

// TestPresetComments: comments of settings begin in one column, except after a setting that is too long, and no part of
// the template is left.
func TestPresetComments(t *testing.T) {
	comment := regexp.MustCompile(`^( *(?:# )?[a-z_]+:(?: [^#]*?)?|) +# `)
	for _, name := range Presets() {
		_, text := presetNetwork(t, name)
		require.NotRegexp(t, `\{\{|\}\}|\t|<no value>| \n`, text)
		require.True(t, strings.HasSuffix(text, "\n"))
		settings, _, _ := strings.Cut(text, "# Word lengths")
		count := 0
		for _, line := range strings.Split(settings, "\n") {
			if m := comment.FindStringSubmatch(line); m != nil && !strings.HasPrefix(line, "#") {
				require.Equal(t, max(32, len(m[1])+3), len(m[0]), line)
				count++
			}
		}
		require.GreaterOrEqual(t, count, 30)
	}
}

// TestPresetFormats takes the comment marks from the formats: they must be what is derived without them. Those of interneurons
// are there layer by layer, for their step sizes differ.
func TestPresetFormats(t *testing.T) {
	line := regexp.MustCompile(`(?m)^  # ([A-Za-z]+[12]?: ap_u?fixed<)`)
	for _, name := range Presets() {
		n, text := presetNetwork(t, name)
		count := len(FormatKinds) + (len(n.Sparse.Layers)-1)*len(interneuronKinds)
		require.Len(t, line.FindAllString(text, -1), count)
		full, err := ParseNetwork(name, []byte(line.ReplaceAllString(text, "  $1")))
		require.NoError(t, err)
		require.Len(t, full.Formats, count)
		require.Equal(t, ResolveFormats(n), ResolveFormats(full), name)
	}
}

// TestPresetKeys wants every key of the network file in every preset, with a comment.
func TestPresetKeys(t *testing.T) {
	for _, name := range Presets() {
		_, text := presetNetwork(t, name)
		var visit func(v reflect.Type)
		visit = func(v reflect.Type) {
			for i := range v.NumField() {
				key, field := v.Field(i).Tag.Get("yaml"), v.Field(i).Type
				want := `(?m)^ *(# )?` + key + `: .*# .`
				if field.Kind() == reflect.Struct || field.Kind() == reflect.Map {
					want = `(?m)^ *` + key + `:`
				}
				require.Regexp(t, want, text, name)
				if field.Kind() == reflect.Struct {
					visit(field)
				}
			}
		}
		visit(reflect.TypeFor[Network]())
		for _, l := range strings.Split(text, "\n") {
			require.LessOrEqual(t, len(l), 160, l)
		}
	}
}

// TestPresetSilence takes away every line that a comment says may be left out with the value that stands there.
func TestPresetSilence(t *testing.T) {
	for _, name := range Presets() {
		n, text := presetNetwork(t, name)
		silent := text
		for _, key := range []string{"seed", "early_end", "random_sign", "three_phase", "mode"} {
			line := regexp.MustCompile(`(?m)^ *` + key + `: (\w+) .*; left out: (\w+)$`)
			m := line.FindStringSubmatch(text)
			require.NotNil(t, m, key)
			require.Equal(t, m[1], m[2], key)
			silent = strings.Replace(silent, m[0]+"\n", "", 1)
		}
		back, err := ParseNetwork(name, []byte(silent))
		require.NoError(t, err)
		require.Equal(t, n, back)
	}
}

// TestLearningRate: two stages, each a power of the whole epoch number, as in the runs of docs/NETWORKS.md.
func TestLearningRate(t *testing.T) {
	n, _ := presetNetwork(t, "mnist")
	for epoch := range 50 {
		want := math.Pow(0.95, float64(epoch))
		if epoch >= 15 {
			want = math.Pow(0.9, float64(epoch))
		}
		ff, fb := n.LearningRate(epoch)
		require.Equal(t, []float64{1 * want, 0.7 * want}, ff, epoch)
		require.Equal(t, []float64{0.15 * want}, fb, epoch)
	}
	n.Learning.Decay = Decay{Factor: 0.9, Then: 1} // one stage, of any length
	ff, _ := n.LearningRate(40)
	require.Equal(t, math.Pow(0.9, 40), ff[0])
}

func TestEta(t *testing.T) {
	n := &Network{}
	cases := map[string][3]float64{ // s = 0, 3, 100
		"constant":                  {0.05, 0.05, 0.05},
		"divide_by_loop_index":      {0.05, 0.05 / 4, 0.001},
		"divide_by_slow_loop_index": {0.05, 0.05 / 1.03, 0.025},
	}
	for rule, want := range cases {
		n.Settling.Step = Step{Rule: rule, Start: 0.05, Stop: 0.001, Decay: 0.01}
		require.Equal(t, want, [3]float64{n.Eta(0), n.Eta(3), n.Eta(100)}, rule)
	}
}
