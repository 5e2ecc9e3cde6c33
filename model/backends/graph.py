"""Towers as OpenVINO graphs: from pixels as bytes, or from tokens, to unit vectors.

Legend: B pictures or texts, H and W pixels, C colours, T tokens, D the dimension of a vector.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

import torch

from goods.errors import ModelError
from model.backends.library import load_library
from model.dual_encoder import DualEncoder
from model.pixels import PatchPixels
from model.quiet import quiet_libraries

_Embed = Callable[[torch.Tensor], torch.Tensor]
_Free = dict[int, torch.export.Dim]

CALIBRATION_BATCH = 8
"""Pictures that the quantiser sees at a time: their activations, all kept, take about 0.3 GB."""


def picture_graph(towers: DualEncoder, pixels_BHWC: torch.Tensor) -> Any:
    """The picture tower as an `openvino.Model`: `pixels_BHWC`, uint8, to `image_BD`, float32.

    Args:
        towers: A float32 model on the CPU.
        pixels_BHWC: Some pictures of the size that the graph is for; B stays free.

    Raises:
        ModelError: It takes pictures of any shape (SigLIP 2 NaFlex), which the graph cannot.
    """
    if isinstance(towers.preprocessing, PatchPixels):
        raise ModelError(
            f"{towers.name} takes pictures of any shape (NaFlex), and its picture tower cannot be "
            "exported; use --backend torch, or a checkpoint of fixed resolution"
        )
    example = torch.cat([pixels_BHWC[:1]] * 2)  # of one alone, B would be taken for a constant
    graph = _graph(towers, towers.embed_pixels, example, {0: torch.export.Dim("B")})
    graph.reshape([-1, *pixels_BHWC.shape[1:]])
    return graph


def text_graph(towers: DualEncoder) -> Any:
    """The text tower as an `openvino.Model`: `tokens_BT`, int64, to `text_BD`, float32.

    B stays free, and T where the model takes texts as short as they are.

    Args:
        towers: A float32 model on the CPU.
    """
    free = {0: torch.export.Dim("B")}
    if not towers.is_sigmoid:
        free[1] = torch.export.Dim("T", max=towers.text_limit)
    return _graph(towers, towers.embed_tokens, towers.tokens(["red dress", "shoes"]), free)


def compressed(graph: Any) -> Any:
    """The same graph with its weights in int8, a scale to each row: that needs no calibration.

    A text has few tokens, so that what takes time is to read the weights, not to compute.

    Raises:
        ModelError: nncf is not installed.
    """
    nncf = _quantiser()
    with _quiet():
        return nncf.compress_weights(graph, mode=nncf.CompressWeightsMode.INT8_SYM)


def quantised(graph: Any, pixels_BHWC: torch.Tensor) -> Any:
    """The same graph with its matrix products in int8, their ranges taken from these pictures.

    Raises:
        ModelError: nncf is not installed.
    """
    nncf = _quantiser()
    batches = [batch.numpy() for batch in pixels_BHWC.split(CALIBRATION_BATCH)]
    with _quiet():
        return nncf.quantize(
            graph,
            nncf.Dataset(batches),
            subset_size=len(batches),
            model_type=nncf.ModelType.TRANSFORMER,
        )


def _graph(towers: DualEncoder, embed: _Embed, example: torch.Tensor, free: _Free) -> Any:
    """What a tower does to inputs like this example, of any size along the free dimensions."""
    openvino = load_library("openvino")
    with _quiet(), torch.no_grad():
        tower = _Tower(towers.model, embed)
        return openvino.convert_model(
            torch.export.export(tower, (example,), dynamic_shapes=(free,))
        )


def _quantiser() -> Any:
    nncf = load_library("nncf")
    logging.getLogger(nncf.__name__).setLevel(logging.ERROR)
    return nncf


class _Tower(torch.nn.Module):
    """One of the two towers as a module: the form in which torch exports."""

    def __init__(self, model: torch.nn.Module, embed: _Embed) -> None:
        super().__init__()
        self.model = model  # so that its weights are seen
        self._embed = embed

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Unit vectors, `(B, D)`."""
        return self._embed(inputs)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drops the remarks of torch and transformers on each other, and nncf's progress bars."""
    with quiet_libraries(), warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield
