package training

import (
	"fmt"
	"reflect"
	"strings"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/network"
)

// Resume makes a checkpoint continue with a network file, training samples and seed that must be those of
// the run; golden.ErrUsage says what differs. What does not change the bits of training may: the name, the folder of
// the data, the number of epochs and the hardware; the run takes it over, and the limit where it has learned nothing yet, as
// one that begins with weights of its own.
func (c *Checkpoint) Resume(n *network.Network, data *dataset.Data, arithmetic string, seed uint32, limit int) error {
	var list []string
	differ := func(what string, run, now any) {
		if run != now {
			list = append(list, fmt.Sprintf("%s: %v in the run, %v now", what, run, now))
		}
	}
	differ("arithmetic", c.Arithmetic, arithmetic)
	differ("seed", c.Seed, seed)
	if c.Step > 0 {
		differ("limit", c.Limit, limit)
	}
	if c.Data != "" && c.Data != data.Checksum {
		list = append(list, fmt.Sprintf("dataset %s: other content", data.Name))
	}
	own := *n
	own.Seed = c.Network.Seed // compared above
	before := *c.Network
	before.Name, before.Dataset.Path, before.Learning.Epochs, before.Hardware = own.Name, own.Dataset.Path, own.Learning.Epochs, own.Hardware
	differences("", reflect.ValueOf(before), reflect.ValueOf(own), differ)
	if before.Rule == own.Rule && own.Own != nil {
		differences(own.Rule+".", reflect.ValueOf(before.Own).Elem(), reflect.ValueOf(own.Own).Elem(), differ)
	}
	if list != nil {
		return golden.Usagef("the run cannot be resumed with other settings; restore them or start another run:\n  %s",
			strings.Join(list, "\n  "))
	}
	c.Network, c.Limit = &own, limit
	return nil
}

// differences calls differ for the keys of two networks whose values are not written alike.
func differences(path string, a, b reflect.Value, differ func(what string, run, now any)) {
	for i := range a.NumField() {
		key := path + a.Type().Field(i).Tag.Get("yaml")
		switch a.Field(i).Kind() {
		case reflect.Interface: // the rule's own section
		case reflect.Struct:
			differences(key+".", a.Field(i), b.Field(i), differ)
		default:
			differ(key, fmt.Sprint(a.Field(i)), fmt.Sprint(b.Field(i)))
		}
	}
}
