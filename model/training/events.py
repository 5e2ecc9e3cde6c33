"""What a training tells on its way: pictures first, then steps, and its scores."""

from dataclasses import dataclass

from model.training.fit import Step
from model.training.guard import Blend
from model.training.report import EpochRecord


@dataclass(frozen=True, slots=True)
class Looked:
    """So many products of the catalog have been looked at."""

    products: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The training goes on after a step that an interrupted run has taken.

    Attributes:
        step: The last one that is not lost, of the whole training.
    """

    step: int


Event = Looked | Resumed | Step | EpochRecord | Blend
