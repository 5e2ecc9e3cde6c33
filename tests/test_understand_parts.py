"""How a text is understood, one decision at a time."""

from pathlib import Path

import pytest

from goods.index import AnyOf, Not, Range
from goods.schema import CatalogSchema, Field, FieldKind
from search.understand import Vocabulary, Why, read_thesaurus, understand
from search.understand.spelling import Spelling
from search.understand.thesaurus import ThesaurusError, shipped_thesaurus
from search.understand.words import clean, plain, singular
from shopper_queries import vocabularies

SAMPLE = vocabularies()["sample"]
FASHION = vocabularies()["fashion"]
SCHEMA = CatalogSchema(
    id="id",
    picture="image",
    fields=(Field("colour", FieldKind.KEYWORD, "colour"), Field("type", FieldKind.KEYWORD, "type")),
    phrase=("colour", "type"),
)
TYPES = (
    "Sports Shoes, Casual Shoes, Formal Shoes, Heels, Flip Flops, Rain Jacket, Ring, Pendant, "
    "Key chain, Perfume and Body Mist"
)
TYPED = Vocabulary.build(SCHEMA, {"type": dict.fromkeys(TYPES.split(", "), 9)})


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("red floral dress under 50 not sleeveless", "red floral dress"),
        ("shirt under 40 in linen", "shirt, in linen"),
        ("red dress but not plain", "red dress"),
        ("dress that is not floral and not dotted", "dress"),
        ("under 50", ""),
        ("not too tight jeans", "jeans"),
        ("cheap red shoes", "cheap red shoes"),
        ("  Red\tDRESS ", "Red DRESS"),
    ],
)
def test_refusals_and_numbers_leave_the_text_and_the_rest_stays(text: str, left: str) -> None:
    assert understand(text, SAMPLE).text == left


def test_the_decision_is_plain_json() -> None:
    found = understand("cream dress under 50 not sleeveless, no saree", SAMPLE).to_json()
    assert found["text"] == "cream dress"
    assert found["filters"] == [
        {
            "field": "colour",
            "op": "=",
            "value": ["beige"],
            "from": "cream",
            "key": "colour = beige",
            "label": "beige",
        },
        {
            "field": "category",
            "op": "=",
            "value": ["dress"],
            "from": "dress",
            "key": "category = dress",
            "label": "dress",
        },
        {
            "field": "price",
            "op": "<",
            "value": 50.0,
            "from": "under 50",
            "key": "price < 50",
            "label": "price under 50",
        },
        {
            "field": "sleeve",
            "op": "!=",
            "value": ["sleeveless"],
            "from": "sleeveless",
            "key": "sleeve != sleeveless",
            "label": "not sleeveless",
        },
    ]
    assert found["boosts"] == []
    assert found["substituted"] == [{"from": "cream", "to": ["beige"], "why": "nearest"}]
    assert found["not_carried"] == [{"from": "no saree", "why": "no value to exclude"}]


def test_people_read_a_line_per_kind_of_decision() -> None:
    assert list(understand("cream boots under 40.5, summer saree", SAMPLE).lines()) == [
        "understood: colour = beige; category = boots; price < 40.5",
        "substituted: cream → beige",
        "not carried: saree (no such value in this catalog)",
    ]
    [line] = understand("summer", FASHION).lines()
    assert line == "moves up: season = Summer"


def test_a_demand_is_a_condition_of_the_index() -> None:
    found = understand("red boots not suede, 20 to 40 €", SAMPLE)
    assert [demand.condition for demand in found.filters] == [
        AnyOf("colour", ("red",)),
        AnyOf("category", ("boots",)),
        Not(AnyOf("material", ("suede",))),
        Range("price", gte=20.0),
        Range("price", lte=40.0),
    ]


def test_every_decision_can_be_taken_back() -> None:
    found = understand("red dress for the summer", FASHION)
    less = found.without([found.filters[0], *found.boosts])
    assert less.filters == found.filters[1:]
    assert less.boosts == ()
    soft = found.softened()
    assert soft.filters == ()
    assert soft.boosts == found.filters + found.boosts


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("yelow", ("yellow",)),
        ("yelllow", ("yellow",)),
        ("yelloq", ("yellow",)),
        ("yelolw", ("yellow",)),
        ("blak", ("black",)),
        ("yellow", ()),  # right
        ("best", ()),  # the first letter differs
        ("vast", ()),  # four letters changed in one
        ("tight", ()),  # a word of its own
        ("ylelwo", ()),  # two slips
        ("scarve", ("scarf",)),  # told
        ("red", ()),  # too short
        ("shrt", ("shirt", "short")),  # nobody can tell
    ],
)
def test_one_slip_is_put_right_and_nothing_else(typed: str, meant: tuple[str, ...]) -> None:
    known = ["yellow", "black", "vest", "tights", "scarf", "shirt", "short"]
    assert Spelling(known, ["tight"], {"scarve": "scarf"}).meant(typed) == meant


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("dress", "dresses"), ("watch", "watches"), ("scarf", "scarves"), ("hoodie", "hoodies"),
        ("accessory", "accessories"), ("tie", "ties"), ("shoe", "shoes"), ("sari", "saris"),
        ("box", "boxes"), ("women", "womens"),
    ],
)  # fmt: skip
def test_singular_and_plural_are_one_word(one: str, many: str) -> None:
    assert singular(one) == singular(many)


def test_shorts_are_not_short() -> None:
    thesaurus = shipped_thesaurus()
    assert thesaurus.key("short dress") != thesaurus.key("shorts dress")


def test_a_word_of_two_fields_only_moves_products_up() -> None:
    schema = CatalogSchema(
        id="id",
        picture="image",
        fields=tuple(Field(n, FieldKind.KEYWORD, n) for n in ("brand", "colour")),
    )
    both = Vocabulary.build(schema, {"brand": {"Navy": 3}, "colour": {"Navy": 5, "Red": 2}})
    found = understand("navy shirt", both)
    assert found.filters == ()
    assert {demand.field for demand in found.boosts} == {"brand", "colour"}
    [refused] = understand("not navy", both).filters
    assert (refused.field, refused.op) == ("colour", "!=")


def test_fields_are_recognised_by_their_values_where_names_do_not_tell() -> None:
    schema = CatalogSchema(
        id="id", picture="image", fields=(Field("Farbton", FieldKind.KEYWORD, "Farbton"),)
    )
    hues = Vocabulary.build(schema, {"Farbton": {"Red": 1, "Burgundy": 1, "Blue": 1}})
    [demand] = understand("red dress", hues).filters
    assert set(demand.values) == {"Red", "Burgundy"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sneakers", {"Sports Shoes", "Casual Shoes"}),
        ("trainers", {"Sports Shoes", "Casual Shoes"}),
        ("plimsolls", {"Sports Shoes", "Casual Shoes"}),
        ("brogues", {"Formal Shoes"}),
        ("loafers", {"Formal Shoes", "Casual Shoes"}),
        ("wedges", {"Heels"}),
        ("slippers", {"Flip Flops"}),
        ("raincoat", {"Rain Jacket"}),
        ("jewelry", {"Ring", "Pendant"}),
        ("cologne", {"Perfume and Body Mist"}),
        ("footwear", {"Sports Shoes", "Casual Shoes", "Formal Shoes", "Heels", "Flip Flops"}),
        ("key ring", {"Key chain"}),
    ],
)
def test_an_everyday_word_is_taken_for_the_nearest_the_catalog_has(
    text: str, values: set[str]
) -> None:
    [demand] = understand(text, TYPED).filters
    assert set(demand.values) == values
    assert understand(text, TYPED).not_carried == ()


@pytest.mark.parametrize(
    ("field", "text", "demand"),
    [
        ("in_stock", "out of stock", "in_stock = False"),
        ("in_stock", "sold-out shoes", "in_stock = False"),
        ("in_stock", "shoes in stock", "in_stock = True"),
        ("in_stock", "shoes not sold out", "in_stock != False"),
        ("is_available", "sold out shoes", "is_available = False"),
        ("is_available", "shoes in stock", "is_available = True"),
        ("sold_out", "shoes that are sold out", "sold_out = True"),
        ("sold_out", "shoes in stock", "sold_out = False"),
    ],
)
def test_what_is_in_stock_or_sold_out_is_told_by_a_field_of_either(
    field: str, text: str, demand: str
) -> None:
    schema = CatalogSchema("id", "image", fields=(Field(field, FieldKind.BOOLEAN, field),))
    stocked = Vocabulary.build(schema, {field: {"true": 5, "false": 2}})
    assert [str(one) for one in understand(text, stocked).filters] == [demand]


@pytest.mark.parametrize("text", ["sold out shoes", "shoes available in red", "stock photo"])
def test_other_claims_tell_nothing_of_the_stock(text: str) -> None:
    schema = CatalogSchema("id", "image", fields=(Field("on_sale", FieldKind.BOOLEAN, "sale"),))
    claimed = Vocabulary.build(schema, {"on_sale": {"true": 5, "false": 2}})
    assert understand(text, claimed).filters == ()
    assert understand("shoes available in red", SAMPLE).filters[-1].field == "colour"


def test_what_is_only_near_is_not_refused_with_the_word() -> None:
    assert understand("no sneakers", TYPED).filters == ()
    [demand] = understand("shoes without jewelry", TYPED).filters[1:]
    assert (demand.op, set(demand.values)) == ("!=", {"Ring", "Pendant"})


def test_a_shop_adds_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[colour]\nsame = ["midnight sky = navy"]\n'
        '[garment.kinds]\ntop = "guernsey"\n[words]\nidioms = ["blue monday"]\n',
        "utf-8",
    )
    values = {"colour": {"Navy": 2, "Blue": 2}, "type": {"Tops": 3}}
    own = Vocabulary.build(SCHEMA, values, read_thesaurus(tmp_path / "own.toml"))
    found = understand("midnight sky guernsey", own)
    assert [(d.field, d.values, d.why) for d in found.filters] == [
        ("colour", ("Navy",), Why.SYNONYM),
        ("type", ("Tops",), Why.NEAREST),
    ]
    assert understand("blue monday", own).filters == ()
    assert understand("midnight sky", Vocabulary.build(SCHEMA, values)).filters == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("colour = [", "cannot be read"),
        ("[colour]\nsame = 3", "neither a table"),
        ("[colour]\nsame = [3]", "neither a table"),
        ("colour = 'red'", "colour is not a text"),
        ("[colour.same]\nred = 'x'", "same is not a table"),
        ("[colour]\nkinds = ['red']", "kinds is not a list"),
    ],
)
def test_a_wrong_file_of_synonyms_says_its_form(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "own.toml").write_text(content, "utf-8")
    with pytest.raises(ThesaurusError, match=rf"own\.toml.*{message}"):
        read_thesaurus(tmp_path / "own.toml")


def test_a_missing_file_of_synonyms_is_named(tmp_path: Path) -> None:
    with pytest.raises(ThesaurusError, match=r"nowhere\.toml"):
        read_thesaurus(tmp_path / "nowhere.toml")


def test_a_catalog_without_values_understands_nothing() -> None:
    nothing = Vocabulary.build(CatalogSchema(id="id", picture="image"), {})
    found = understand("red dress under 50 size m", nothing)
    assert found.filters == ()
    assert found.text == "red dress"
    assert [missing.said for missing in found.not_carried] == ["under 50", "size m"]


def test_invisible_letters_and_odd_spaces_are_cleaned_away() -> None:
    assert clean("  re\u200bd\u00a0dre\u00adss\n\x00") == "red dress"
    assert clean("\uff52\uff45\uff44") == "red"  # full-width
    assert plain("Ünder\u2010İX") == "under-ix"
    assert len(plain("ßÉ\u2014ǆ")) == 4


def test_a_refusal_that_no_field_tells_of_names_what_to_avoid() -> None:
    found = understand("blue shirt not checked, without lace or frills", FASHION)
    assert [thing.text for thing in found.avoided] == ["checked", "lace", "frills"]
    assert {"checked", "check", "plaid"} <= set(found.avoided[0].names)
    assert found.text == "blue shirt"
    assert "moves down: checked; lace; frills" in found.lines()
    assert found.without(found.avoided[:1]).avoided == found.avoided[1:]


@pytest.mark.parametrize(
    ("text", "left", "refused"),
    [
        ("shirt without side pockets", "shirt", ["side pockets"]),
        ("shirt not side pockets", "shirt", ["side pockets"]),
        (
            "no side pockets or big buttons, blue shirt",
            "blue shirt",
            ["side pockets", "big buttons"],
        ),
        ("dress with no back zip under 50", "dress", ["back zip"]),
        ("top without front zip for women", "top, for women", ["front zip"]),
        ("bag without long leather shoulder strap", "bag", ["long leather shoulder strap"]),
        ("dress without puffy sleeves", "dress", ["puffy sleeves"]),
        ("shirt without tiny flowers", "shirt", ["tiny flowers"]),
        ("bag without leather shoulder strap red", "bag, red", ["leather shoulder strap"]),
    ],
)
def test_a_thing_is_refused_by_all_words_of_its_name(
    text: str, left: str, refused: list[str]
) -> None:
    found = understand(text, SAMPLE)
    assert [thing.text for thing in found.avoided] == refused
    assert found.text == left
    assert not {demand.field for demand in found.filters} & {"material", "pattern", "sleeve"}


@pytest.mark.parametrize(
    ("text", "left", "refused"),
    [
        ("hoodie without zip red", "hoodie, red", ["zip"]),  # what a field knows is wanted
        ("no logos stretchy jeans", "stretchy jeans", ["logos"]),  # a plural ends the name
        ("no hood stretchy jacket", "stretchy jacket", ["hood"]),  # so does a part
        ("jacket not heavy breathable", "jacket, breathable", ["heavy"]),  # one adjective
        ("skirt -side slit", "skirt, slit", ["side"]),  # as search engines have it
        ("dress without lace i can wear", "dress, i can wear", ["lace"]),
        ("coat without gold thingy whatever foo bar", "coat, whatever foo bar", ["gold thingy"]),
        ("not your average dress", "not your average dress", []),
    ],
)
def test_a_refusal_ends_where_the_name_of_the_thing_does(
    text: str, left: str, refused: list[str]
) -> None:
    found = understand(text, SAMPLE)
    assert [thing.text for thing in found.avoided] == refused
    assert found.text == left


def test_what_a_filter_refuses_is_not_avoided_as_well() -> None:
    found = understand("red dress not floral", SAMPLE)
    assert found.avoided == ()
