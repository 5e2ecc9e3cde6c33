"""Filters that leave nothing: in which order they are given up."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from search.boost import BOOSTED_POOL, boosted, holds
from search.ranking import Ranked
from search.relax import relax, relaxing
from search.understand import Understood, Why

ASPECTS = {"category": "garment", "colour": "colour", "material": "material", "price": "price"}
NEAR = Understood("colour", "=", ("beige",), "cream", Why.NEAREST)
SPELT = Understood("material", "=", ("suede",), "seude", Why.SPELLING)
SAID = Understood("gender", "=", ("men",), "men")
REFUSED = Understood("pattern", "!=", ("floral",), "floral")
RATED = Understood("rating", ">=", (4.0,), "4 stars")
GARMENT = Understood("category", "=", ("boots",), "boots")
CHEAP = Understood("price", "<", (50.0,), "under 50")
ORDER = [NEAR, SPELT, SAID, REFUSED, RATED, GARMENT, CHEAP]


def test_what_is_far_from_what_was_said_goes_first_and_the_price_last() -> None:
    assert relaxing(ORDER[::-1], ASPECTS) == ORDER


def test_whom_it_is_for_is_given_up_after_stock_and_price_by_whatever_word_it_was_said() -> None:
    stocked = Understood("in_stock", "=", (True,), "in stock")
    for why in Why:
        women = Understood("gender", "=", ("women",), "ladies", why)
        order = relaxing([women, CHEAP, stocked, GARMENT], {**ASPECTS, "gender": "gender"})
        assert order == [stocked, GARMENT, CHEAP, women]


def test_of_the_same_kind_the_last_said_goes_first() -> None:
    other = Understood("fit", "=", ("slim",), "slim")
    assert relaxing([SAID, other], ASPECTS) == [other, SAID]


def test_nothing_is_given_up_while_something_is_found() -> None:
    relaxed = relax(ORDER, ASPECTS, lambda _: 1)
    assert relaxed.kept == tuple(ORDER)
    assert relaxed.dropped == ()


def test_only_what_is_at_fault_is_given_up() -> None:
    """The colour goes first, but it was the garment that left nothing."""
    relaxed = relax([NEAR, GARMENT, CHEAP], ASPECTS, lambda kept: int(GARMENT not in kept))
    assert relaxed.kept == (NEAR, CHEAP)
    assert relaxed.dropped == (GARMENT,)


def test_where_nothing_is_found_without_any_demand_none_is_given_up() -> None:
    relaxed = relax(ORDER, ASPECTS, lambda _: 0)
    assert relaxed.kept == tuple(ORDER)
    assert relaxed.dropped == ()


@given(st.sets(st.sampled_from(ORDER)), st.sets(st.sampled_from(ORDER)))
def test_what_is_kept_is_found_and_as_much_as_can_be(
    asked: set[Understood], impossible: set[Understood]
) -> None:
    def count(kept: Sequence[Understood]) -> int:
        return int(not impossible & set(kept))

    relaxed = relax([one for one in ORDER if one in asked], ASPECTS, count)
    assert set(relaxed.kept) == asked - impossible
    assert set(relaxed.dropped) == asked & impossible


def ranked(number: int, strength: float, **payload: object) -> Ranked:
    return Ranked(UUID(int=number), payload, strength=strength)


def test_products_that_hold_to_the_demands_come_before_those_that_do_not() -> None:
    pool = [ranked(n, 1 - n / 10, colour="beige" if n == 5 else "red") for n in range(10)]
    assert [one.id.int for one in boosted(lambda _: pool, [NEAR])(3)][:3] == [5, 0, 1]


def test_boosts_move_nothing_beyond_the_pool_so_that_pages_stay() -> None:
    count = BOOSTED_POOL + 5
    pool = [ranked(n, -n, colour="beige" if n == count - 1 else "red") for n in range(count)]
    for depth in (3, count):
        found = boosted(lambda depth: pool[: max(depth, BOOSTED_POOL)], [NEAR])(depth)
        assert [one.id.int for one in found] == [one.id.int for one in pool[: len(found)]]


def test_a_demand_holds_as_the_index_has_it() -> None:
    payload = {"colour": ["red", "beige"], "price": 50.0, "sale": True}
    assert holds(payload, NEAR)
    assert not holds(payload, Understood("colour", "!=", ("red",), ""))
    assert holds(payload, Understood("size", "!=", ("M",), ""))
    assert not holds(payload, Understood("size", "=", ("M",), ""))
    assert holds(payload, Understood("sale", "=", (True,), ""))
    for op, expected in {"<": False, "<=": True, ">": False, ">=": True}.items():
        assert holds(payload, Understood("price", op, (50.0,), "")) is expected
