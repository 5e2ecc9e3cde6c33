"""Run the service until it is told to stop."""

import logging
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from goods.errors import GoodsError
from goods.logs import JsonLines
from search.api.app import create_app
from search.api.patience import PatientProtocol
from search.api.settings import ServiceSettings

log = logging.getLogger("goods.serve")

CONNECTIONS: dict[str, Any] = {
    "http": PatientProtocol,
    "ws": "none",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": 20,  # for requests on their way when it is told to stop
    "timeout_keep_alive": 15,  # for which a connection without requests is kept
    "limit_concurrency": 1000,
    "timeout_worker_healthcheck": 120,  # a worker that imports torch is not dead after 5 s
}
"""How uvicorn holds connections."""


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
    _log_to_stderr(as_json=as_json)
    listening = _listening(host, port)
    config = uvicorn.Config(
        partial(_app, settings, as_json=as_json),
        factory=True,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies) or None,
        workers=workers,
        **CONNECTIONS,
    )
    shown = f"[{host}]" if ":" in host else host
    log.info("listening on http://%s:%d/", shown, listening.getsockname()[1])
    try:
        with suppress(KeyboardInterrupt):  # how people end it: nothing was aborted
            if workers == 1:
                uvicorn.Server(config).run(sockets=[listening])
            else:
                Multiprocess(config, sockets=[listening]).run()
        log.info("stopped")
    finally:
        listening.close()


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise GoodsError(
            f"{host}:{port} cannot be listened on ({error.strerror}); "
            "choose another --host or --port"
        ) from error
    listening.set_inheritable(True)  # for workers
    return listening


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
