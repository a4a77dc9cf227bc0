"""A Keras network as modules of ``torch.nn`` over the same numbers.

Keras runs its layers on PyTorch through its own operations, which copy activations between layouts and add biases in
separate passes. The modules of ``torch_modules`` are PyTorch's, in the layout of oneDNN and cuDNN, and share the memory
of Keras's variables: a change to one changes the other. Layers without such a module compute in Keras.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from felicity.errors import ConfigError
from felicity.models.graph import Call, Ref, plan, replaced
from felicity.training.engines.torch_modules import Bound, Module, counterpart

Floats32 = npt.NDArray[np.float32]
HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
SEED_STEP = 0x9E3779B1
"""Distance of seeds, large enough that no two steps of neighbouring seeds draw alike."""


class TorchNetwork(nn.Module):  # type: ignore[misc]
    """The modules of ``model``, a ``keras.Model``, channels last; memory is channels last, too.

    ``plain``: without Keras; raises ConfigError for a layer that has no counterpart in PyTorch.
    """

    def __init__(self, model: Any, seed: int, *, plain: bool = False) -> None:
        super().__init__()
        self.device = _device(model)
        self._plan, self._seed = plan(model), seed
        self._draw = torch.Generator(self.device)
        self._bound: dict[int, Bound] = {}
        self._modules_of: dict[int, Module | None] = {}
        self.layers = nn.ModuleDict()
        for call in self._plan.calls:
            self._open(call, plain)
        self._variables = list(model.trainable_variables)
        self._penalised = [v for v in self._variables if v.regularizer is not None]

    def _open(self, call: Call, plain: bool) -> None:
        key = id(call.operation)
        if key in self._modules_of:
            return
        made = counterpart(call, self._draw)
        if made is None and plain:
            raise ConfigError(f"layer {call.name} ({call.kind}) has no plain PyTorch counterpart here")
        self._modules_of[key] = made
        if made is not None:
            self.layers[f"{len(self.layers)}_{call.name.replace('.', '_')}"] = made.module
            self._bound |= made.bound

    def forward(self, faces: torch.Tensor, step: int = 0) -> torch.Tensor:
        """Return logits ``(B, C)`` of normalised ``(B, S, S, channels)``. ``step``: seed of dropout, in training."""
        if self.training:
            self._draw.manual_seed((self._seed * SEED_STEP + step) % 2**63)
        done = {self._plan.inputs[0].number: faces.permute(0, 3, 1, 2)}
        for call in self._plan.calls:
            made = self._modules_of[id(call.operation)]
            if made is not None:
                done[call.results[0].number] = made.module(*[done[ref.number] for ref in call.inputs])
                continue
            for ref, value in zip(call.results, self._in_keras(call, done), strict=True):
                done[ref.number] = value
        return done[self._plan.outputs[0].number]

    def _in_keras(self, call: Call, done: dict[int, torch.Tensor]) -> list[torch.Tensor]:
        """Compute a call in Keras, channels last."""

        def given(ref: Ref) -> torch.Tensor:
            value = done[ref.number]
            return value.permute(0, 2, 3, 1) if value.ndim == 4 else value

        args, kwargs = replaced((call.args, call.kwargs), given)
        if hasattr(call.operation, "weights") and call.operation._call_has_training_arg:
            kwargs = {**kwargs, "training": self.training}
        results = call.operation(*args, **kwargs)
        results = list(results) if isinstance(results, tuple | list) else [results]
        return [value.permute(0, 3, 1, 2) if value.ndim == 4 else value for value in results]

    def moved(self, values: Floats32 | torch.Tensor) -> torch.Tensor:
        """Return an array on the device, if it is not there yet; the copy may still be running when this returns."""
        if isinstance(values, torch.Tensor):
            return values
        tensor = torch.from_numpy(values)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def predict(self, faces: Floats32) -> Floats32:
        """Return logits ``(B, C)`` in evaluation mode, in float32."""
        self.eval()
        with torch.no_grad():
            result: Floats32 = self(self.moved(faces)).cpu().numpy()
        return result

    def loss(
        self,
        faces: Floats32 | torch.Tensor,
        targets: Floats32 | torch.Tensor,
        heads: tuple[int, ...],
        *,
        step: int,
        precision: str = "float32",
        scale: float = 1.0,
        own: Any = None,
    ) -> Any:
        """Compute the loss and leave its gradients in the parameters; return it and the number of right answers.

        The loss is a mean, and the answers are those of the first head. ``targets`` ``(B, C)`` stand in blocks of
        ``heads`` classes, each with a softmax of its own. ``precision``: used where PyTorch considers it safe; the
        other numbers stay float32. ``scale``: of the gradients. ``own``: see ``Engine.own_loss``.
        """
        self.train()
        for variable in self._variables:
            self._parameter(variable).grad = None
        given, wanted = self.moved(faces), self.moved(targets)
        shorter = HALVES.get(precision)
        with torch.autocast(self.device.type, shorter, enabled=shorter is not None):
            logits = self(given, step)
        blocks = zip(logits.float().split(heads, 1), wanted.split(heads, 1), strict=True)
        loss = sum(nn.functional.cross_entropy(g, w) if own is None else own(w, g).mean() for g, w in blocks)
        loss = loss + sum(v.regularizer(self._as_keras(v, self._parameter(v))) for v in self._penalised)
        (loss if scale == 1 else loss * scale).backward()
        first = heads[0]
        return loss.detach(), (logits[:, :first].argmax(1) == wanted[:, :first].argmax(1)).sum()

    def gradients(self) -> list[torch.Tensor]:
        """Return the gradients of the last loss, in Keras's shapes and order."""
        return [self._gradient(variable) for variable in self._variables]

    def _parameter(self, variable: Any) -> torch.Tensor:
        bound = self._bound.get(id(variable))
        return variable.value if bound is None else bound.parameter

    def _as_keras(self, variable: Any, value: torch.Tensor) -> torch.Tensor:
        bound = self._bound.get(id(variable))
        return value if bound is None else bound.as_keras(value)

    def _gradient(self, variable: Any) -> torch.Tensor:
        found = self._parameter(variable).grad
        return torch.zeros_like(variable.value) if found is None else self._as_keras(variable, found)


def _device(model: Any) -> torch.device:
    values = [variable.value for variable in model.variables]
    return values[0].device if values else torch.device("cpu")
