"""A picture tower as an OpenVINO graph: from pixels as bytes to unit vectors.

Legend: B pictures, H and W pixels, C colours, D the dimension of a vector.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

import torch

from goods.errors import ModelError
from model.backends.library import load_library
from model.dual_encoder import DualEncoder
from model.pixels import PatchPixels
from model.quiet import quiet_libraries

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
    openvino = load_library("openvino")
    example = torch.cat([pixels_BHWC[:1]] * 2)  # of one alone, B would be taken for a constant
    with _quiet(), torch.no_grad():
        free = {0: torch.export.Dim("B")}
        program = torch.export.export(_Tower(towers), (example,), dynamic_shapes=(free,))
        graph = openvino.convert_model(program)
    graph.reshape([-1, *pixels_BHWC.shape[1:]])
    return graph


def quantised(graph: Any, pixels_BHWC: torch.Tensor) -> Any:
    """The same graph with its matrix products in int8, their ranges taken from these pictures.

    Raises:
        ModelError: nncf is not installed.
    """
    nncf = load_library("nncf")
    logging.getLogger(nncf.__name__).setLevel(logging.ERROR)
    batches = [batch.numpy() for batch in pixels_BHWC.split(CALIBRATION_BATCH)]
    with _quiet():
        return nncf.quantize(
            graph,
            nncf.Dataset(batches),
            subset_size=len(batches),
            model_type=nncf.ModelType.TRANSFORMER,
        )


class _Tower(torch.nn.Module):
    """What `Encoder.embed_pixels` does, as a module: the form in which torch exports."""

    def __init__(self, towers: DualEncoder) -> None:
        super().__init__()
        self.model = towers.model  # so that its weights are seen
        self._towers = towers

    def forward(self, pixels_BHWC: torch.Tensor) -> torch.Tensor:
        """`image_BD`."""
        return self._towers.embed_pixels(pixels_BHWC)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drops the remarks of torch and transformers on each other, and nncf's progress bars."""
    with quiet_libraries(), warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield
