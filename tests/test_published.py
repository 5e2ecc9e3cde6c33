"""Published scores: what ships, and when it may be shown."""

import pytest

from model.evaluation.published import published, published_beside

MODELS = {
    "Marqo-FashionSigLIP",
    "Marqo-FashionCLIP",
    "FashionCLIP 2.0",
    "OpenFashionCLIP",
    "ViT-B-16 laion2b_s34b_b88k",
    "ViT-B-16 SigLIP webli",
}


def test_every_table_has_every_model_and_scores_between_0_and_1() -> None:
    for table in published().tables:
        assert table.scores.keys() == MODELS
        values = [score for scores in table.scores.values() for score in scores.values()]
        assert len(values) == 3 * len(MODELS)
        assert all(0 < value < 1 for value in values)


@pytest.mark.parametrize(
    ("corpus", "task", "model", "metric", "score"),
    [
        ("KAGL", "text-to-image", "FashionCLIP 2.0", "R@10", 0.404),
        ("KAGL", "text-to-image", "Marqo-FashionSigLIP", "RR@10", 0.293),
        ("KAGL", "sub-category-to-product", "Marqo-FashionCLIP", "P@10", 0.613),
        ("six sets", "text-to-image", "OpenFashionCLIP", "R@10", 0.204),
        ("five sets", "category-to-product", "Marqo-FashionSigLIP", "P@1", 0.758),
        ("four sets", "sub-category-to-product", "FashionCLIP 2.0", "RR@10", 0.733),
    ],
)
def test_scores_are_those_of_the_source(
    corpus: str, task: str, model: str, metric: str, score: float
) -> None:
    [table] = [t for t in published().tables if (t.corpus, t.task) == (corpus, task)]
    assert table.scores[model][metric] == score


def test_recall_at_10_is_never_below_recall_at_1() -> None:
    for table in published().tables:
        for scores in table.scores.values():
            if "R@10" in scores:
                assert scores["R@1"] < scores["RR@10"] < scores["R@10"]
            else:
                assert scores["P@1"] <= scores["RR@10"]


def test_the_source_is_named_with_its_version_and_date() -> None:
    known = published()
    assert known.url.startswith("https://github.com/marqo-ai/marqo-FashionCLIP/blob/60a875df")
    assert known.updated == "2024-08-09"
    assert known.kagl_products == 44_434


@pytest.mark.parametrize("size", [44_434, 44_441])
def test_the_same_protocol_on_the_same_corpus_shows_kagl_and_its_source(size: int) -> None:
    beside = published_beside("marqo", size, is_trained_on_it=False)
    assert {table.corpus for table in beside.tables} == {"KAGL"}
    assert len(beside.tables) == 5
    assert "2024-08-09" in beside.note
    assert f"{size:,}" in beside.note


@pytest.mark.parametrize(
    ("protocol", "size", "is_trained", "reason"),
    [
        ("catalog", 44_434, False, "marqo protocol"),
        ("marqo", 663, False, "your corpus has 663 products, KAGL 44,434"),
        ("marqo", 50_000, False, "your corpus has 50,000 products"),
        ("marqo", 44_434, True, "only held-out products are a fair comparison"),
    ],
)
def test_anything_else_says_in_one_line_why_not(
    protocol: str, size: int, is_trained: bool, reason: str
) -> None:
    beside = published_beside(protocol, size, is_trained)
    assert beside.tables == ()
    assert reason in beside.note
    assert "\n" not in beside.note
