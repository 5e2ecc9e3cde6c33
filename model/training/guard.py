"""Between base and tuned model: how much of a training to keep.

The weights between a base and its fine-tuned model make models that are often better for the shop
than either, and lose little of what the base could do besides: the forgetting guard.

Source: Wortsman et al. 2022 (Robust fine-tuning of zero-shot models, "WiSE-FT").
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from goods.errors import TrainingError
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.training.general import General, Score

ALPHAS = (0.8, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05)
"""What is tried between base and tuned model where a bound has to be met, often near the base."""

FEW_ALPHAS = (0.75, 0.5, 0.25)
"""What is tried where only the shop counts."""

Weights = Mapping[str, torch.Tensor]
"""All weights of a model by name, on the CPU."""


@dataclass(frozen=True, slots=True)
class Blend:
    """What one model between base and tuned weights scores.

    Attributes:
        alpha: Its place: 0 is the base, 1 the tuned model.
        shop: Its score on the shop's own products.
        general: On what the base could do before; None where only the shop counts.
        gain: The share of the base's `shop` by which it is higher; None where that is 0.
        loss: The share of the base's `general` by which it is lower; negative where it is higher.
    """

    alpha: float
    shop: float
    general: float | None
    gain: float | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class GuardReport:
    """How much of a training was kept, and why.

    Attributes:
        measure: What the general score is, in words; None where only the shop counts.
        max_loss: The bound of `Blend.loss` on validation products.
        val: What was tried, by alpha; the choice was made by these.
        alpha: The chosen one.
        test: Base, chosen blend and tuned model on test products, which chose nothing; empty where
            there are none.
    """

    measure: str | None
    max_loss: float | None
    val: Sequence[Blend]
    alpha: float
    test: Sequence[Blend] = ()

    @property
    def verdict(self) -> str:
        """What was chosen, in a sentence."""
        within = "" if self.max_loss is None else f" within the bound of {self.max_loss:.1%} loss"
        if self.alpha == 1:
            return f"the tuned model is the best for the shop{within} and kept as it is"
        if self.alpha == 0:
            return f"no blend is better than the base{within}: the base is kept, no gain"
        return f"alpha {self.alpha:g} is kept: the best for the shop{within}"

    @property
    def title(self) -> str:
        """What the table is about."""
        if self.measure is None:
            return "between base (alpha 0) and tuned model (alpha 1)"
        return f"forgetting guard; general: {self.measure}"

    def lines(self) -> list[str]:
        """The table, for a terminal."""
        cells = list(self._cells())
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        table = ["  ".join(map(str.rjust, row, widths)) for row in cells]
        return [self.title, *table, self.verdict]

    def markdown(self) -> str:
        """The same for a model card."""
        head, *rows = ("| " + " | ".join(row) + " |" for row in self._cells())
        table = "\n".join([head, "|---" * (head.count("|") - 1) + "|", *rows])
        return f"{self.title[0].upper()}{self.title[1:]}; {self.verdict}.\n\n{table}"

    def _cells(self) -> Iterator[tuple[str, ...]]:
        yield ("products", "alpha", "shop", "gain", *(("general", "loss") if self.measure else ()))
        for split, blends in (("val", self.val), ("test", self.test)):
            for found in blends:
                kept = " (kept)" if found.alpha == self.alpha else ""
                gain = "-" if found.gain is None else f"{found.gain:+.1%}"
                scores = [f"{found.shop:.3f}", gain]
                if found.general is not None and found.loss is not None:
                    scores += [f"{found.general:.3f}", f"{found.loss:.1%}"]
                yield (split + kept, f"{found.alpha:g}", *scores)


def guard(
    towers: DualEncoder,
    base: Weights,
    shop: Score,
    general: General | None,
    max_loss: float | None,
    has_test: bool = True,
    progress: Callable[[Blend], None] = lambda _: None,
) -> GuardReport:
    """What was tried and chosen; `towers`, the tuned model, then has the chosen weights.

    Args:
        towers: The tuned model, adapters merged.
        base: Of the model that it was tuned from.
        shop: Measures on the shop's own products.
        general: What should stay; None where only the shop counts.
        max_loss: The share of the base's general score that may be lost.
        has_test: Whether there are test products.
        progress: Told of every blend that was tried.

    Raises:
        TrainingError: The base scores nothing in general, so there is nothing to keep.
    """
    encoder, tuned = Encoder(towers), weights_of(towers)

    def tried(alphas: Sequence[float], split: str) -> Iterator[Blend]:
        first = None
        for alpha in alphas:
            set_blend(towers, base, tuned, alpha)
            found = Blend(alpha, shop(encoder, split), None, None, None)
            if general:
                found = replace(found, general=general.score(encoder, split))
            first = first or found
            yield _compared(found, first, general)

    val = []
    for found in tried((0.0, 1.0, *(ALPHAS if general else FEW_ALPHAS)), "val"):
        progress(found)
        val.append(found)
    val.sort(key=lambda found: found.alpha)
    alpha = choose(val, max_loss)
    test = tuple(tried(sorted({0.0, alpha, 1.0}), "test")) if has_test else ()
    set_blend(towers, base, tuned, alpha)
    return GuardReport(general.measure if general else None, max_loss, tuple(val), alpha, test)


def choose(blends: Sequence[Blend], max_loss: float | None) -> float:
    """The alpha with the highest shop score within the bound; of equals what loses least."""
    within = [
        found
        for found in blends
        if max_loss is None or found.loss is None or found.loss <= max_loss
    ]
    return max(within, key=lambda found: (found.shop, found.general or 0.0)).alpha


def weights_of(towers: DualEncoder) -> Weights:
    """A copy of all weights, on the CPU."""
    return {
        name: weight.detach().to("cpu", copy=True)
        for name, weight in towers.model.state_dict().items()
    }


def set_blend(towers: DualEncoder, base: Weights, tuned: Weights, alpha: float) -> None:
    """Set the weights to (1 - alpha) * base + alpha * tuned; at 0 and 1 bit for bit.

    What is no floating-point number (positions) stays.
    """
    for name, weight in towers.model.state_dict().items():
        if weight.is_floating_point():
            weight.copy_(base[name].lerp(tuned[name], alpha))


def _compared(found: Blend, base: Blend, general: General | None) -> Blend:
    """What was found, with gain and loss against the base."""
    gain = found.shop / base.shop - 1 if base.shop else None
    if general is None or found.general is None:
        return replace(found, gain=gain)
    if not base.general or base.general < 0:
        raise TrainingError(
            f"the base scores 0 on {general.measure}: there is nothing to guard; "
            "name another general set, or train without the guard"
        )
    return replace(found, gain=gain, loss=1 - found.general / base.general)
