"""Graphs of tensor operations, written as TensorFlow.js reads them (a "graph model"), without TensorFlow.

A graph model is `model.json`, which holds the nodes of a TensorFlow graph as protocol-buffer JSON and a list of the
weights, and a file with the weights' bytes one after another
(github.com/tensorflow/tfjs/tree/master/tfjs-converter, "Format").
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEIGHTS = "group1-shard1of1.bin"
_PRODUCER = 987  # version of the graph format; any recent one will do

_DTYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32"}


class Graph:
    """A graph under construction. Every method gives the name of the node that it adds, to be used as an input."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._nodes: dict[str, dict[str, Any]] = {}
        self._weights: dict[str, NDArray[Any]] = {}
        self._inputs: list[str] = []

    def input(self, name: str, shape: tuple[int, ...]) -> str:
        """A tensor of floats that the caller gives, by name."""
        self._inputs.append(name)
        return self._node(name, "Placeholder", [], {"dtype": _kind("DT_FLOAT"), "shape": {"shape": _shape(shape)}})

    def constant(self, value: ArrayLike, name: str = "") -> str:
        """A tensor of the graph's own: whole numbers become int32, others float32. Small equal ones are shared."""
        found = np.asarray(value)
        array = found.astype(np.int32 if found.dtype.kind in "iu" else np.float32)
        for known, other in self._weights.items() if array.size <= 8 else ():
            if other.dtype == array.dtype and other.shape == array.shape and (other == array).all():
                return known
        name = self._name(name or "constant")
        self._weights[name] = array
        dtype = _DTYPES[array.dtype.name]
        tensor = {"dtype": dtype, "tensorShape": _shape(array.shape)}
        return self._node(name, "Const", [], {"dtype": _kind(dtype), "value": {"tensor": tensor}})

    def add(self, op: str, *inputs: str | float, name: str = "", **attributes: Any) -> str:
        """An operation of TensorFlow on floats.

        Args:
            op: its name, such as `MatMul`.
            inputs: names of nodes; a number stands for a constant.
            name: of the node, made unique; by default the operation's.
            attributes: of the operation; a string is a type, such as `DT_INT32`.
        """
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        encoded = {key: _attribute(value) for key, value in ({"T": "DT_FLOAT"} | attributes).items()}
        return self._node(self._name(name or op.lower()), op, names, encoded)

    def _node(self, name: str, op: str, inputs: list[str], attributes: dict[str, Any]) -> str:
        self._nodes[name] = {"name": name, "op": op, "input": inputs, "attr": attributes}
        return name

    def _name(self, wish: str) -> str:
        """A name that no other node has."""
        name, number = wish, 1
        while name in self._nodes:
            name, number = f"{wish}_{number}", number + 1
        return name

    def save(self, folder: Path, output: str, shape: tuple[int, ...]) -> None:
        """Write `model.json` and the weights into a folder that exists.

        What the output does not depend on is left out: TensorFlow.js takes every node that nothing follows for one
        more output.

        Args:
            folder: where.
            output: the node that is the result.
            shape: of the result.
        """
        used, waiting = set(self._inputs), [output]
        while waiting:
            name = waiting.pop()
            if name not in used or name == output:
                waiting += self._nodes[name]["input"]
            used.add(name)
        weights = {name: array for name, array in self._weights.items() if name in used}
        manifest = [{"name": name, "shape": list(a.shape), "dtype": a.dtype.name} for name, a in weights.items()]
        nodes = [node for name, node in self._nodes.items() if name in used]
        model = {
            "format": "graph-model",
            "generatedBy": "retimbre",
            "convertedBy": "retimbre",
            "modelTopology": {"node": nodes, "library": {}, "versions": {"producer": _PRODUCER}},
            "signature": {
                "inputs": {name: self._signature(name, self._nodes[name]["attr"]) for name in self._inputs},
                "outputs": {output: self._signature(output, {"shape": {"shape": _shape(shape)}})},
            },
            "weightsManifest": [{"paths": [WEIGHTS], "weights": manifest}],
        }
        (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
        data = (array.astype(array.dtype.newbyteorder("<")).tobytes() for array in weights.values())
        (folder / WEIGHTS).write_bytes(b"".join(data))

    @staticmethod
    def _signature(name: str, attributes: dict[str, Any]) -> dict[str, Any]:
        return {"name": f"{name}:0", "dtype": "DT_FLOAT", "tensorShape": attributes["shape"]["shape"]}


def _shape(sizes: tuple[int, ...]) -> dict[str, Any]:
    return {"dim": [{"size": str(size)} for size in sizes]}


def _kind(dtype: str) -> dict[str, str]:
    return {"type": dtype}


def _attribute(value: Any) -> dict[str, Any]:
    """As protocol-buffer JSON: whole numbers are strings there, and bytes base64."""
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": value}
    if isinstance(value, bytes):
        return {"s": base64.b64encode(value).decode()}
    return _kind(value)
