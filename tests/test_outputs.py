"""Files of results: refused early, and whole or not there."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from goods.errors import GoodsError
from model.evaluation.outputs import refuse_unwritable, write_whole


def test_a_folder_that_is_not_there_is_made_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    refuse_unwritable(tmp_path / "new" / "out.json")
    assert list((tmp_path / "new").iterdir()) == []


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, reason in (
        (tmp_path, "it is a folder"),
        (tmp_path / "file" / "x", "file is a file"),
    ):
        with pytest.raises(GoodsError, match=f"cannot be written: {reason}; name another"):
            refuse_unwritable(path)


def test_half_a_letter_is_written_as_a_question_mark(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "page", "half \ud83d")
    assert (tmp_path / "new" / "page").read_text() == "half ?"


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refuse_unwritable(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_text)
        write_whole(pipe, "all of it")
        assert read.result(timeout=10) == "all of it"
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.json"
    path.write_text("before")

    def full(fresh: Path, data: bytes) -> int:
        fresh.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(GoodsError, match="json cannot be written: No space left on device"):
        write_whole(path, "after")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]
