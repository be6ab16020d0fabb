"""A device without float64, as Apple's GPU is one, for machines that have none.

Its tensors say that they lie on "meta" (of the devices that every machine knows, the one nothing else here uses) and
keep their numbers on the CPU, so that what is computed there can be compared with the CPU. Like the real one it refuses
float64, and operands that lie on the CPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from retimbre.dsp import cepstra, filters, losses, oscillators, spectra, units

DEVICE = torch.device("meta")


@contextmanager
def device_without_float64() -> Iterator[str]:
    """The name of the device, which exists within the context."""
    try:
        with mock.patch.object(units, "WITHOUT_FLOAT64", DEVICE.type), _Device():
            yield DEVICE.type
    finally:  # what was kept there, autograd cannot use afterwards
        for module in (cepstra, filters, losses, oscillators, spectra):
            for name, function in vars(module).items():
                if hasattr(function, "cache_clear") and name.startswith("_"):
                    function.cache_clear()


class _There(Tensor):
    """A tensor on the device."""

    numbers: Tensor

    @staticmethod
    def __new__(cls, numbers: Tensor) -> "_There":
        if numbers.dtype in (torch.float64, torch.complex128):
            raise TypeError(f"the device has no {numbers.dtype}")
        there = torch.Tensor._make_wrapper_subclass(
            cls, numbers.shape, numbers.stride(), numbers.storage_offset(), dtype=numbers.dtype, device=DEVICE
        )
        there.numbers = numbers.resolve_conj().resolve_neg()  # a pending sign would be forgotten here
        return there

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{op}: the device is gone")


class _Device(TorchDispatchMode):
    """Carries out every operation on the CPU, and says that its result lies where it should."""

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = {id(tensor.numbers): tensor for tensor in tensors if isinstance(tensor, _There)}
        copies = op is torch.ops.aten.copy_.default
        if there and not copies and any(tensor.ndim for tensor in tensors if not isinstance(tensor, _There)):
            raise RuntimeError(f"{op}: operands on the device and on the CPU")
        result_is_there = bool(there)
        if kwargs.get("device") is not None:
            result_is_there = torch.device(kwargs["device"]) == DEVICE
            kwargs = {**kwargs, "device": torch.device("cpu")}
        args, kwargs = tree_map_only(_There, lambda tensor: tensor.numbers, (args, kwargs))
        result = op(*args, **kwargs)
        if not result_is_there:
            return result
        # A tensor changed in place stays the tensor it was.
        return tree_map_only(Tensor, lambda x: there[id(x)] if id(x) in there else _There(x), result)
