"""What the painter is told besides the drawing: the product's surface, and how it is shot."""

import math
from dataclasses import dataclass

from goods.sample.palette import Rgb
from goods.sample.patterns import Pattern


@dataclass(frozen=True, slots=True)
class Finish:
    """How a material takes the light.

    Attributes:
        gloss: Strength of its highlights.
        folds: How much it creases, beside the drawing's own drape.
        grain: Strength of visible yarn or grain.
        twill: Strength of a diagonal weave.
        ribs: Strength of knitted ribs.
    """

    gloss: float = 0.0
    folds: float = 1.0
    grain: float = 0.015
    twill: float = 0.0
    ribs: float = 0.0


FINISHES = {
    "matte": Finish(),
    "crisp": Finish(folds=1.5, grain=0.022),
    "knit": Finish(folds=0.6, grain=0.025, ribs=0.07),
    "twill": Finish(folds=0.8, twill=0.03),
    "leather": Finish(gloss=0.55, folds=0.5, grain=0.012),
    "satin": Finish(gloss=0.4, folds=1.6, grain=0.008),
}


@dataclass(frozen=True, slots=True)
class Look:
    """The surface of one product.

    Attributes:
        colour: The colour it is sold as.
        accent: The second colour, of the pattern and the trim.
        detail: The third, of flower hearts and tartan threads.
        pattern: What is printed or woven into it.
        finish: A key of `FINISHES`.
    """

    colour: Rgb
    accent: Rgb
    detail: Rgb
    pattern: Pattern
    finish: str


@dataclass(frozen=True, slots=True)
class Shot:
    """How one picture is taken: pose, light and backdrop.

    Attributes:
        tilt_deg: Clockwise turn.
        span: Share of the picture's side that the product's longer side takes.
        dx: Distance of its middle from the picture's, as a share of the side.
        dy: Likewise, downwards.
        is_flipped: Whether it faces the other way.
        light_deg: Where the light comes from: 0 is above, negative is left.
        exposure: Brightness; 1 is faithful.
        backdrop: Colour of the studio wall.
        seed: Places folds and grain.
    """

    tilt_deg: float = 0.0
    span: float = 0.84
    dx: float = 0.0
    dy: float = 0.0
    is_flipped: bool = False
    light_deg: float = -35.0
    exposure: float = 1.0
    backdrop: Rgb = (224, 224, 222)
    seed: int = 0

    @property
    def light(self) -> tuple[float, float]:
        """The unit vector, in the picture, that points towards the light."""
        angle = math.radians(self.light_deg)
        return math.sin(angle), -math.cos(angle)
