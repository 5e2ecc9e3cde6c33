import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goods.errors import SchemaError
from goods.infer import infer_schema
from goods.overrides import Overrides, read_overrides
from goods.schema import RESERVED_NAMES, CatalogSchema, Field, FieldKind, field_names, to_toml

COLUMNS = ["sku", "photo", "name", "colour", "Price (EUR)", "notes"]


def overrides(tmp_path: Path, toml: str) -> Overrides:
    file = tmp_path / "schema.toml"
    file.write_text(toml, encoding="utf-8")
    return read_overrides(file, COLUMNS)


@st.composite
def schemas(draw: st.DrawFn) -> tuple[list[str], CatalogSchema]:
    """Any columns, and any schema over them."""
    names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    columns = draw(st.lists(names, min_size=1, max_size=8, unique=True))
    column = st.sampled_from(columns)
    some = st.lists(column, unique=True)
    kinds = draw(st.dictionaries(column, st.sampled_from(FieldKind)))
    called = field_names(columns)
    between = {name: draw(st.text(st.characters(exclude_categories=["Cs"]))) for name in columns}
    fields = [
        Field(called[name], kind, name, between[name] if kind is FieldKind.KEYWORD else "")
        for name in columns
        if (kind := kinds.get(name))
    ]
    keywords = [field.name for field in fields if field.kind is FieldKind.KEYWORD]
    return columns, CatalogSchema(
        id=draw(column),
        picture=draw(column),
        title=draw(st.none() | column),
        fields=tuple(fields),
        texts=tuple(draw(some)),
        group=draw(st.none() | column),
        split=draw(st.none() | column),
        phrase=tuple(draw(st.lists(st.sampled_from(keywords), unique=True)) if keywords else ()),
    )


@given(schemas())
def test_a_printed_schema_reads_back_whatever_would_be_inferred(
    tmp_path_factory: pytest.TempPathFactory, columns_and_schema: tuple[list[str], CatalogSchema]
) -> None:
    columns, schema = columns_and_schema
    file = tmp_path_factory.getbasetemp() / "schema.toml"
    file.write_text(to_toml(schema, columns), encoding="utf-8")
    rows = [[f"{column} {row}.jpg" for column in columns] for row in range(3)]
    assert infer_schema(columns, rows, read_overrides(file, columns)) == schema


@given(schemas())
def test_a_stored_schema_reads_back(columns_and_schema: tuple[list[str], CatalogSchema]) -> None:
    _, schema = columns_and_schema
    assert CatalogSchema.from_json(schema.to_json()) == schema


def test_a_stored_schema_of_another_shape_is_refused() -> None:
    with pytest.raises(SchemaError, match="cannot be read"):
        CatalogSchema.from_json({"id": "sku"})


def test_a_schema_file_says_as_little_as_it_likes(tmp_path: Path) -> None:
    assert overrides(tmp_path, "") == Overrides()
    assert overrides(tmp_path, 'title = "name"') == Overrides(title="name")


@pytest.mark.parametrize("off", ["false", '""'])
def test_a_role_can_be_switched_off(tmp_path: Path, off: str) -> None:
    assert overrides(tmp_path, f"group = {off}").group == ""


def test_fields_are_columns_with_kinds(tmp_path: Path) -> None:
    told = overrides(tmp_path, '[fields]\n"Price (EUR)" = "number"')
    assert told.fields == {"Price (EUR)": FieldKind.NUMBER}


def test_a_column_with_a_separator_is_a_keyword_field(tmp_path: Path) -> None:
    told = overrides(tmp_path, '[separators]\nnotes = ","\ncolour = ""')
    assert told.fields == {"notes": FieldKind.KEYWORD, "colour": FieldKind.KEYWORD}
    assert told.separators == {"notes": ","}


def test_a_schema_stored_before_there_were_separators_has_none() -> None:
    field = Field("colour", FieldKind.KEYWORD, "colour")
    stored = CatalogSchema(id="sku", picture="photo", fields=(field,)).to_json()
    del stored["fields"][0]["separator"]
    assert CatalogSchema.from_json(stored).fields == (field,)


def test_a_picture_may_be_a_template_over_columns(tmp_path: Path) -> None:
    assert overrides(tmp_path, 'picture = "images/{sku}.jpg"').picture == "images/{sku}.jpg"


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('titel = "name"', "there is no key 'titel'; did you mean 'title'?"),
        ('title = "nam"', "title: there is no column 'nam'; did you mean 'name'?"),
        ('id = "zzz"', "id: there is no column 'zzz'; there are sku, photo, name"),
        ('picture = "{sk}.jpg"', "picture: there is no column 'sk'; did you mean 'sku'?"),
        ('picture = "foto"', "picture: there is no column 'foto'; did you mean 'photo'?"),
        ('texts = ["note"]', "texts: there is no column 'note'; did you mean 'notes'?"),
        ('ignore = ["note"]', "ignore: there is no column 'note'; did you mean 'notes'?"),
        (
            '[fields]\ncolor = "keyword"',
            "fields: there is no column 'color'; did you mean 'colour'?",
        ),
        ('[fields]\ncolour = "keywords"', "the kind 'keywords'; did you mean 'keyword'?"),
        ("[fields]\ncolour = 1", "fields: colour cannot have the kind 1; there are keyword"),
        ("fields = 1", "fields is 1; write a table"),
        ("separators = 1", "separators is 1; write a table"),
        ('[separators]\ncolor = "|"', "no column 'color'; did you mean 'colour'?"),
        ("[separators]\ncolour = 1", "separators: colour is 1; write what stands between"),
        (
            '[fields]\ncolour = "number"\n[separators]\ncolour = "|"',
            "separators lists ['colour'], which fields says are no keywords",
        ),
        ('ignore = ["notes"]\n[separators]\nnotes = "|"', "ignore lists ['notes']"),
        ("id = 1", "id is 1; write the name of a column"),
        ('texts = "notes"', "texts is 'notes'; write a list"),
        ('id = "sku"\nignore = ["sku"]', "ignore lists ['sku'], which the file also gives a use"),
        ('picture = "{sku}.jpg"\nignore = ["sku"]', "ignore lists ['sku']"),
        ("id = ", "schema.toml: the schema file is not TOML"),
    ],
)
def test_a_wrong_schema_file_is_refused_with_the_nearest_name(
    tmp_path: Path, toml: str, message: str
) -> None:
    with pytest.raises(SchemaError, match=re.escape(message)):
        overrides(tmp_path, toml)


def test_a_missing_schema_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="the schema file cannot be read: No such file"):
        read_overrides(tmp_path / "none.toml", COLUMNS)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (["baseColour"], ["baseColour"]),
        (["Price (EUR)"], ["Price_EUR"]),
        (["Größe", "Überzug", "Kjøn"], ["Grosse", "Uberzug", "Kjon"]),
        (["a", "b", "颜色"], ["a", "b", "field_3"]),
        (["a b", "a_b", "A-b", "a.b"], ["a_b", "a_b_2", "A-b", "a_b_3"]),
        (["Color", "color"], ["Color", "color_2"]),
        (["title", "id"], ["title_2", "id_2"]),
    ],
)
def test_fields_have_names_that_people_can_type(columns: list[str], names: list[str]) -> None:
    assert list(field_names(columns).values()) == names


@given(st.lists(st.text(), unique=True))
def test_field_names_are_plain_unique_and_not_reserved(columns: list[str]) -> None:
    names = list(field_names(columns).values())
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names)
    assert len({name.lower() for name in names}) == len(columns)
    assert RESERVED_NAMES.isdisjoint(names)


@pytest.mark.parametrize(
    ("fields", "phrase", "message"),
    [
        (("a", "a"), (), "two fields are called"),
        (("id",), (), "fields cannot be called"),
        (("a",), ("b",), "phrase names"),
    ],
)
def test_a_contradictory_schema_is_refused(
    fields: tuple[str, ...], phrase: tuple[str, ...], message: str
) -> None:
    made = tuple(Field(name, FieldKind.KEYWORD, name) for name in fields)
    with pytest.raises(SchemaError, match=message):
        CatalogSchema(id="sku", picture="photo", fields=made, phrase=phrase)


def test_fields_are_found_by_name_and_kind() -> None:
    colour = Field("colour", FieldKind.KEYWORD, "colour")
    price = Field("price", FieldKind.NUMBER, "price")
    schema = CatalogSchema(id="sku", picture="photo", fields=(colour, price))
    assert schema.field("price") == price
    assert schema.field("size") is None
    assert schema.of_kind(FieldKind.KEYWORD) == (colour,)
