"""The sample catalog's rows: titles and descriptions as shops write them, and what shops forget."""

from dataclasses import dataclass

import numpy as np

from goods.sample.design import Design, Variant, pick


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `products.csv`, in the order of its columns; empty means missing."""

    id: str
    image: str
    title: str
    category: str
    colour: str
    pattern: str
    sleeve: str
    material: str
    gender: str
    price: str
    in_stock: str
    rating: str
    style_group: str
    description: str


def row(variant: Variant, seed: int) -> Row:
    """The row of a product; the words that its variants share depend on the design alone."""
    design = variant.design
    shared = np.random.default_rng((seed, 3, design.number))
    own = np.random.default_rng((seed, 4, variant.number))
    name = _name(design, shared)
    title = _title(variant, name, shared)
    description = _description(design, shared)
    identity = f"S-{variant.number:05d}"
    return Row(
        id=identity,
        image=f"images/{identity}.jpg",
        title=title,
        category=design.category,
        colour=variant.colour,
        pattern=_unless(own, 0.02, design.pattern.name),
        sleeve=design.cut.sleeve,
        material=_unless(own, 0.06, design.material),
        gender=_unless(own, 0.03, design.gender),
        price=f"{design.price:.2f}",
        in_stock="true" if own.random() < 0.88 else "false",
        rating=_unless(own, 0.12, f"{np.clip(own.normal(4.2, 0.5), 1, 5):.1f}"),
        style_group=f"G-{design.number:04d}",
        description=_unless(own, 0.08, description),
    )


def _unless(rng: np.random.Generator, share: float, value: str) -> str:
    """The value, but nothing for this share of all rows."""
    return "" if rng.random() < share else value


_BRANDS = (
    "Nordby", "Alma & Finch", "Maison Célie", "Grünwald", "Tidewell", "Osaka Line", "Soltvik",
    "Kestrel & Moss", "Juniper Lane", "Pine & Poole", "Bellamare", "Haldenby", "Lindqvist",
    "Mirabeck", "Fernhollow", "Veranda Nine", "Calderby", "Matin Clair", "Ravensmoor", "Blå Himmel",
)  # fmt: skip
_PATTERN_WORDS = {
    "plain": ("",),
    "striped": ("Striped", "Stripe"),
    "dotted": ("Polka-Dot", "Dotted", "Spotted"),
    "floral": ("Floral", "Flower-Print"),
    "zigzag": ("Zigzag", "Chevron"),
    "checked": ("Checked", "Check"),
}
_SHOP_COLOURS = {
    "black": "Jet Black",
    "white": "Chalk White",
    "grey": "Slate Grey",
    "navy": "Midnight Navy",
    "blue": "Cobalt",
    "turquoise": "Lagoon",
    "green": "Forest Green",
    "yellow": "Sunflower",
    "orange": "Tangerine",
    "red": "Scarlet",
    "pink": "Rose Pink",
    "purple": "Violet",
    "brown": "Chestnut",
    "beige": "Sand",
}
_SLEEVE_WORDS = {"short": "Short Sleeve", "long": "Long Sleeve", "sleeveless": "Sleeveless"}
_ADJECTIVES = ("", "", "Classic", "Everyday", "Essential", "Heritage", "Modern", "Weekend")


def _name(design: Design, rng: np.random.Generator) -> str:
    """What the product is, without its brand and colour: "Striped Linen Shirt"."""
    emblem = design.cut.emblem
    words = (
        _fit(design) or pick(rng, _ADJECTIVES),
        f"{emblem.title()}-Print" if emblem else pick(rng, _pattern_words(design)),
        design.material.title() if rng.random() < 0.6 else "",
        pick(rng, design.kind.styles[design.cut.style]),
    )
    return " ".join(word for word in words if word).replace("Denim Jeans", "Jeans")


def _fit(design: Design) -> str:
    """How it sits on the body, for what has sleeves and is cut slim or wide."""
    if not design.kind.sleeves or abs(design.cut.width) < 0.6:
        return ""
    return "Slim" if design.cut.width < 0 else "Relaxed"


def _pattern_words(design: Design) -> tuple[str, ...]:
    """The words for a pattern; checks have names of their own."""
    name, variety = design.pattern.name, design.pattern.variety
    if name != "checked":
        return _PATTERN_WORDS[name]
    own = "Gingham" if variety < 0.35 else "Windowpane" if variety < 0.6 else "Tartan"
    return ("Checked", own)


def _title(variant: Variant, name: str, rng: np.random.Generator) -> str:
    """Brand and name, and for some designs whom it is for, its sleeves and its colour."""
    design = variant.design
    title = f"{pick(rng, _BRANDS)} {name}"
    if rng.random() < 0.25 and design.gender in {"women", "men"}:
        title = f"{title} for {design.gender.title()}"
    if rng.random() < 0.4 and len(design.kind.sleeves) > 1:
        title = f"{title}, {_SLEEVE_WORDS[design.cut.sleeve]}"
    chance = rng.random()
    if chance < 0.4:
        return f"{title}, {variant.colour.title()}"
    return f"{title} in {_SHOP_COLOURS[variant.colour]}" if chance < 0.55 else title


_OPENINGS = (  # each reads well with "boots" as with "shirt"
    "{material} {name}",
    "Our {name} in {material}",
    "Well-made {name}, cut from {material}",
    "{name} made of {material}",
)
_PATTERN_PHRASES = {
    "plain": ("in one clean colour", "without any fuss"),
    "striped": ("with even stripes", "in a crisp stripe"),
    "checked": ("in a checked pattern", "with a woven check"),
    "dotted": ("covered in dots", "with a polka-dot print"),
    "floral": ("with a scattered flower print", "printed all over with blossoms"),
    "zigzag": ("with a bold zigzag", "in a chevron pattern"),
    "graphic": ("with a printed {emblem} on the chest", "with a {emblem} motif"),
}
_WIPED = frozenset({"leather", "suede", "rubber", "raffia", "mesh"})
_SECOND_SENTENCES = (
    "{care}.",
    "True to size.",
    "Made to be worn for years, not for one season.",
    "Easy to pair with almost anything you own.",
    "Designed in our own studio and made in small runs.",
    "",
)


def _description(design: Design, rng: np.random.Generator) -> str:
    """One or two sentences; they do not tell the colour."""
    noun = pick(rng, design.kind.styles[design.cut.style]).lower()
    phrase = pick(rng, _PATTERN_PHRASES[design.pattern.name]).format(emblem=design.cut.emblem)
    first = pick(rng, _OPENINGS).format(name=noun, material=design.material)
    care = "Wipe with a damp cloth" if design.material in _WIPED else "Wash at 30 °C and dry flat"
    second = pick(rng, _SECOND_SENTENCES).format(care=care)
    return f"{first[0].upper()}{first[1:]}, {phrase}. {second}".strip()
