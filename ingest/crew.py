"""Who embeds: this process alone, several on this machine, or a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from goods.errors import GoodsError
from goods.limits import PictureLimits
from ingest.scatter import Crew
from ingest.settings import IngestSettings
from model.encoder import Encoder


@contextmanager
def crew_for(
    settings: IngestSettings, encoder: Encoder, limits: PictureLimits
) -> Iterator[Crew | None]:
    """The workers that the settings ask for, until the block ends; None for this process alone.

    Raises:
        GoodsError: They cannot be had here.
    """
    if settings.ray is not None:
        try:
            from ingest.cluster import ray_cluster
        except ImportError as error:
            raise GoodsError(
                "a cluster needs Ray, which is not installed; run `pip install 'ray[data]'`, or "
                "use --nproc on one machine"
            ) from error
        with ray_cluster(settings.ray, settings, encoder, limits) as crew:
            yield crew
    elif settings.nproc > 1:
        from ingest.processes import Processes, shares

        with Processes(shares(settings, encoder, limits)) as crew:
            yield crew
    else:
        yield None
