package golden

// Learner is a model that a run trains: the float64 model or the bit-true machine. Samples are pixels,
// 0..255 for 0..1, Layers[0] bytes each. Results don't depend on the number of processors.
type Learner interface {
	// SetEpoch sets the learning rates to those of an epoch, counted from 0.
	SetEpoch(epoch int)
	// SetStep sets the number of mini-batches applied so far, to continue an interrupted run.
	SetStep(step uint32)
	// LearnBatch learns one mini-batch of exactly Learning.Batch samples; negative: beta < 0.
	LearnBatch(samples [][]uint8, labels []int, negative bool)
	// ClassifyBatch gives the class of every sample.
	ClassifyBatch(samples [][]uint8, classes []int)
	// Tensors are the synapses for a checkpoint, SetTensors takes them back.
	Tensors() []Tensor
	SetTensors(list []Tensor) error
}

var _ Learner = (*Machine)(nil)

// EpochMetrics are the figures of one epoch of training.
type EpochMetrics struct {
	Epoch            int     `json:"epoch"`
	TestAccuracy     float64 `json:"test_accuracy"`
	Samples          int     `json:"samples"`
	Seconds          float64 `json:"seconds"`
	SamplesPerSecond float64 `json:"samples_per_second"`
}
