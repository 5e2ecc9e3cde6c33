"""The sample shop's products, drawn at random: designs, and each design in several colours."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from goods.sample.assortment import KINDS, Kind
from goods.sample.drawings.emblems import EMBLEMS
from goods.sample.drawings.shapes import Cut
from goods.sample.look import Look, Shot
from goods.sample.palette import COLOURS, accents, contrast, dyed
from goods.sample.patterns import Pattern

_T = TypeVar("_T")

_PLAIN_SHARE = 0.45  # of the designs that could have a pattern
_MATERIAL_FACTORS = {  # what a material does to the price; 1 for all others
    "cashmere": 2.4,
    "leather": 1.5,
    "silk": 1.7,
    "merino wool": 1.4,
    "wool": 1.2,
    "suede": 1.3,
    "velvet": 1.2,
    "linen": 1.15,
    "organic cotton": 1.1,
    "polyester": 0.8,
    "rubber": 0.7,
    "mesh": 0.8,
}
_DETAILS = ("yellow", "red", "white", "navy")  # flower hearts, tartan threads


@dataclass(frozen=True, slots=True)
class Design:
    """What all variants of one product share.

    Attributes:
        number: Its place in the assortment, from 0.
        category: A key of `KINDS`.
        cut: Its shape.
        pattern: Its pattern.
        material: What it is made of.
        gender: Whom it is sold to.
        price: In the shop's currency, two decimals.
    """

    number: int
    category: str
    cut: Cut
    pattern: Pattern
    material: str
    gender: str
    price: float

    @property
    def kind(self) -> Kind:
        """Its category's row of the assortment."""
        return KINDS[self.category]


@dataclass(frozen=True, slots=True)
class Variant:
    """One product: a design in one colour, photographed once.

    Attributes:
        design: The design.
        number: Its place in the catalog, from 0.
        colour: The name of its colour.
        look: Its surface.
        shot: How its picture is taken.
    """

    design: Design
    number: int
    colour: str
    look: Look
    shot: Shot


def variants(count: int, seed: int) -> Iterator[Variant]:
    """The first `count` products of the shop with this seed; fewer are a prefix of more.

    Designs come in rounds of one from each category, so that small catalogs have them all.
    """
    every = (variant for design in _designs(seed) for variant in _in_colours(design, seed))
    for number, variant in enumerate(itertools.islice(every, count)):
        yield replace(variant, number=number)


def _designs(seed: int) -> Iterator[Design]:
    for number in itertools.count():
        deal, place = divmod(number, len(KINDS))
        deck = np.random.default_rng((seed, 0, deal)).permutation(len(KINDS))
        category = list(KINDS)[deck[place]]
        yield _design(number, category, np.random.default_rng((seed, 1, number)))


def _design(number: int, category: str, rng: np.random.Generator) -> Design:
    kind = KINDS[category]
    is_plain = not kind.patterns or rng.random() < _PLAIN_SHARE
    name = "plain" if is_plain else pick(rng, kind.patterns)
    variety = rng.uniform(0.6, 1) if kind.is_upright and name == "striped" else rng.random()
    pattern = Pattern(name, float(variety), float(rng.random()), int(rng.integers(2**31)))
    material, gender = pick(rng, tuple(kind.materials)), pick(rng, kind.genders)
    slim = {"women": -0.25, "men": 0.25}.get(gender, 0.0)
    cut = Cut(
        style=pick(rng, tuple(kind.styles)),
        sleeve=pick(rng, kind.sleeves) if kind.sleeves else "",
        width=float(np.clip(rng.uniform(-0.9, 0.9) + slim, -1, 1)),
        length=float(rng.uniform(-1, 1)),
        flare=float(rng.uniform(-1, 1)),
        emblem=pick(rng, tuple(EMBLEMS)) if name == "graphic" else "",
    )
    price = rng.uniform(*kind.price) * _MATERIAL_FACTORS.get(material, 1.0)
    ending = pick(rng, (0.0, 0.5, 0.9, 0.95, 0.99))
    return Design(number, category, cut, pattern, material, gender, int(price) + ending)


def _in_colours(design: Design, seed: int) -> Iterator[Variant]:
    """The design in two to four colours."""
    rng = np.random.default_rng((seed, 2, design.number))
    colours = rng.permutation(design.kind.colours)[: rng.integers(2, 5)]
    for colour in colours.tolist():
        yield Variant(design, 0, colour, _look(design, colour, rng), _shot(design, rng))


def _look(design: Design, colour: str, rng: np.random.Generator) -> Look:
    accent = pick(rng, accents(colour, is_neutral=design.pattern.name == "checked"))
    detail = max(_DETAILS, key=lambda other: min(_apart(other, colour), _apart(other, accent)))
    return Look(
        colour=dyed(colour, rng),
        accent=dyed(accent, rng),
        detail=dyed(detail, rng),
        pattern=design.pattern,
        finish=design.kind.materials[design.material],
    )


def _apart(one: str, other: str) -> float:
    return contrast(COLOURS[one], COLOURS[other])


def _shot(design: Design, rng: np.random.Generator) -> Shot:
    shade, warmth = rng.integers(202, 228), rng.integers(-4, 5)
    return Shot(
        tilt_deg=float(rng.normal(0, 2.5)) * (0.5 if design.kind.has_side else 1.0),
        span=float(rng.uniform(0.76, 0.9)),
        dx=float(rng.uniform(-0.03, 0.03)),
        dy=float(rng.uniform(-0.03, 0.03)),
        is_flipped=design.kind.has_side and bool(rng.random() < 0.5),
        light_deg=float(rng.uniform(-70, 70)),
        exposure=float(rng.uniform(0.95, 1.04)),
        backdrop=(int(shade + warmth), int(shade), int(shade - warmth)),
        seed=int(rng.integers(2**31)),
    )


def pick(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    """One of the options, each as likely as the others."""
    return options[int(rng.integers(len(options)))]
