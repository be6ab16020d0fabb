"""Runs a graph model with numpy, in the types that it asks for: what TensorFlow.js should compute."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Operation = Callable[..., np.ndarray]


def _slice(x: np.ndarray, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    ends = (None if n < 0 else b + n for b, n in zip(begin, size, strict=True))
    return x[tuple(slice(b, e) for b, e in zip(begin, ends, strict=True))]


OPERATIONS: dict[str, Operation] = {
    "Identity": lambda x: x,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Neg": np.negative,
    "Abs": np.abs,
    "Exp": np.exp,
    "Log": np.log,
    "Floor": np.floor,
    "Softplus": lambda x: np.logaddexp(x, np.float32(0)),
    "LeakyRelu": lambda x: np.maximum(x, np.float32(0.2) * x),
    "Greater": np.greater,
    "LogicalOr": np.logical_or,
    "SelectV2": np.where,
    "Cast": lambda x: x.astype(np.int32),
    "MatMul": np.matmul,
    "Reshape": np.reshape,
    "Slice": _slice,
    "GatherV2": lambda x, rows, axis: np.take(x, rows, int(axis)),
    "ConcatV2": lambda *parts: np.concatenate(parts[:-1], int(parts[-1])),
}


def run(
    folder: Path, inputs: dict[str, np.ndarray], uniform: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray:
    """The one output of the model in `folder`; `uniform` gives the random numbers of a shape, by default the middle."""
    model = json.loads((folder / "model.json").read_text())
    (group,) = model["weightsManifest"]
    data, values, at = (folder / group["paths"][0]).read_bytes(), dict[str, Any](inputs), 0
    for entry in group["weights"]:
        count = int(np.prod(entry["shape"]))
        values[entry["name"]] = np.frombuffer(data, entry["dtype"], count, at).reshape(entry["shape"])
        at += 4 * count
    assert at == len(data)
    random = uniform or (lambda shape: np.full(shape, 0.5, np.float32))
    for node in model["modelTopology"]["node"]:
        if node["op"] not in ("Placeholder", "Const"):
            operation = random if node["op"] == "RandomUniform" else OPERATIONS[node["op"]]
            values[node["name"]] = operation(*(values[name] for name in node["input"]))
    (output,) = model["signature"]["outputs"]
    return values[output]
