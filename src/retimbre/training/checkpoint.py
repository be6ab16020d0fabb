"""What a killed run goes on from: weights, optimiser, random state and progress, in one file that is always whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from retimbre.errors import RetimbreError
from retimbre.files import replacing

if TYPE_CHECKING:
    from retimbre.training.loop import Run


class Checkpoint:
    """The checkpoint file of a run; `settings` must be the same when it is resumed."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        """Name the file; nothing is read or written yet."""
        self.path = path
        self._settings = json.loads(json.dumps(settings))

    def save(self, run: Run) -> None:
        """Write the state of the run, replacing the last one only when it is complete."""
        tensors: dict[str, Tensor] = {"generator": run.generator.get_state()}
        for name, parameter in run.decoder.named_parameters():
            tensors[f"weight {name}"] = parameter.detach().contiguous()
            for key, value in run.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer {key} {name}"] = torch.as_tensor(value).contiguous()
        progress = {
            "settings": self._settings,
            "step": run.step,
            "seconds": run.seconds,
            "validation": run.validation,
            "history": run.history,
        }
        data = safetensors.torch.save(tensors, {"progress": json.dumps(progress)})
        with replacing(self.path) as part:
            part.write_bytes(data)

    def restore(self, run: Run) -> bool:
        """Put a saved state into the run. Returns False where there is none.

        Raises:
            RetimbreError: the file is damaged, or was written with other settings or recordings.
        """
        if not self.path.exists():
            return False
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                progress = json.loads(file.metadata()["progress"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            if progress["settings"] != self._settings:
                raise RetimbreError(
                    f"{self.path}: belongs to a run with other settings or recordings; give those again to go on, or "
                    "delete the file to start anew"
                )
            with torch.no_grad():
                for name, parameter in run.decoder.named_parameters():
                    parameter.copy_(tensors[f"weight {name}"])
                    marks = [key for key in tensors if key.startswith("optimizer ") and key.endswith(f" {name}")]
                    if marks:
                        # Moments live where the parameter does; Adam keeps its step count on the CPU.
                        kept = {key.split(" ")[1]: tensors[key] for key in marks}
                        run.optimizer.state[parameter] = {
                            key: value if key == "step" else value.to(parameter.device) for key, value in kept.items()
                        }
            run.generator.set_state(tensors["generator"])
            run.step, run.seconds = progress["step"], progress["seconds"]
            run.validation, run.history = progress["validation"], [tuple(point) for point in progress["history"]]
        except RetimbreError:
            raise
        except (safetensors.SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
            raise RetimbreError(f"{self.path}: is damaged; delete it to start anew") from error
        return True

    def remove(self) -> None:
        """Delete the file: the run is complete."""
        self.path.unlink(missing_ok=True)
