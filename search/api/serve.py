"""Run the service until it is told to stop."""

import logging
import sys
from collections.abc import Sequence
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from goods.errors import GoodsError
from goods.logs import JsonLines
from search.api.app import create_app
from search.api.patience import PatientProtocol
from search.api.settings import ServiceSettings

_STOPPING_S = 20  # for requests that are on their way when the service is told to stop
_IDLE_S = 15  # for which a connection without requests is kept
_CONNECTIONS = 1000


def run_service(
    settings: ServiceSettings,
    host: str,
    port: int,
    *,
    workers: int = 1,
    proxies: Sequence[str] = (),
    as_json: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; requests that are on their way are finished.

    Args:
        settings: What is served.
        host: Address to listen on.
        port: Port to listen on.
        workers: Processes; more than one only with a Qdrant server.
        proxies: Addresses of proxies that are believed who a caller is.
        as_json: Log lines of JSON.

    Raises:
        GoodsError: The port cannot be had.
    """
    config = uvicorn.Config(
        partial(_app, settings, as_json=as_json),
        factory=True,
        host=host,
        port=port,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies) or None,
        timeout_graceful_shutdown=_STOPPING_S,
        timeout_keep_alive=_IDLE_S,
        limit_concurrency=_CONNECTIONS,
        workers=workers,
    )
    _log_to_stderr(as_json=as_json)
    try:
        listening = config.bind_socket()
    except SystemExit as error:  # it says why in the log
        raise GoodsError(f"{host}:{port} cannot be listened on; choose another --port") from error
    try:
        if workers == 1:
            uvicorn.Server(config).run(sockets=[listening])
        else:
            Multiprocess(config, sockets=[listening]).run()
    finally:
        listening.close()


def _app(settings: ServiceSettings, *, as_json: bool) -> object:
    _log_to_stderr(as_json=as_json)  # again in every worker
    return create_app(settings)


def _log_to_stderr(*, as_json: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonLines() if as_json else plain)
    logging.getLogger().handlers = [handler]
    logging.getLogger("goods.serve").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
