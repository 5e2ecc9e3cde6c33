"""What a picture may cost, how it has to look, and where it may come from."""

from dataclasses import dataclass

from goods.errors import GoodsError
from goods.public_addresses import PrivateHosts


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What one picture may cost, how it has to look, and where it may come from.

    Attributes:
        max_bytes: Of the encoded picture.
        max_pixels: Of the decoded one; a thread holds 3 to 8 bytes for each.
        min_side: Pixels that its shorter side needs at least; less is a tracking pixel or an icon.
        min_contrast: Levels, of 255, between the darkest and the brightest pixel of some colour; a
            picture with less shows nothing. 0 takes it as well.
        timeout_s: Seconds for one download as a whole; half of them to connect.
        attempts: How often a URL is asked for whose host answers, but badly or late.
        max_wait_s: Seconds between two attempts, also when the host asks for more.
        patience_s: Seconds for which a host that does not answer at all is waited for.
        per_host: Requests on their way to one host at once.
        in_flight: Requests on their way to all hosts at once.
        allow_private: Hosts that may be asked though their addresses are not public: names,
            addresses, networks, or "*" for all. See `PrivateHosts`.
    """

    max_bytes: int = 32 << 20
    max_pixels: int = 64_000_000
    min_side: int = 8
    min_contrast: int = 8
    timeout_s: float = 20.0
    attempts: int = 4
    max_wait_s: float = 30.0
    patience_s: float = 300.0
    per_host: int = 16
    in_flight: int = 64
    allow_private: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "timeout_s", "attempts", "per_host", "in_flight"):
            if getattr(self, name) <= 0:
                raise GoodsError(f"{name} is {getattr(self, name)}; it has to be more than 0")
        for name in ("min_side", "min_contrast", "max_wait_s", "patience_s"):
            if getattr(self, name) < 0:
                raise GoodsError(f"{name} is {getattr(self, name)}; it cannot be negative")
        PrivateHosts.of(self.allow_private)


DEFAULT_LIMITS = PictureLimits()
