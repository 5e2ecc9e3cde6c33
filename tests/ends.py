"""What a process of several can come to; in a file that imports little, for it starts anew."""

import os
import signal

from goods.errors import TrainingError
from model.training.ranks import joined


def end(how: str) -> None:
    """The second of two processes ends so; the first waits for it."""
    with joined("cpu") as ranks:
        if ranks.rank == 1 and how == "error":
            raise TrainingError("at step 3 the loss is nan")
        if ranks.rank == 1 and how == "bug":
            raise ZeroDivisionError
        if ranks.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        ranks.all_of(None)
