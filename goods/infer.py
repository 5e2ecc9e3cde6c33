"""What each column of a catalog is for, from its name and a sample of its values.

Well-known names decide first, in the order of the tables below; pictures and ids are recognised by
their values, too. What a schema file says goes before all of it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from goods.errors import CatalogError
from goods.overrides import Overrides
from goods.profile import Profile
from goods.schema import CatalogSchema, Field, FieldKind, field_names
from goods.separators import separator_of
from goods.values import Cell, split_name

# Names in lower case without punctuation, the likeliest first.
_ID = (
    "id productid itemid articleid sku skuid variantid variantsku productsku itemsku asin uniqid "
    "pid productcode articlecode articlenumber articleno itemcode itemnumber gtin ean styleid"
)
_PICTURE = (
    "image picture img photo imageurl imagelink imagesrc imagepath imagefile imgurl pictureurl "
    "photourl productimage mainimage primaryimage images pictures photos"
)
_PICTURE_OR_PAGE = "link url src path file filename thumbnail"
_TITLE = (
    "title productdisplayname name productname producttitle itemname itemtitle articlename "
    "prodname displayname"
)
_GROUP = (
    "itemgroupid groupid variantgroup variantgroupid parentsku parentid parentasin parentproductid "
    "styleid stylegroup stylecode stylenumber modelid"
)
_GROUP_OR_ID = "productcode productid handle"

# Names that match as a whole, in the same spelling; of other ids, the last word does.
_TEXT = re.compile(
    r"(product|short|long|detail)?(desc|description)|details|body|bodyhtml|about|composition|care|"
    r"careinstructions|features|bulletpoints|text|caption"
)
_OTHER_ID = re.compile(
    r"ids?|codes?|no|nr|number|ean|gtin|upc|isbn|mpn|asin|sku|barcode|uuid|guid|hash"
)
_UNUSED = re.compile(r"unnamed\d+|indexlevel\d+|(dup|duplicate)(group|of)")

# A phrase such as "women blue striped cotton shirt": one word of the name of each adjective's
# column, and the name of the noun's.
_ADJECTIVES = (
    {"gender", "sex"},
    {"colour", "color"},
    {"pattern", "print", "graphical"},
    {"material", "fabric"},
)
_NOUN = re.compile(
    r"((product|article|item|garment|clothing|apparel|googleproduct|master|main|sub|leaf)?"
    r"(type|category|categories|class|kind))(name|full)?"
)

_PROVEN = 20  # rows whose values differ; in fewer, those of any column may
_Columns = dict[str, Profile]
_Found = Iterator[Profile]


def infer_schema(
    columns: Sequence[str], sample_rows: Sequence[Sequence[Cell]], told: Overrides | None = None
) -> CatalogSchema:
    """What each column is for, from the first rows of a catalog and what a schema file told.

    Raises:
        CatalogError: No column looks like the id, or like the picture.
        SchemaError: The phrase that was told names what is no keyword field.
    """
    told = told or Overrides()
    profiles = {
        column: Profile(column, [row[n] for row in sample_rows])
        for n, column in enumerate(columns)
        if column not in told.ignore
    }
    free = {column: found for column, found in profiles.items() if column not in told.settled}
    product_id = told.id or _take(free, _ids)
    picture = told.picture or _take(free, _pictures)
    title = _take(free, _titles) if told.title is None else told.title
    split = _take(free, _splits) if told.split is None else told.split
    group = _take(free, _groups) if told.group is None else told.group
    product_id = product_id or _take(free, _codes)
    if not product_id:
        raise _unknown("the shop's id", 'id = "the column"', columns)
    if not picture:
        raise _unknown("the picture", 'picture = "the column"` or `"images/{id}.jpg"', columns)
    free = {column: found for column, found in free.items() if not _is_unused(found)}
    separators = {**_separators(free), **told.separators}
    lists = {c: found.split(separators[c]) for c, found in profiles.items() if c in separators}
    profiles |= lists
    free |= {column: found for column, found in lists.items() if column in free}
    fields = _fields(columns, free, told, separators)
    texts = tuple(column for column, found in free.items() if _is_text(found))
    return CatalogSchema(
        id=product_id,
        picture=picture,
        title=title or None,
        fields=fields,
        texts=texts if told.texts is None else told.texts,
        group=group or None,
        split=split or None,
        phrase=_phrase(fields, profiles) if told.phrase is None else told.phrase,
    )


def _take(free: _Columns, candidates: Callable[[_Columns], _Found]) -> str | None:
    """The likeliest column, which is then no longer free."""
    found = next(candidates(free), None)
    return free.pop(found.column).column if found else None


def _named(free: _Columns, names: str) -> _Found:
    """The columns with these names, in the order of the names."""
    for name in names.split():
        yield from (found for found in free.values() if found.key == name)


def _ids(free: _Columns) -> _Found:
    named = list(_named(free, _ID))
    yield from (found for found in named if found.names_products)
    yield from (found for found in named if found.values)


def _codes(free: _Columns) -> _Found:
    """Columns that could be ids by their values alone."""
    for found in free.values():
        is_code = all(re.fullmatch(r"[\w-]+", value) for value in found.values)
        is_proven = len(found.values) >= _PROVEN and found.names_products
        if is_code and is_proven and not found.counts_rows:
            yield found


def _pictures(free: _Columns) -> _Found:
    named = list(_named(free, _PICTURE))
    yield from (found for found in named if found.shows_pictures)
    yield from (found for found in named if found.values)
    yield from (found for found in _named(free, _PICTURE_OR_PAGE) if found.shows_pictures)
    yield from (found for found in free.values() if found.shows_pictures)


def _titles(free: _Columns) -> _Found:
    return (found for found in _named(free, _TITLE) if found.values)


def _groups(free: _Columns) -> _Found:
    yield from (found for found in _named(free, _GROUP) if found.values)
    for found in _named(free, _GROUP_OR_ID):
        if found.distinct < len(found.values):
            yield found


def _splits(free: _Columns) -> _Found:
    for found in _named(free, "split"):
        try:
            names = set(map(split_name, found.values))
        except ValueError:
            continue
        if names:
            yield found


def _is_unused(found: Profile) -> bool:
    """Whether it numbers rows, or is the id of something else."""
    if _UNUSED.fullmatch(found.key) or found.counts_rows:
        return True
    return any(map(_OTHER_ID.fullmatch, found.words[-1:]))


def _is_text(found: Profile) -> bool:
    if _TEXT.fullmatch(found.key):
        return bool(found.values)
    return found.kind is None and found.reads_as_text


def _separators(free: _Columns) -> dict[str, str]:
    found = {c: separator_of(one) for c, one in free.items() if not _TEXT.fullmatch(one.key)}
    return {column: separator for column, separator in found.items() if separator}


def _fields(
    columns: Sequence[str], free: _Columns, told: Overrides, separators: Mapping[str, str]
) -> tuple[Field, ...]:
    kinds = {column: found.kind for column, found in free.items() if not _is_text(found)}
    kinds |= told.fields
    names = field_names(columns)
    return tuple(
        Field(names[column], kind, column, separators.get(column, ""))
        for column in columns
        if (kind := kinds.get(column))
    )


def _phrase(fields: Sequence[Field], profiles: _Columns) -> tuple[str, ...]:
    """The fields of a phrase: adjectives, and as the noun the finest of the categories."""
    keywords = {
        field.name: profiles[field.column] for field in fields if field.kind is FieldKind.KEYWORD
    }
    nouns = [name for name, found in keywords.items() if _NOUN.fullmatch(found.key)]
    if not nouns:
        return ()
    adjectives = []
    for words in _ADJECTIVES:
        named = (name for name, found in keywords.items() if words & {*found.words})
        adjectives += [name for name in named if name not in nouns][:1]
    return (*adjectives, max(nouns, key=lambda name: keywords[name].distinct))


def _unknown(role: str, line: str, columns: Sequence[str]) -> CatalogError:
    return CatalogError(
        f"no column looks like {role}; there are {', '.join(columns)}. "
        f"Say which it is in a schema file: `{line}`"
    )
