"""How steps are computed: none of it changes what is learned, but for rounding."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from goods.errors import TrainingError
from model.dual_encoder import DualEncoder

_COMPILED_FORMS = 64  # of a layer: either tower, with and without gradients, whole and last parts


@dataclass(frozen=True, slots=True)
class Compute:
    """What memory and time a step may take.

    Attributes:
        autocast: Number format of matrix products on the device; None computes in float32.
        micro_batch_size: Pictures, or texts, that each process holds activations of at a time; None
            for its whole share of the batch. The gradients are the same: parts are embedded twice.
        is_checkpointed: Whether activations are computed again instead of kept: a third more time,
            a fraction of the memory.
        compiler: A backend of `torch.compile` for the layers ("inductor"); None runs them as they
            are. The first steps then take a minute longer.
    """

    autocast: torch.dtype | None = None
    micro_batch_size: int | None = None
    is_checkpointed: bool = False
    compiler: str | None = None

    def apply(self, towers: DualEncoder) -> None:
        """Make the layers compute so; names and values of the weights stay."""
        if self.is_checkpointed:
            towers.model.activation_checkpointing_enable()
        if self.compiler is None:
            return
        torch.compiler.config.recompile_limit = _COMPILED_FORMS
        # Layer by layer, since all layers of a tower share what is compiled once. Pictures have one
        # shape, texts another one in every batch.
        model = towers.model
        for tower, is_dynamic in ((model.vision_model, False), (model.text_model, True)):
            for layer in tower.modules():
                if isinstance(layer, GradientCheckpointingLayer):
                    layer.compile(backend=self.compiler, dynamic=is_dynamic)

    def refuse_no_compiler(self, device: torch.device) -> None:
        """Where layers shall be compiled, make sure that it can be done, in some seconds.

        Raises:
            TrainingError: It cannot: a compiler is missing.
        """
        if self.compiler is None:
            return
        try:
            torch.compile(torch.neg, backend=self.compiler)(torch.zeros(2, device=device))
        except RuntimeError as error:  # what all of torch.compile's own errors are
            raise TrainingError(
                f"torch.compile does not work here: {str(error).splitlines()[0]}; install a C++ "
                "compiler (on CUDA also Triton), or train without --compile"
            ) from error

    def precision(self, device: torch.device) -> torch.autocast:
        """A context that computes matrix products in the number format."""
        return torch.autocast(device.type, self.autocast, enabled=self.autocast is not None)


DEFAULT_COMPUTE = Compute()


def has_dropout(model: torch.nn.Module) -> bool:
    """Whether embedding twice gives two results while the model is trained."""
    return any(
        (isinstance(module, torch.nn.Dropout) and module.p > 0)
        or (isinstance(share := getattr(module, "dropout", None), float) and share > 0)
        for module in model.modules()
    )


@contextmanager
def same_dropout(device: torch.device, seed: tuple[int, ...]) -> Iterator[None]:
    """A context in which dropout depends on the seed alone; outside, chance goes on as it was."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        yield
