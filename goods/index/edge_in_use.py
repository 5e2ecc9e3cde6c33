"""Which generation of an index's folder is in use: begun, gone on with, sealed, served."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from goods.errors import IndexMissingError, IndexStoreError
from goods.index.contract import Contract, check_continues
from goods.index.edge_shard import (
    OpenGeneration,
    engine_errors,
    index_payload,
    load_generation,
    make_generation,
)
from goods.index.generations import Generations
from goods.index.seal import seal_in_child


class GenerationInUse:
    """Opens one generation of a folder at a time.

    Args:
        folder: Where the index is, or will be.
        wait_s: How long to wait for another process to let go of it.

    Raises:
        IndexLockedError: Another process holds the folder for longer than `wait_s`.
        IndexStoreError: The folder cannot be used.
    """

    def __init__(self, folder: Path, wait_s: float) -> None:
        self._folder = folder
        self._wait_s = wait_s
        self._generations = Generations(folder, wait_s)
        self._opened: OpenGeneration | None = None
        self._is_closed = False

    def get(self) -> OpenGeneration:
        """The generation in use; the current one is opened when it is first asked for.

        Raises:
            IndexMissingError: There is none yet.
            IndexStoreError: It cannot be opened, or the index was closed.
        """
        self._check_not_closed()
        if self._opened is None:
            self._generations.hold()  # the folder may be younger than this object
            current = self._generations.current()
            if current is None:
                raise IndexMissingError(
                    f"there is no index in {self._folder} yet; make one with goods ingest"
                )
            self._generations.prune()
            self._opened = load_generation(current, self._wait_s)
        return self._opened

    @contextmanager
    def engine(self) -> Iterator[edge.EdgeShard]:
        """The open shard; its failures become IndexStoreError."""
        opened = self.get()
        with engine_errors(opened.generation.path):
            yield opened.shard

    def create(self, contract: Contract, *, rebuild: bool) -> None:
        """Go on with the current generation under this contract, or begin another.

        Raises:
            ModelMismatchError: Another model made the current one, and `rebuild` is off.
            SchemaError: It compares a field in another way, and `rebuild` is off.
        """
        self._check_not_closed()
        self._generations.make_folder()
        self._generations.prune()
        self._release()
        is_first = self._generations.current() is None
        if not is_first and not rebuild:
            self._adopt(contract)
            return
        self._opened = self._resume(contract) or self._begin(contract)
        if is_first:
            self._generations.serve(self._opened.generation)

    def seal(self) -> None:
        """Go on with a copy that has a graph.

        Nothing is open meanwhile: both in memory at a time would need half as much again.

        Raises:
            IndexStoreError: It cannot be built; the generation in use is as it was.
        """
        before = self.get()
        target = self._generations.next(is_copy=True)
        self._release()
        try:
            seal_in_child(before.generation, target, before.contract.dimension)
            self._opened = load_generation(target)
        except BaseException:
            with suppress(IndexStoreError):  # what is raised says more
                self._opened = load_generation(before.generation)
            raise

    def serve(self) -> None:
        """Make the generation in use the current one, in place of those before it."""
        generation = self.get().generation
        if generation != self._generations.current():
            self._generations.serve(generation)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Note something under a name, in place of what was noted before."""
        opened = self.get()
        opened.generation.write_note(name, note)
        self._opened = replace(opened, tuning=opened.generation.tuning())

    def close(self) -> None:
        """Let go of the folder."""
        self._is_closed = True
        try:
            self._release()
        finally:
            self._generations.close()

    def _resume(self, contract: Contract) -> OpenGeneration | None:
        """What a rebuild under this contract left unfinished; under any other, it is removed."""
        unfinished = self._generations.unfinished()
        if unfinished is None:
            return None
        if unfinished.is_under(contract):
            remedy = f"delete {unfinished.path} and run the same command again"
            return load_generation(unfinished, self._wait_s, remedy)
        self._generations.discard(unfinished)
        return None

    def _begin(self, contract: Contract) -> OpenGeneration:
        generation = self._generations.next()
        make_generation(generation, contract)
        return load_generation(generation)

    def _adopt(self, contract: Contract) -> None:
        """Go on with the current generation, with the fields that are new."""
        opened = self.get()
        check_continues(str(self._folder), opened.contract, contract)
        if opened.contract != contract:
            with self.engine() as shard:
                index_payload(shard, contract)
                shard.flush()
            opened.generation.write_contract(contract)
            self._opened = replace(opened, contract=contract)

    def _check_not_closed(self) -> None:
        if self._is_closed:
            raise IndexStoreError(f"the index in {self._folder} was closed; open it again")

    def _release(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
