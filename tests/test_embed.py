"""Embedding: how many at a time, each picture once, and what happens when memory ends."""

from collections.abc import Iterator
from itertools import count
from threading import Event

import numpy as np
import pytest
import torch

from goods.errors import ModelError
from goods.product import Picture, Product
from ingest.batch_size import FIRST, LARGEST, BatchSize
from ingest.clock import StageClock
from ingest.embed import LONGEST_WAIT, Embedding
from ingest.load import Loaded
from ingest.plan import Work


class Device:
    """Embeds pictures by their first pixel; has room for so many at a time."""

    backend = ""

    def __init__(self, room: int = 10**9, sends: bool = False) -> None:
        self.room = room
        self.sends = sends
        self.batches: list[int] = []

    def sent(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels

    def embed_pixels(self, pixels: torch.Tensor) -> np.ndarray:
        if len(pixels) > self.room:
            raise torch.OutOfMemoryError("no room")
        self.batches.append(len(pixels))
        return pixels[:, :4, 0, 0].float().numpy()


def loaded(number: int, picture: int | None = None, vector: bool = False) -> Loaded:
    which = number if picture is None else picture
    pixels = torch.full((1, 4, 2, 3), which, dtype=torch.int32)
    return Loaded(
        Product(f"p{number}", Picture(f"/{which}.jpg")),
        Work.NEW,
        "payload",
        f"digest {which}",
        np.zeros(4, np.float32) if vector else pixels,
    )


def embedding(device: Device, size: BatchSize, remembered: int = 100) -> Embedding:
    return Embedding(device, size, remembered, StageClock())  # type: ignore[arg-type] # as much of it


def test_products_keep_their_order_and_get_their_own_vector() -> None:
    items = [loaded(n) for n in range(50)]
    device = Device()
    batches = list(embedding(device, BatchSize(8)).embed(items))
    flat = [item for batch in batches for item in batch]
    assert [item.product.id for item in flat] == [f"p{n}" for n in range(50)]
    assert [item.vector[0] for item in flat] == list(range(50))
    assert device.batches == [8] * 6 + [2]


@pytest.mark.parametrize("sends", [False, True])
def test_a_picture_of_several_products_is_embedded_once_and_fresh_once(sends: bool) -> None:
    items = [loaded(n, picture=n % 5) for n in range(40)]
    device = Device(sends=sends)
    flat = [i for batch in embedding(device, BatchSize(4)).embed(items) for i in batch]
    assert sum(device.batches) == 5
    assert sum(item.is_fresh for item in flat) == 5
    assert [item.vector[0] for item in flat] == [n % 5 for n in range(40)]


def test_the_next_batch_is_sent_while_one_is_embedded() -> None:
    is_sent, sent = Event(), count(1)

    class Slow(Device):
        def sent(self, pixels: torch.Tensor) -> torch.Tensor:
            if next(sent) == 2:
                is_sent.set()
            return pixels

        def embed_pixels(self, pixels: torch.Tensor) -> np.ndarray:
            assert is_sent.wait(20)
            return super().embed_pixels(pixels)

    device = Slow(sends=True)
    batches = list(embedding(device, BatchSize(8)).embed(loaded(n) for n in range(50)))
    flat = [item for batch in batches for item in batch]
    assert [item.vector[0] for item in flat] == list(range(50))


def test_products_whose_vector_is_known_do_not_wait_for_a_full_batch() -> None:
    def endless() -> Iterator[Loaded]:
        number = 0
        while True:
            yield loaded(number, vector=True)
            number += 1

    stream = embedding(Device(), BatchSize(8)).embed(endless())
    assert len(next(stream)) == LONGEST_WAIT


def test_a_device_that_runs_out_of_memory_gets_half_and_goes_on() -> None:
    device, size = Device(room=5), BatchSize(16)
    flat = [i for b in embedding(device, size).embed([loaded(n) for n in range(40)]) for i in b]
    assert [item.vector[0] for item in flat] == list(range(40))
    assert size.size == 4
    assert max(device.batches) == 4


def test_no_room_for_one_picture_is_an_error_that_says_so() -> None:
    with pytest.raises(ModelError, match="too little memory for one picture"):
        list(embedding(Device(room=0), BatchSize(4)).embed([loaded(1)]))


def grown(rate: dict[int, float]) -> int:
    """The size that is settled for when sizes have these rates."""
    size = BatchSize()
    for _ in range(100):
        size.took(size.size, size.size / rate[size.size])
    return size.size


def test_batches_grow_while_that_pays_and_no_further() -> None:
    pays_to_64 = {16: 100.0, 32: 160.0, 64: 200.0, 128: 204.0}
    assert grown(pays_to_64) == 64
    assert grown({FIRST: 100.0, 2 * FIRST: 90.0}) == FIRST
    assert grown({FIRST * 2**n: 100.0 * 2**n for n in range(20)}) == LARGEST


def test_a_fixed_size_stays() -> None:
    size = BatchSize(10)
    for _ in range(50):
        size.took(10, 1e-9)
    assert size.size == 10
