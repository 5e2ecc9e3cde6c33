"""A tower as OpenVINO runs it on the CPU.

Legend: N pictures or texts, D the dimension of a vector.
"""

import threading
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from model.backends.library import load_library

CHUNK = 32
"""Pictures or texts that go through the graph at a time, whatever the batch. From 16 on the
processor spends the same on each picture; more at a time only take memory (0.4 GB of activations in
a SigLIP at 384 px)."""

_SETTINGS = {
    "PERFORMANCE_HINT": "LATENCY",
    # Otherwise it is bfloat16 wherever the processor knows it, behind the caller's back.
    "INFERENCE_PRECISION_HINT": "f32",
    # Cores are shared with the threads that load pictures.
    "ENABLE_CPU_PINNING": False,
}


class CompiledTower:
    """Gives `(N, D)` unit vectors, float32, of pixels or tokens. Safe to use from several threads.

    Args:
        graph: What one of `model.backends.graph` made.
    """

    def __init__(self, graph: Any) -> None:
        compiled = load_library("openvino").Core().compile_model(graph, "CPU", _SETTINGS)
        self._dimension = int(compiled.output(0).partial_shape[1].get_length())
        self._request = compiled.create_infer_request()
        self._turn = threading.Lock()  # a request holds one input at a time

    def __call__(self, inputs: torch.Tensor) -> NDArray[np.float32]:
        """The vectors of what `Preprocessing.pixels` or `DualEncoder.tokens` made, in its order."""
        vectors_ND = np.empty((len(inputs), self._dimension), np.float32)
        with self._turn:
            for start in range(0, len(inputs), CHUNK):
                chunk = np.ascontiguousarray(inputs[start : start + CHUNK].numpy())
                self._request.infer([chunk], share_inputs=True)
                vectors_ND[start : start + CHUNK] = self._request.get_output_tensor(0).data
        return vectors_ND
