"""The processes that train one model together: what they tell each other.

Legend: B rows of all processes together, D the dimension of a vector.
"""

from collections.abc import Iterable

import torch


class Ranks:
    """One process alone: everything is its own."""

    rank = 0
    count = 1

    def share(self, rows: int) -> slice:
        """Which rows of a batch this process works on; together they are all, in order."""
        size, more = divmod(rows, self.count)
        start = self.rank * size + min(self.rank, more)
        return slice(start, start + size + (self.rank < more))

    def gather(self, own_BD: torch.Tensor, rows: int) -> torch.Tensor:  # noqa: ARG002 - others'
        """The rows of all processes, in order, without gradients."""
        return own_BD

    def average(self, weights: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
