"""Writes the files of TestPythonFiles beside it, with torch and safetensors: element i of an array is (i - 3) / 8."""

import os

import torch
from safetensors.torch import save_file


def numbers(*shape):
    return ((torch.arange(torch.Size(shape).numel()) - 3) / 8).reshape(shape)


folder = os.path.dirname(os.path.abspath(__file__))
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Sigmoid(), torch.nn.Linear(3, 2))
for p in model.parameters():
    p.data = numbers(*p.shape)
save_file(model.state_dict(), os.path.join(folder, "torch.safetensors"), metadata={"format": "pt"})
types = {"W0": torch.float64, "W1": torch.float16, "b1": torch.bfloat16, "b2": torch.float32}
shapes = {"W0": (3, 4), "W1": (2, 3), "b1": (3,), "b2": (2, 1)}
save_file({k: numbers(*shapes[k]).to(types[k]) for k in types}, os.path.join(folder, "types.safetensors"))
