package golden_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// documents are the texts of the project's pages by their path from its root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			pages[strings.TrimPrefix(filepath.ToSlash(file), "../")] = string(text)
		}
	}
	require.Greater(t, len(pages), 10)
	return pages
}

var notInAnchor = regexp.MustCompile(`[^a-z0-9 _-]`)

// anchors are the names by which links find the headings of a page.
func anchors(page string) (list []string) {
	for _, line := range strings.Split(page, "\n") {
		if heading := strings.TrimLeft(line, "#"); heading != line && strings.HasPrefix(heading, " ") {
			list = append(list, strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-"))
		}
	}
	return list
}

// TestDocumentLinks: what a page links to within the project is there, its headings included.
func TestDocumentLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	code := regexp.MustCompile("(?m)^    .*$|`[^`]*`")
	pages := documents(t)
	links := 0
	for path, text := range pages {
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			to := path
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(path), target))
				if _, err := os.Stat(filepath.Join("..", to)); err != nil {
					t.Errorf("%s links to %s, which is not there", path, match[1])
					continue
				}
			}
			if anchor != "" && !slices.Contains(anchors(pages[to]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", path, match[1])
			}
		}
	}
	require.Greater(t, links, 50)
}

// TestDocumentPaths: the files and folders of the project that a page names between backticks are there.
func TestDocumentPaths(t *testing.T) {
	name := regexp.MustCompile("`((?:fixedpoint|golden|hdlgen|rtl|sim|cmd|constraints|testbench|docs)(?:/[A-Za-z0-9_.*-]+)*)`")
	names := 0
	for path, text := range documents(t) {
		for _, match := range name.FindAllStringSubmatch(text, -1) {
			names++
			found, err := filepath.Glob(filepath.Join("..", match[1]))
			require.NoError(t, err)
			if len(found) == 0 {
				t.Errorf("%s names %s, which is not there", path, match[1])
			}
		}
	}
	require.Greater(t, names, 30)
}

// tensorKinds are the tensors in the tables of a text, which have them in their first column; those that come only with a setting
// are left out where it is not set.
func tensorKinds(text string, set ...string) (kinds []string) {
	row := regexp.MustCompile(`^\| ([A-Za-z][A-Za-z_, ]*) \|([^|]*)\| [^|]+ \|$`)
	only := regexp.MustCompile("with `([a-z_]+)` alone")
	inside := false
	for _, line := range strings.Split(text, "\n") {
		if inside = inside && strings.HasPrefix(line, "|"); !inside {
			inside = strings.HasPrefix(line, "| tensor |")
			continue
		}
		match := row.FindStringSubmatch(line)
		if match == nil { // the line below the head, or a tensor's second line
			continue
		}
		if with := only.FindStringSubmatch(match[2]); with != nil && !slices.Contains(set, with[1]) {
			continue
		}
		for _, name := range strings.Split(match[1], ", ") {
			kinds = append(kinds, strings.TrimSuffix(name, "_k"))
		}
	}
	return kinds
}

// sections are the parts of a page below headings of a level, by their titles.
func sections(page, level string) map[string]string {
	parts, title := map[string]string{}, ""
	for _, line := range strings.Split(page, "\n") {
		if heading, ok := strings.CutPrefix(line, level+" "); ok {
			title = heading
		}
		parts[title] += line + "\n"
	}
	return parts
}

// pageTitles are the headings of the rules in docs/ARITHMETIC.md.
var pageTitles = map[string]string{
	"corinfomax": "CorInfoMax",
	"ep":         "Equilibrium propagation",
	"csm":        "Contrastive similarity matching",
	"pc":         "Predictive coding",
	"pc-nudge":   "Nudged predictive coding",
	"fa":         "Feedback alignment",
	"bp":         "Backpropagation",
}

// TestArithmeticPage: the tables of docs/ARITHMETIC.md have every tensor of every rule under every optimizer, and no other; the
// matrices have their order there, and learn by the optimizer as it says.
func TestArithmeticPage(t *testing.T) {
	page := sections(documents(t)["docs/ARITHMETIC.md"], "##")
	optimizers := sections(page["Optimizers"], "###")
	require.Len(t, pageTitles, len(rule.Rules))
	for _, r := range rule.Rules {
		for kind, title := range map[string]string{rule.SGD: "Plain descent", rule.Momentum: "Momentum", rule.Adam: "Adam"} {
			for _, decay := range []float64{0, 0.001} {
				for _, loss := range []string{rule.MSE, rule.CrossEntropy} {
					n := goldentest.Of(r.Name)
					n.Learning.Optimizer.Kind, n.Learning.Optimizer.WeightDecay = kind, decay
					switch own := n.Own.(type) {
					case *rule.CorInfoMax:
						own.Sparse = rule.Sparse{Layers: []int{1, 2}, Nu: []float64{0.1, 0.1}}
					case *rule.Backprop:
						if own.Loss = loss; loss == rule.MSE {
							own.Activation = "sigmoid"
						}
					case *rule.PCNudge:
						if loss == rule.MSE {
							own.Activation = "sigmoid"
						}
					}
					require.Contains(t, page, pageTitles[r.Name])
					require.Contains(t, optimizers, title)
					t.Run(strings.Join([]string{r.Name, kind, fmt.Sprint(decay), loss}, " "), func(t *testing.T) {
						comparePage(t, n, page["Types"], page[pageTitles[r.Name]], optimizers[title])
					})
				}
			}
		}
	}
}

// comparePage holds a network's tensors, and the order of its matrices, against the page of its rule and that of its optimizer.
func comparePage(t *testing.T, n *network.Network, shared, page, optimizer string) {
	set := []string{}
	if n.Learning.Optimizer.WeightDecay > 0 {
		set = append(set, "weight_decay")
	}
	switch own := n.Own.(type) {
	case *rule.Backprop:
		set = append(set, own.Loss, own.Activation)
	case *rule.PC:
		set = append(set, own.Activation)
	case *rule.PCNudge:
		set = append(set, own.Activation)
	}
	learns := regexp.MustCompile(`(?:^|\W)([A-Z]) and ([A-Za-z])\s+learn by the\s+\[optimizer\]`).FindStringSubmatch(page)
	require.NotNil(t, learns, "the page does not tell what learns by the optimizer")
	kinds := append(tensorKinds(shared), tensorKinds(page, set...)...)
	for _, kind := range tensorKinds(optimizer, set...) {
		if matrix, ok := strings.CutSuffix(kind, "A"); ok {
			kinds = append(kinds, matrix+learns[1], matrix+learns[2])
		} else {
			kinds = append(kinds, kind)
		}
	}

	d := n.Describe()
	var want, order []string
	for _, tensor := range d.Tensors {
		unit := tensor.Use == rule.OfConstant && tensor.Kind == "one"
		if !unit && !slices.Contains(want, tensor.Kind) {
			want = append(want, tensor.Kind)
		}
	}
	require.ElementsMatch(t, want, kinds)

	// The order of the matrices is that in which they are drawn and learn.
	for _, at := range d.Stored() {
		tensor := d.Tensors[d.Projections[at].Tensor]
		if name := tensor.Kind + "_" + tensor.String()[len(tensor.Kind):] + ".."; len(order) == 0 || order[len(order)-1][:1] != name[:1] {
			order = append(order, name)
		}
	}
	require.Contains(t, strings.Join(strings.Fields(page), " "), "n the order "+strings.Join(order, ", "))
	var updated []int
	for _, u := range d.Updates {
		updated = append(updated, u.Projection)
	}
	require.True(t, slices.IsSorted(updated), "updates %v are not in the order of the matrices", updated)
}
