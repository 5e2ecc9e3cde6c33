"""Recipes: what a base is trained with unless told otherwise."""

import json
from pathlib import Path

import pytest

from goods.errors import TrainingError
from model.caption_mix import TITLES
from model.training.recipe import DEFAULT_BASE, RECORD, Recipe, recipe_for


def test_plain_is_titles_with_one_positive_and_no_blend() -> None:
    default, plain = recipe_for(DEFAULT_BASE), recipe_for(DEFAULT_BASE, "plain")
    assert (plain.captions, plain.is_fact_aware, plain.is_blended) == (TITLES, False, False)
    assert (plain.epochs, plain.batch_size, plain.lr) == (
        default.epochs,
        default.batch_size,
        default.lr,
    )


def test_another_name_is_refused() -> None:
    with pytest.raises(TrainingError, match="no recipe 'best'; pass default or plain"):
        recipe_for(DEFAULT_BASE, "best")


@pytest.mark.parametrize(
    ("record", "lr"),
    [
        ({"recipe": {"lr": 5e-4}}, 5e-4),
        ({"recipe": {"lr": 5e-4, "lora_rank": 0}}, 5e-4),
        ({"recipe": {"lr": 5e-4, "lora_rank": 8}}, 5e-5),
        ({"recipe": {}}, 5e-5),
        ({}, 5e-5),
        ([], 5e-5),
    ],
)
def test_a_base_that_was_trained_here_goes_on_at_its_own_rate(
    record: object, lr: float, tmp_path: Path
) -> None:
    (tmp_path / RECORD).write_text(json.dumps(record))
    assert recipe_for(str(tmp_path)).lr == lr


def test_a_record_that_is_no_json_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_bytes(b"\xff{")
    assert recipe_for(str(tmp_path)).lr == 5e-5


@pytest.mark.parametrize("decay", [0.0, 1.5])
def test_a_layer_decay_that_is_no_share_is_refused(decay: float) -> None:
    with pytest.raises(TrainingError, match="layer decay"):
        Recipe(1, 16, 1e-3, layer_decay=decay)
