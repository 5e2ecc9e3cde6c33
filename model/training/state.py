"""An unfinished training on the disk: all it takes to go on as if it had never stopped.

It is beside the checkpoint, in a folder of the same name that ends in `.training`, and is deleted
when the training is finished. It holds no code: loading it runs none.
"""

import json
import os
import pickle
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from goods.durable import sync
from goods.errors import TrainingError
from goods.product import Product
from model.disk import room_for
from model.evaluation.evaluate import Evaluation
from model.evaluation.results import Hit, QueryHits
from model.training.fit import Step
from model.training.history import save_history
from model.training.identity import Identity
from model.training.records import revived
from model.training.report import EpochRecord

VERSION = 1
"""Raise it whenever a state means something else than before."""

_LOADING_ERRORS = (
    *(OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError),
    pickle.UnpicklingError,
)


@dataclass(frozen=True, slots=True)
class TrainState:
    """A training after some step.

    Attributes:
        fit: What `Fit.restore` takes.
        steps: All that were done.
        epochs: Those that were finished, and before them the base.
        base_test: What the base scores on the test products.
        base_found: What it finds among them.
    """

    fit: Mapping[str, Any]
    steps: Sequence[Step]
    epochs: tuple[EpochRecord, ...]
    base_test: Evaluation | None
    base_found: Sequence[QueryHits]


class StateFolder:
    """The folder beside a checkpoint that keeps its training until it is finished.

    Attributes:
        checkpoint: The checkpoint's folder.
        path: This one.
    """

    def __init__(self, out: Path) -> None:
        self.checkpoint = out
        self.path = out.with_name(f"{out.name}.training")
        self._file = self.path / "state.pt"
        self._base = self.path / "base"

    @property
    def has_state(self) -> bool:
        """Whether an interrupted training can go on from here."""
        return self._file.is_file()

    def save(self, identity: Identity, state: TrainState) -> None:
        """Replace the state, and the tables for people beside it.

        A crash or a full disk leaves the state that was there.

        Raises:
            TrainingError: It cannot be written.
        """
        plain = {
            "version": VERSION,
            "record": json.dumps(
                {
                    "identity": dict(identity),
                    "epochs": [asdict(record) for record in state.epochs],
                    "base_test": state.base_test and asdict(state.base_test),
                    "base_found": [_plain(found) for found in state.base_found],
                }
            ),
            "steps": torch.tensor([_row(step) for step in state.steps], dtype=torch.float64),
            "fit": state.fit,
        }
        fresh = self._file.with_suffix(".new")
        try:
            with room_for("the state of this training", self.path, state_bytes(state.fit)):
                self.path.mkdir(parents=True, exist_ok=True)
                with fresh.open("wb", buffering=0) as stream:  # unbuffered: errors keep their name
                    torch.save(plain, stream)
                    os.fsync(stream.fileno())
                fresh.replace(self._file)
                sync(self.path)
                save_history(state.steps, state.epochs, self.path)
        finally:
            fresh.unlink(missing_ok=True)

    def load(self, identity: Identity, products: Sequence[Product]) -> TrainState:
        """The state of an interrupted training of the same identity.

        Args:
            identity: Of the training that is to go on.
            products: Those of its catalog.

        Raises:
            TrainingError: It is of another training, or damaged.
        """
        try:
            plain = torch.load(self._file, map_location="cpu", weights_only=True)
            version = plain["version"]
            record = json.loads(plain["record"])
        except _LOADING_ERRORS as error:
            raise TrainingError(self._damaged(error)) from error
        self._refuse_another_version(version)
        self._refuse_another(record["identity"], identity)
        by_id = {product.id: product for product in products}
        return TrainState(
            plain["fit"],
            [_step(row) for row in plain["steps"].tolist()],
            tuple(revived(EpochRecord, epoch) for epoch in record["epochs"]),
            record["base_test"] and revived(Evaluation, record["base_test"]),
            [_found(found, by_id) for found in record["base_found"]],
        )

    @property
    def base(self) -> Path | None:
        """The base of the interrupted training, if it was in the folder of the checkpoint."""
        return self._base if self.has_state and self._base.is_dir() else None

    def begin(self, base: str) -> bool:
        """Make room for a new training; whether its base is kept here.

        It is where the checkpoint replaces it; a state saved next makes it the one to go on with.
        """
        self.delete()
        is_kept = (
            Path(base).is_dir() and self.checkpoint.is_dir() and self.checkpoint.samefile(base)
        )
        if is_kept:
            shutil.copytree(base, self._base, copy_function=_link)
        return is_kept

    def drop_state(self) -> None:
        """Delete the state, and leave a folder for what is to be looked at."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        shutil.rmtree(self._base, ignore_errors=True)

    def delete(self) -> None:
        """Delete it all."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _damaged(self, error: Exception) -> str:
        reason = (str(error).splitlines() or [repr(error)])[0]
        return (
            f"the state of the interrupted training in {self.path} cannot be read: {reason}; "
            "delete that folder to start anew"
        )

    def _refuse_another_version(self, version: object) -> None:
        if version != VERSION:
            raise TrainingError(
                f"{self.path} was written by another version of goods; finish with that one, or "
                "delete the folder to start anew"
            )

    def _refuse_another(self, saved: Identity, wanted: Identity) -> None:
        now = json.loads(json.dumps(dict(wanted)))
        changed = [
            f"{name} was {saved.get(name)}, now {now.get(name)}"
            for name in {**saved, **now}
            if saved.get(name) != now.get(name)
        ]
        if changed:
            raise TrainingError(
                f"{self.path} holds an interrupted training of something else: "
                f"{'; '.join(changed)}. Train with what it was begun with, or delete that folder "
                "to start anew"
            )


def state_bytes(fit: Mapping[str, Any]) -> int:
    """How large the tensors of a state are."""
    return sum(tensor.nbytes for tensor in _tensors(fit))


def _tensors(plain: object) -> list[torch.Tensor]:
    if isinstance(plain, torch.Tensor):
        return [plain]
    if isinstance(plain, Mapping):
        return [tensor for value in plain.values() for tensor in _tensors(value)]
    return []


def _row(step: Step) -> tuple[float, ...]:
    return (step.epoch, step.number, step.of, step.loss, step.lr, step.pairs_per_s)


def _step(row: Sequence[float]) -> Step:
    epoch, number, of, *measured = row
    return Step(int(epoch), int(number), int(of), *measured)


def _plain(found: QueryHits) -> dict[str, object]:
    hits = [(hit.product.id, hit.score, hit.is_right) for hit in found.hits]
    return {"query": found.query, "hits": hits}


def _found(plain: Mapping[str, Any], by_id: Mapping[str, Product]) -> QueryHits:
    hits = [Hit(by_id[id_], score, is_right) for id_, score, is_right in plain["hits"]]
    return QueryHits(plain["query"], hits)


def _link(source: str, target: str) -> None:
    """The same file by another name: a checkpoint's files are replaced, never changed."""
    try:
        os.link(source, target)
    except OSError:  # this file system has no such names
        shutil.copy2(source, target)
