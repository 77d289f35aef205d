"""The peers: EP and CSM 784-500-10 in vectorised float32 PyTorch, mini-batches of 20.

    python peer_rules.py ep|csm BATCHES THREADS

prints training samples per second; the input is random, with MNIST's density.

    python peer_rules.py check FILE...

learns the mini-batches of golden/float/testdata/ep.json and csm.json in float64 and fails where a weight is not the file's
to 1e-9. Activities are [neuron][sample].
"""

import itertools
import json

import numpy as np
import torch
from peer_timing import main, samples_per_second

FREE, NUDGED, ETA = 20, 4, 0.5


class Network:
    """EP; with lateral synapses M of the hidden layers, CSM. b has a column."""

    def __init__(self, W, b, M, rates, alpha):
        self.W, self.b, self.M, self.rates, self.alpha = W, b, M, rates, alpha

    def settle(self, x, y, r, iterations, beta):
        """The states after one phase from the states r."""
        last = len(r) - 1
        driven = self.W[0] @ x + self.b[0]
        for _ in range(iterations):
            new = []
            for k, old in enumerate(r):
                drive = (driven if k == 0 else self.W[k] @ r[k - 1] + self.b[k]) - old
                if k < last:
                    drive += self.W[k + 1].T @ r[k + 1]
                    if self.M:
                        drive -= self.M[k] @ old
                elif beta:
                    drive += 2 * beta * (y - old)
                new.append((old + ETA * drive).clamp_(0, 1))
            r = new
        return r

    def learn(self, x, y, beta):
        """One mini-batch of the inputs x and the labels y, one-hot."""
        samples = x.shape[1]
        free = self.settle(x, y, [x.new_zeros(len(w), samples) for w in self.W], FREE, 0)
        nudged = self.settle(x, y, free, NUDGED, beta)
        for k, mu in enumerate(self.rates):
            change = nudged[k] - free[k]
            if k == 0:
                products = change @ x.T
            else:
                products = nudged[k] @ nudged[k - 1].T - free[k] @ free[k - 1].T
            self.W[k].add_(products, alpha=mu / (beta * samples))
            self.b[k].add_(change.sum(1, keepdim=True), alpha=mu / (beta * samples))
        for k, alpha in enumerate(self.alpha):
            self.M[k].add_(nudged[k] @ nudged[k].T, alpha=-alpha / (2 * beta * samples)).mul_(
                1 + alpha / (2 * abs(beta))
            )


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


def column(values):
    return numbers(values).reshape(-1, 1)


def xavier(outputs, inputs):
    return (torch.rand(outputs, inputs) * 2 - 1) * np.sqrt(6 / (inputs + outputs))


def one_hot(labels, neurons, dtype):
    return torch.nn.functional.one_hot(labels, neurons).T.to(dtype)


def check(path):
    """The largest difference from the weights of a file."""
    with open(path) as f:
        d = json.load(f)
    start = d["initial"]
    W, b, M = (
        [numbers(w) for w in start["W"]],
        [column(v) for v in start["b"]],
        [numbers(m) for m in start.get("M", [])],
    )
    n = Network(W, b, M, d["lr_W"], d.get("lr_M", []))
    worst = 0.0
    for batch in d["batches"]:
        n.learn(
            numbers(batch["x"]).T, one_hot(torch.tensor(batch["label"]), d["layers"][-1], torch.float64), batch["beta"]
        )
        after = batch["after"]
        wanted = (
            [numbers(w) for w in after["W"]]
            + [column(v) for v in after["b"]]
            + [numbers(m) for m in after.get("M", [])]
        )
        worst = max(worst, *((have - want).abs().max().item() for have, want in zip(W + b + M, wanted, strict=True)))
    return worst


def bench(rule, batches):
    """Training samples per second."""
    layers = (784, 500, 10)
    W, b, M = (
        [xavier(post, pre) for pre, post in itertools.pairwise(layers)],
        [torch.zeros(n, 1) for n in layers[1:]],
        [],
    )
    rates, alpha = (0.1, 0.05), ()
    if rule == "csm":
        V = xavier(500, 500)
        M, rates, alpha = [V @ V.T], (0.4, 0.275), (-0.01,)
    n = Network(W, b, M, rates, alpha)
    return samples_per_second(n.learn, batches)


main(check, bench)
