"""How many pictures to embed at a time: as many as pay, and as fit."""

FIRST, LARGEST = 16, 1024

PAYS = 1.05
"""What doubling a batch has to gain in pictures/s; else the smaller one is kept."""

_TRIES = 4  # batches of each size, of which the first warms up and does not count


class BatchSize:
    """The number of pictures that are embedded at a time.

    It doubles while that pays, as measured on the batches that are embedded anyway, and halves for
    good when the device runs out of memory.

    Args:
        fixed: Begin with this, and never grow.
    """

    def __init__(self, fixed: int | None = None) -> None:
        self.size = fixed or FIRST
        self._is_settled = fixed is not None
        self._rates: list[float] = []
        self._best = 0.0

    def took(self, pictures: int, seconds: float) -> None:
        """Learn from a batch."""
        if self._is_settled or pictures != self.size:
            return
        self._rates.append(pictures / seconds)
        if len(self._rates) < _TRIES:
            return
        rate = max(self._rates[1:])
        self._rates.clear()
        if rate < PAYS * self._best:
            self.size //= 2
        self._is_settled = rate < PAYS * self._best or self.size == LARGEST
        if not self._is_settled:
            self._best = rate
            self.size *= 2

    def was_too_large(self, pictures: int) -> bool:
        """Settle for half of a batch that did not fit; False when it cannot be halved."""
        if pictures == 1:
            return False
        self.size = min(self.size, pictures // 2)
        self._is_settled = True
        return True
