"""The peers: predictive coding, feedback alignment and backpropagation in vectorised float32 PyTorch, mini-batches of 20.

    python peer_errors.py pc|pc-nudge|fa-mse|fa-ce|bp-mse|bp-ce BATCHES THREADS

prints training samples per second; the input is random, with MNIST's density.

    python peer_errors.py check FILE...

learns the mini-batches of trajectories, as golden/float/testdata/pc_adam.json, in float64 and fails where a weight is not the
file's to 1e-9. Activities are [neuron][sample].
"""

import itertools
import json

import torch
from peer_timing import main, samples_per_second
from torch.nn.functional import one_hot


class Optimizer:
    """Adam, with epsilon beside the plain root or the corrected one; momentum; or plain descent."""

    def __init__(self, kind, rate, parameters, plain_root=False, decay=0.0):
        self.kind, self.rate, self.plain_root, self.decay, self.t = kind, rate, plain_root, decay, 0
        self.m = [torch.zeros_like(p) for p in parameters]
        self.v = [torch.zeros_like(p) for p in parameters]

    def step(self, parameters, directions):
        """Goes along directions, the negatives of gradients."""
        self.t += 1
        c1, c2 = 1 - 0.9**self.t, 1 - 0.999**self.t
        for p, g, m, v in zip(parameters, directions, self.m, self.v, strict=True):
            if self.kind == "sgd":
                p.add_(g, alpha=self.rate)
            elif self.kind == "momentum":
                m.mul_(0.9).add_(g.sub(p, alpha=self.decay))
                p.add_(m, alpha=self.rate)
            else:
                m.mul_(0.9).add_(g, alpha=0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                if self.plain_root:
                    p.addcdiv_(m, v.sqrt().add_(1e-8), value=self.rate * c2**0.5 / c1)
                else:
                    p.addcdiv_(m, (v / c2).sqrt_().add_(1e-8), value=self.rate / c1)


class Predictive:
    """Predictive coding, or its nudged form where pull is above 0."""

    def __init__(self, W, b, optimizer, iterations, eta, pull=0.0):
        self.W, self.b, self.optimizer, self.iterations, self.pull = W, b, optimizer, iterations, pull
        self.eta = 2 * eta if pull else eta

    def act(self, v):
        return v.clamp_min(0) if self.pull else torch.sigmoid(v)

    def slope(self, f):
        return (f > 0).to(f.dtype) if self.pull else f * (1 - f)

    def learn(self, x, y, sign):
        """One mini-batch of the inputs x and the labels y, one-hot."""
        W, b, last = self.W, self.b, len(self.W) - 1
        r, f, driven = [], [x], W[0] @ x + b[0]
        for k in range(last + 1):
            r.append(driven if k == 0 else W[k] @ f[k] + b[k])
            f.append(self.act(r[k]))
        if not self.pull:
            r[last] = 0.94 * y + 0.03
        for _ in range(self.iterations):
            e = [r[k] - (driven if k == 0 else W[k] @ f[k] + b[k]) for k in range(last + 1)]
            for k in range(last):
                r[k] = r[k] + self.eta * ((W[k + 1].T @ e[k + 1]) * self.slope(f[k + 1]) - e[k])
                f[k + 1] = self.act(r[k])
            if self.pull:
                r[last] = r[last] - self.eta * (e[last] + sign * self.pull * (r[last] - y))
        e = [r[k] - (driven if k == 0 else W[k] @ f[k] + b[k]) for k in range(last + 1)]
        scale = 2 * sign / self.pull if self.pull else 1 / x.shape[1]
        directions = [scale * e[k] @ f[k].T for k in range(last + 1)]
        directions += [scale * error.sum(1, keepdim=True) for error in e]
        self.optimizer.step(W + b, directions)


class Layered:
    """Backpropagation; with B, feedback alignment."""

    def __init__(self, W, b, B, optimizer, loss):
        self.W, self.b, self.B, self.optimizer, self.loss = W, b, B, optimizer, loss

    def learn(self, x, y, _):
        """One mini-batch of the inputs x and the labels y, one-hot."""
        r, last = [x], len(self.W) - 1
        for k, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            z = W @ r[k] + b
            r.append(z if k == last else z.clamp_min_(0))
        if self.loss == "mse":
            e = (y - r[-1]) * (2 / y.numel())
        else:
            e = (y - torch.softmax(r[-1], 0)) / x.shape[1]
        directions, biases = [], []
        for k in reversed(range(last + 1)):
            directions.insert(0, e @ r[k].T)
            biases.insert(0, e.sum(1, keepdim=True))
            if k:
                e = ((self.B or self.W)[k].T @ e) * (r[k] > 0)
        self.optimizer.step(self.W + self.b, directions + biases)


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


def network(d):
    """The network of a trajectory's file."""
    start = d["initial"]
    W, b = [numbers(w) for w in start["W"]], [numbers(v).reshape(-1, 1) for v in start["b"]]
    o = d["optimizer"] if isinstance(d["optimizer"], dict) else {"kind": d["optimizer"], "lr": d["lr"]}
    kind = "momentum" if "momentum" in o else o["kind"]
    optimizer = Optimizer(kind, o["lr"], W + b, d["model"] == "pc", o.get("weight_decay", 0.0))
    if d["model"] in ("fa", "bp"):
        B = [numbers(m) for m in start["B"]] if "B" in start else None
        return Layered(W, b, B, optimizer, "mse" if d["loss"].startswith("mse") else "ce")
    eta = d["neural_lr"]["start"] if isinstance(d["neural_lr"], dict) else d["neural_lr"]
    return Predictive(W, b, optimizer, d["iterations"], eta, d.get("lambda_weight", 0.0))


def check(path):
    """The largest difference from the weights of a file."""
    with open(path) as f:
        d = json.load(f)
    n, worst = network(d), 0.0
    fall = d["optimizer"].get("decay") if isinstance(d["optimizer"], dict) else None
    for i, batch in enumerate(d["batches"], 1):
        if d["model"] == "pc":
            x, y = torch.sigmoid(numbers(batch["x"])), (numbers(batch["y"]) > 0.5).double()
        else:
            x, y = numbers(batch["x"]).T, one_hot(torch.tensor(batch["label"]), d["layers"][-1]).T.double()
        n.learn(x, y, batch.get("sign", 1.0))
        if fall and i % fall["every_batches"] == 0:
            n.optimizer.rate *= fall["factor"]
        wanted = [numbers(w) for w in batch["after"]["W"]] + [numbers(v).reshape(-1, 1) for v in batch["after"]["b"]]
        worst = max(worst, *((have - want).abs().max().item() for have, want in zip(n.W + n.b, wanted, strict=True)))
    return worst


def bench(system, batches):
    """Training samples per second."""
    rule, _, loss = system.partition("-")
    layers = {"pc": (784, 600, 600, 10), "pc-nudge": (784, 128, 64, 10)}.get(system, (784, 500, 10))
    W = [(torch.rand(post, pre) * 2 - 1) * pre**-0.5 for pre, post in itertools.pairwise(layers)]
    b = [torch.zeros(n, 1) for n in layers[1:]]
    if rule == "pc":
        nudged = system == "pc-nudge"
        optimizer = Optimizer("sgd" if nudged else "adam", 1e-3, W + b, True)
        n = Predictive(W, b, optimizer, 50, 0.1, 1e-3 if nudged else 0.0)
    else:
        B = [torch.randn_like(w) * 0.05 for w in W] if rule == "fa" else None
        n = Layered(W, b, B, Optimizer("adam", 1e-3, W + b), loss)
    return samples_per_second(n.learn, batches)


main(check, bench)
