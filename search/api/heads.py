"""HEAD for everything that can be got: what monitors, proxies and caches ask."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """Answers HEAD with the headers that GET would have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)

        async def send_no_body(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        return await self._app({**scope, "method": "GET"}, receive, send_no_body)
