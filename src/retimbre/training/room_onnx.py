"""The room network as an ONNX graph, written node by node: small, the same bytes every time, batch norms folded in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from retimbre.files import replacing
from retimbre.rooms.listen import MELS
from retimbre.rooms.targets import TARGETS
from retimbre.training.room_network import PATCH, SPREADS, RoomNetwork

if TYPE_CHECKING:
    import onnx

OPSET = 17


def export_onnx(network: RoomNetwork, path: Path) -> None:
    """Write a trained network.

    Its input is `levels`, as `listen.normalise` makes them, [batch, frames, MELS], frames a multiple of `PATCH`; its
    outputs are `told` and `spread`, [batch, TARGETS].
    """
    model = to_onnx(network)
    with replacing(path) as part:
        part.write_bytes(model.SerializeToString(deterministic=True))


@torch.no_grad()
def to_onnx(network: RoomNetwork) -> onnx.ModelProto:
    """The graph of a trained network."""
    import onnx
    from onnx import TensorProto, helper

    graph, across = _Graph(), MELS // PATCH
    patches = graph.reshape("levels", [0, -1, PATCH, across, PATCH])
    patches = graph.reshape(graph.add("Transpose", patches, perm=[0, 1, 3, 2, 4]), [0, -1, across, PATCH**2])
    first, norm = network.patch, cast("nn.BatchNorm2d", network.plane[0])
    gain, shift = _affine(norm)
    heard = graph.add("MatMul", patches, graph.constant(first.weight.T * gain))
    heard = graph.add("Transpose", graph.add("Add", heard, graph.constant(shift)), perm=[0, 3, 1, 2])
    plane, norm = cast("nn.Conv2d", network.plane[2]), cast("nn.BatchNorm2d", network.plane[3])
    heard = graph.silu(graph.convolve(graph.silu(heard), plane, norm))
    heard = graph.reshape(graph.add("Transpose", heard, perm=[0, 1, 3, 2]), [0, plane.out_channels * across // 2, -1])
    join, norm = cast("nn.Conv1d", network.join[0]), cast("nn.BatchNorm1d", network.join[1])
    heard = graph.silu(graph.convolve(heard, join, norm))
    for block in network.blocks:
        along, norm, _, mix = cast("Any", block).change
        heard = graph.add("Add", heard, graph.convolve(graph.silu(graph.convolve(heard, along, norm)), mix))
    weight = graph.add("Softmax", graph.convolve(heard, network.attention), axis=2)
    mean = graph.total(graph.add("Mul", weight, heard))
    square = graph.total(graph.add("Mul", weight, graph.add("Mul", heard, heard)))
    variance = graph.add("Sub", square, graph.add("Mul", mean, mean))
    deviation = graph.add("Sqrt", graph.add("Max", variance, graph.constant(torch.tensor(1e-4))))
    plain = graph.add("ReduceMean", heard, axes=[2], keepdims=0)
    hidden, out = cast("nn.Linear", network.head[0]), cast("nn.Linear", network.head[3])
    pooled = graph.add("Concat", mean, deviation, plain, axis=1)
    head = graph.dense(graph.silu(graph.dense(pooled, hidden)), out)
    told, unsure = graph.slice(head, 0, TARGETS), graph.slice(head, TARGETS, 2 * TARGETS)
    unsure = graph.add("Clip", unsure, *(graph.constant(torch.tensor(limit)) for limit in SPREADS))
    told = graph.add("Mul", told, graph.constant(network.scale))
    graph.add("Add", told, graph.constant(network.centre), to="told")
    graph.add("Mul", graph.add("Exp", unsure), graph.constant(network.scale * network.temper), to="spread")
    frames = helper.make_tensor_value_info("levels", TensorProto.FLOAT, ["batch", "frames", MELS])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", TARGETS]) for name in ("told", "spread")
    ]
    made = helper.make_graph(graph.nodes, "room", [frames], outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants in the order of their making."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """A node; its output's name."""
        from onnx import helper

        name = to or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: Tensor, dtype: Any = np.float32) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        array = np.ascontiguousarray(value.detach().numpy().astype(dtype))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def reshape(self, x: str, shape: list[int]) -> str:
        return self.add("Reshape", x, self.constant(torch.tensor(shape), np.int64))

    def silu(self, x: str) -> str:
        return self.add("Mul", x, self.add("Sigmoid", x))

    def total(self, x: str) -> str:
        """Over time."""
        return self.add("ReduceSum", x, self.constant(torch.tensor([2]), np.int64), keepdims=0)

    def slice(self, x: str, begin: int, end: int) -> str:
        places = (self.constant(torch.tensor([value]), np.int64) for value in (begin, end, 1))
        return self.add("Slice", x, *places)

    def dense(self, x: str, layer: nn.Linear) -> str:
        return self.add("Gemm", x, self.constant(layer.weight), self.constant(layer.bias), transB=1)

    def convolve(self, x: str, layer: nn.Conv1d | nn.Conv2d, norm: nn.Module | None = None) -> str:
        """A convolution, and the batch norm behind it."""
        weight, bias = layer.weight, layer.bias
        if norm is not None:
            gain, shift = _affine(norm)
            weight, bias = weight * gain.reshape(-1, *[1] * (weight.ndim - 1)), shift
        assert bias is not None
        pads = [int(pad) for pad in cast("tuple[int, ...]", layer.padding)]
        return self.add(
            "Conv",
            x,
            self.constant(weight),
            self.constant(bias),
            kernel_shape=list(weight.shape[2:]),
            pads=pads * 2,
            strides=list(layer.stride),
            dilations=list(layer.dilation),
            group=layer.groups,
        )


def _affine(norm: Any) -> tuple[Tensor, Tensor]:
    """A trained batch norm after a layer without bias: gain and shift of each channel."""
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    return gain, norm.bias - norm.running_mean * gain
