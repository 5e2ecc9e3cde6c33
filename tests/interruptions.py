"""A training that stops where a test wants it to, and what is left of it."""

import csv
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

import checkpoints  # noqa: F401 - one thread, as in the process that it is compared with
from goods.catalog import open_catalog
from model.training.events import Event
from model.training.fit import Step
from model.training.history import STEPS
from model.training.settings import TrainSettings
from model.training.train import train

EPOCHS = 3


class Stopped(BaseException):
    """Like the keyboard's interrupt."""


def begin(
    base: Path,
    shop: Path,
    out: Path,
    tell: Callable[[Event], None] = lambda _: None,
    **others: object,
) -> None:
    """Train for a few epochs, the state being saved after every step."""
    usual = {"epochs": EPOCHS, "batch_size": 16, "lr": 1e-3, "device": "cpu", "save_every_min": 0.0}
    settings = TrainSettings(base=str(base), **(usual | others))  # type: ignore[arg-type] # passed on
    train(settings, open_catalog(shop), out, tell)


def stop_at(where: Callable[[Event], bool]) -> Callable[[Event], None]:
    """What to tell, so that the training stops at the first such event."""

    def tell(event: Event) -> None:
        if where(event):
            raise Stopped

    return tell


def kill_after(steps: int, base: Path, shop: Path, out: Path) -> None:
    """Train in a process that is killed some time after it has said that it took so many steps."""
    command = [sys.executable, __file__, str(base), str(shop), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(steps):
            assert process.stdout.readline(), "it ended too early"
        process.kill()
    assert process.returncode == -signal.SIGKILL


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "model.safetensors")


def course(out: Path) -> list[tuple[str, ...]]:
    """The steps that were taken: all but how fast."""
    with (out / STEPS).open(newline="") as file:
        return [tuple(row.values())[:4] for row in csv.DictReader(file)]


if __name__ == "__main__":
    begin(
        *map(Path, sys.argv[1:4]),
        lambda event: print("step", flush=True) if isinstance(event, Step) else None,  # noqa: T201 - heard
        resume=True,
    )
