"""How far a picture may be changed; apart from the code that does it, so that it loads fast."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a picture may be changed; zeros change nothing.

    Attributes:
        mirror: Whether half of the pictures are shown the other way round.
        zoom: Largest share by which it is drawn larger or smaller.
        shift: Largest move along each axis, as a share of its length.
        turn_degrees: Largest rotation.
        light: Largest share by which it is lighter or darker.
    """

    mirror: bool = False
    zoom: float = 0.0
    shift: float = 0.0
    turn_degrees: float = 0.0
    light: float = 0.0

    @property
    def is_moving(self) -> bool:
        """Whether pixels move, other than by mirroring."""
        return bool(self.zoom or self.shift or self.turn_degrees)
