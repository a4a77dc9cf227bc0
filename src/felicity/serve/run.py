"""The server's process: it opens a store and an address, answers requests until a signal, and ends within a second."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import uvicorn

from felicity import api
from felicity.api import users
from felicity.errors import ConfigError, FelicityError
from felicity.redaction import redacted
from felicity.serve import tls
from felicity.serve.app import make_app
from felicity.visible import visible

if TYPE_CHECKING:
    from fastapi import FastAPI

    from felicity.api.selection import StoreLike
    from felicity.serve.settings import Settings

RELEASE_SECONDS = 60.0
GRACE_SECONDS = 1
"""Seconds in which running answers have to finish when the server stops."""
BACKLOG = 2048


def serve(settings: Settings, *, on_ready: Callable[[str, str], None]) -> None:
    """Serve until SIGINT or SIGTERM. ``on_ready`` receives the address and, if tokens are needed, a login link.

    Raises StoreError; ConfigError if the address cannot be used.
    """
    check_tls(settings)
    with api.opened(settings.store) as store, closing(_listen(settings.host, settings.port)) as listening:
        app = make_app(store, settings, log_to_stderr)
        scheme = "https" if settings.tls_cert else "http"
        address = f"{scheme}://{_shown(settings.host)}:{listening.getsockname()[1]}/"
        enter = "" if settings.open_access else f"{address}enter/{app.state.access.key}"
        server = Server(app, settings)
        server.on_started = lambda: on_ready(address, enter)
        server.on_ending = app.state.feeds.close
        with publishing(store, settings):
            server.run(sockets=[listening])


def check_tls(settings: Settings) -> None:
    """Check certificate and key, and warn before the certificate expires. Raises ConfigError."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    now = datetime.now(UTC)
    end = tls.check(settings.tls_cert, settings.tls_key, now)
    if end - now < timedelta(days=tls.SOON_DAYS):
        log_to_stderr(
            f"--tls-cert {settings.tls_cert}: expires on {end:%Y-%m-%d %H:%M} UTC; renew it, then start again"
        )


@contextmanager
def publishing(store: StoreLike, settings: Settings) -> Iterator[None]:
    """Make releases of ended periods, again and again, for a public server, and for viewers."""
    ending = threading.Event()

    def work() -> None:
        while True:
            try:
                if settings.public or settings.user_header or users.has_viewers(store=store):
                    api.make_releases(store=store, over=settings.release, k=settings.k)
            except FelicityError as error:
                log_to_stderr(f"no release was made: {error}")
            if ending.wait(RELEASE_SECONDS):
                return

    thread = threading.Thread(target=work, name="releases", daemon=True)
    if not settings.open_access:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        if thread.is_alive():
            thread.join(GRACE_SECONDS)


def log_to_stderr(text: str) -> None:
    """Write one line with its time, and without secrets, to stderr."""
    print(f"{datetime.now().astimezone():%Y-%m-%dT%H:%M:%S%z} {visible(redacted(text))}", file=sys.stderr, flush=True)


class Server(uvicorn.Server):
    """A uvicorn server that reports its start, and ends the streams when it stops."""

    on_started: Callable[[], None] = staticmethod(lambda: None)
    on_ending: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # the application itself takes them, from trusted addresses
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
                ws="none",
                lifespan="off",
                backlog=BACKLOG,
                timeout_keep_alive=10,
                timeout_graceful_shutdown=GRACE_SECONDS,
                h11_max_incomplete_event_size=32_768,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and report it."""
        await super().startup(sockets)
        if self.started:
            self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, and all other open connections."""
        self.on_ending()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGINT and SIGTERM with exit code 0, because everything that was opened is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kept = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    bare = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"--host {host}: is no address of this machine ({error.strerror})") from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError as error:
        opened.close()
        raise ConfigError(
            f"--host {host} --port {port}: cannot be served ({error.strerror}); choose another --port, or 0 for any"
        ) from error
    return opened


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
