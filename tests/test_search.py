"""The search client and its commands, on an index with real vectors of a tiny model."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from checkpoints import tiny_clip
from goods.cli import main
from goods.errors import (
    FilterError,
    IndexMissingError,
    ModelError,
    ModelMismatchError,
    PictureError,
    QueryError,
)
from picture_host import picture_host
from search import Between, Filters, Query, SearchClient, SearchOptions
from search.answer import Answer
from search.lines import lines_of
from search.relevance import Relevance
from shop import COLOURS, picture


def test_text_finds_the_products_whose_pictures_are_closest(client: SearchClient) -> None:
    options = SearchOptions(limit=48, words_weight=0)
    answer = client.search(Query("red dress"), options=options)
    query = client.encoder.texts(["red dress"])[0]
    scores = {
        record.payload["id"]: float(record.vector @ query)
        for record in client.index.scan(with_vectors=True)
        if record.vector is not None
    }
    assert [hit.product.id for hit in answer.hits] == sorted(scores, key=lambda i: -scores[i])
    for hit in answer.hits:
        assert hit.score == pytest.approx(scores[hit.product.id], abs=1e-5)
    assert answer.total == 48


def test_a_hit_is_the_whole_product(client: SearchClient, home: Path) -> None:
    [hit] = client.by_text("shirt", Filters(any_of={"colour": ["Green"]}), limit=1).hits
    product = hit.product
    number = int(product.id.removeprefix("P-"))
    assert number % 3 == 1
    assert product.title == f"Green {product.attributes['category']} number {number}"
    assert product.attributes["price"] == 10.5 + number % 50
    assert product.attributes["in_stock"] is True
    assert product.picture.location == str(home / f"shop/images/P-{number}.jpg")


def test_filters_hold_for_every_hit_and_the_total_counts_them(client: SearchClient) -> None:
    filters = Filters(
        any_of={"colour": ["red", "Blue"]},
        none_of={"category": ["Shoe"]},
        between={"price": Between(gte=15, lt=50)},
    )
    answer = client.by_text("shoe", filters, limit=48)
    assert answer.total == len(answer.hits) > 5
    for hit in answer.hits:
        assert hit.product.attributes["colour"] in {"Red", "Blue"}
        assert hit.product.attributes["category"] != "Shoe"
        assert 15 <= float(str(hit.product.attributes["price"])) < 50


def test_pages_follow_one_another_without_repeats(client: SearchClient) -> None:
    whole = client.by_text("bag", limit=20).hits
    pages = client.by_text("bag", limit=10).hits + client.by_text("bag", limit=10, offset=10).hits
    assert pages == whole
    assert client.by_text("bag", offset=48).hits == ()


@pytest.mark.parametrize("form", ["path", "text", "bytes", "image"])
def test_a_products_own_picture_finds_it_first(client: SearchClient, home: Path, form: str) -> None:
    file = home / "shop/images/P-9.jpg"
    with Image.open(file) as image:
        query = {
            "path": file,
            "text": str(file),
            "bytes": file.read_bytes(),
            "image": image.convert("RGB"),
        }[form]
    best = client.by_image(query, limit=1).hits[0]  # type: ignore[arg-type]  # one of the four forms
    assert best.product.id == "P-9"
    assert best.score == pytest.approx(1, abs=1e-4)


def test_similar_products_do_not_include_the_product_itself(client: SearchClient) -> None:
    answer = client.similar_to("P-9", limit=48)
    assert len(answer.hits) == answer.total == 47
    assert "P-9" not in {hit.product.id for hit in answer.hits}
    only_red = client.similar_to("P-9", Filters(any_of={"colour": ["Red"]}), limit=48)
    assert only_red.total == 15


def test_a_hit_says_what_of_it_was_asked_for(client: SearchClient) -> None:
    filters = Filters(between={"price": Between(lt=40)}, none_of={"category": ["Bag"]})
    hit = client.by_text("a red shirt", filters, limit=1).hits[0]
    assert dict(hit.matched) == {
        "category": "Shirt", "colour": "Red", "price": hit.product.attributes["price"],
    }  # fmt: skip
    assert hit.words == pytest.approx(2 / 3)
    assert client.similar_to("P-1").hits[0].matched == {}


def test_facets_count_under_the_filters(client: SearchClient) -> None:
    answer = client.by_text(
        "bag", Filters(any_of={"category": ["Bag"]}), facets=["colour", "in_stock"]
    )
    assert {f.value: f.count for f in answer.facets["colour"]} == dict.fromkeys(COLOURS, 4)
    assert {f.value: f.count for f in answer.facets["in_stock"]} == {True: 8, False: 4}
    everything = client.facets()
    assert set(everything.values) == {"category", "colour", "in_stock"}
    assert set(everything.numbers) == {"price"}


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda c: c.by_text("  "), QueryError, "text is empty"),
        (lambda c: c.by_text("x", limit=0), QueryError, "limit 0"),
        (lambda c: c.by_text("x", offset=-1), QueryError, "offset -1"),
        (lambda c: c.by_text("x", facets=["size"]), QueryError, "no field 'size'.*colour"),
        (lambda c: c.by_text("x", Filters(exists=["size"])), FilterError, "no field 'size'"),
        (lambda c: c.by_text("x", Filters(any_of={"colour": ["Rd"]})), FilterError, "mean Red"),
        (lambda c: c.by_text("x", Filters.parse(["colour<1"])), FilterError, "not a number"),
        (lambda c: c.similar_to("P-999"), QueryError, "no product 'P-999'"),
        (lambda c: c.by_image("nowhere.jpg"), PictureError, "nowhere.jpg"),
        (lambda c: c.by_image(b"<html>"), PictureError, "query picture"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_answered_says_why(
    client: SearchClient, ask: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ask(client)  # type: ignore[operator]  # one of the lambdas above


def test_very_long_and_odd_texts_are_answered(client: SearchClient) -> None:
    for text in ("dress " * 5000, "\x00", "👗", "été 连衣裙", "'; DROP TABLE"):
        assert len(client.by_text(text, limit=3).hits) == 3


def test_a_missing_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="goods ingest"):
        SearchClient(tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_another_model_is_refused(home: Path, tmp_path: Path) -> None:
    other = tiny_clip(tmp_path / "other", seed=1)
    with (
        SearchClient(home / "index", str(other)) as client,
        pytest.raises(ModelMismatchError, match="stamp"),
    ):
        client.by_text("dress")


def test_similar_products_need_no_model(home: Path) -> None:
    with SearchClient(home / "index", "no/such/model") as client:
        assert client.similar_to("P-1").hits
        with pytest.raises(ModelError):
            client.by_text("dress")


def test_hits_become_a_table(client: SearchClient) -> None:
    answer = client.by_text("bag", limit=5)
    frame = answer.to_frame()
    assert list(frame["id"]) == [hit.product.id for hit in answer.hits]
    assert {"score", "title", "picture", "colour", "price", "in_stock"} <= set(frame.columns)


def test_the_package_offers_the_names_people_import() -> None:
    import search

    for name in search.__all__:
        assert getattr(search, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = search.nothing


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_a_line_per_hit_and_the_total(home: Path) -> None:
    code, out, err = invoke(
        "search", "red dress", "--index", home / "index", "--filter", "colour=red",
        "--filter", "price<40", "--limit", 3, "--facets", "category", "--understand", "off",
    )  # fmt: skip
    assert code == 0, err
    lines = out.splitlines()
    assert len([line for line in lines if "Red" in line and "P-" in line]) == 3
    assert lines[-2].startswith("category: ")
    assert lines[-1].startswith("3 of 10 products")


def test_json_is_for_machines(home: Path) -> None:
    code, out, _ = invoke(
        "search", "--similar-to", "P-9", "--index", home / "index", "--json", "--facets", "all"
    )
    assert code == 0
    answer = json.loads(out)
    assert answer["total"] == 47
    assert len(answer["hits"]) == 10
    assert set(answer["hits"][0]) == {
        "id", "score", "words", "title", "picture", "group", "attributes", "matched", "variants",
        "variant_count",
    }  # fmt: skip
    assert set(answer["facets"]) == {"category", "colour", "in_stock"}


def test_a_grid_shows_the_hits(home: Path, tmp_path: Path) -> None:
    code, _, err = invoke(
        "search", "--image", home / "shop/images/P-9.jpg", "--index", home / "index",
        "--grid", tmp_path / "hits.png",
    )  # fmt: skip
    assert code == 0, err
    with Image.open(tmp_path / "hits.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).reshape(-1, 3).astype(int)
    red = np.abs(pixels - np.asarray(picture(9)).reshape(-1, 3).mean(0)).sum(1) < 120
    assert red.mean() > 0.02, "the pictures themselves are on the sheet"


def test_a_hit_whose_picture_has_gone_leaves_a_placeholder(home: Path, tmp_path: Path) -> None:
    file = home / "shop/images/P-9.jpg"
    away = file.rename(tmp_path / "away.jpg")
    try:
        code, _, _ = invoke(
            "search", "--image", away, "--index", home / "index", "--grid", tmp_path / "hits.png"
        )
    finally:
        away.rename(file)
    assert code == 0


@pytest.mark.parametrize("place", ["hits.bmp", "hits", "missing/hits.png"])
def test_a_sheet_that_cannot_be_saved_is_refused_before_the_search(
    home: Path, tmp_path: Path, place: str
) -> None:
    code, out, err = invoke(
        "search", "dress", "--index", home / "index", "--grid", tmp_path / place
    )
    assert code == 1
    assert place in err
    assert out == ""


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "say what to look for"),
        (("--minus", "red", "--grid", "hits.png", "--heat"), 2, "needs a query"),
        (("dress", "--image", "x.jpg"), 1, "x.jpg"),
        (("dress", "--sort", "colour"), 1, "number fields are: price"),
        (("dress", "--cursor", "?"), 1, "begin again without one"),
        (("dress", "--limit", "0"), 2, "range"),
        (("dress", "--filter", "colour"), 1, "cannot be read"),
        (("dress", "--filter", "color=Red"), 1, "did you mean colour"),
        (("dress", "--model", "nowhere/at-all"), 1, "nowhere/at-all"),
        (("dress", "--grid", "hits.txt"), 1, "hits.txt"),
    ],
)
def test_a_wrong_command_line_is_explained(
    home: Path, args: tuple[str, ...], code: int, message: str
) -> None:
    got, _, err = invoke("search", *args, "--index", home / "index")
    assert got == code
    assert message in err


def test_a_picture_of_the_own_network_is_loaded_only_where_it_is_allowed(home: Path) -> None:
    data = (home / "shop/images/P-3.jpg").read_bytes()
    with picture_host() as host:
        url = host.url("/3.jpg", lambda answer: answer.send(200, data))
        options = ("search", "--image", url, "--index", home / "index", "--limit", "1")
        code, _, err = invoke(*options)
        assert code == 1
        assert "pass --allow-private-hosts 127.0.0.1" in err
        code, out, _ = invoke(*options, "--allow-private-hosts", "shop.local,127.0.0.1")
        assert code == 0
        assert "  P-3  " in out


def test_info_says_what_the_index_holds(home: Path) -> None:
    code, out, _ = invoke("info", "--index", home / "index")
    assert code == 0
    assert "48 products" in out
    assert "colour: keyword" in out
    code, out, _ = invoke("info", "--index", home / "index", "--json")
    assert json.loads(out)["points"] == 48


def test_schema_prints_a_toml_that_reads_back(home: Path, tmp_path: Path) -> None:
    code, out, _ = invoke("schema", home / "shop/products.csv")
    assert code == 0
    (tmp_path / "schema.toml").write_text(out)
    again = invoke("schema", home / "shop/products.csv", "--schema", tmp_path / "schema.toml")
    assert again[1] == out


def test_a_line_names_what_a_number_or_a_claim_is_about(home: Path) -> None:
    code, out, err = invoke("search", "--filter", "colour=Green", "--index", home / "index")
    assert code == 0, err
    assert "P-1  Green Dress number 1  [Dress; Green; price 11.5; in_stock]" in out
    code, out, _ = invoke("search", "--filter", "colour=Red", "--index", home / "index")
    assert "price 34.5; not in_stock]" in out


def test_filters_that_no_product_holds_to_are_to_blame_and_not_the_words(home: Path) -> None:
    code, out, err = invoke("search", "red dress", "--filter", "price<0", "--index", home / "index")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[:2] == [
        "understood: colour = Red; category = Dress",
        "no product holds to the filters",
    ]
    assert lines[2].startswith("0 of 0 products")


def test_a_poor_match_is_announced_only_above_hits() -> None:
    poor = Relevance(is_good=False, closeness=0.1)
    assert "no good match; the closest are:" not in lines_of(Answer((), 0, poor), 0)


def test_a_picture_that_is_not_there_is_named(home: Path, tmp_path: Path) -> None:
    code, _, err = invoke("search", "--image", tmp_path / "no.jpg", "--index", home / "index")
    assert code == 1
    assert err == (
        f"Error: {tmp_path}/no.jpg: there is no such picture to search by; name a file or a URL\n"
    )
