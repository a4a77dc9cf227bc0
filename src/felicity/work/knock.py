"""A knock at a cluster, which tells within seconds what Ray would tell after minutes, or not at all."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from felicity.errors import ConfigError

KNOCK_SECONDS = 10.0
"""For the head of a cluster to take a connection, and to say a word."""
TLS = ("RAY_TLS_CA_CERT", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY")
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""The first words of HTTP/2, which Ray speaks, and its settings, of which there are none. Source: RFC 9113, 3.4."""
RECEIVED = b"\0\0\0\4\1"
"""The answer to settings, which comes only once the greeter's certificate is accepted. Source: RFC 9113, 6.5."""

ALERT = 0x15
"""The first byte of a refusal in TLS. Source: RFC 8446, 5.1."""


def knock(address: str) -> None:
    """Raise OSError where nothing listens at ``HOST:PORT``, ConfigError where Ray could not join what does.

    Such as where TLS is set there or here alone, or where this machine is no node and the address begins without
    ``ray://``. ``auto`` is the cluster begun last on this machine, whose address stays behind if it dies.
    """
    if address == "auto":
        address = _latest()
    host, _, port = address.rpartition("://")[2].partition("/")[0].rpartition(":")
    if not host or not port.isdecimal():
        return
    host = host.strip("[]")
    with socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
            _greet_in_tls(connection, host, joins="://" not in address)
        else:
            _greet(connection)
    if "://" not in address and not _is_node():
        raise ConfigError(
            f"this machine is none of the cluster's; begin it with ray start --address {address}, or send work from "
            f"outside with --cluster ray://{host}:10001"
        )


def _greet(connection: socket.socket) -> None:
    try:
        connection.sendall(GREETING)
        answer = connection.recv(1)
    except TimeoutError:
        return  # a busy head may take longer
    except OSError:
        answer = b""
    if not answer or answer[0] == ALERT:
        raise ConfigError(
            f"it ends connections without TLS; if it uses TLS, set RAY_USE_TLS=1 with {', '.join(TLS)} here, too"
        )


def _greet_in_tls(connection: socket.socket, host: str, *, joins: bool) -> None:
    """Greet in TLS; ``joins``: the cluster's machines will connect to this one, too."""
    authority, certificate, key = _files()
    try:
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2"])
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{', '.join(TLS)} do not name a certificate and its key in PEM ({error})") from error
    here = connection.getsockname()[0]
    try:
        with suppress(TimeoutError), context.wrap_socket(connection, server_hostname=host) as spoken:
            spoken.sendall(GREETING)
            answer = b""
            while RECEIVED not in answer:
                if not (more := spoken.recv(1024)):
                    raise ConnectionError("it was ended")
                answer += more
        if joins:
            host = here
            _meet(context, certificate, key, here)
    except ssl.SSLCertVerificationError as error:
        raise ConfigError(
            f"the certificate of {host} is not valid here ({error.verify_message}); sign each machine's with the "
            "authority of RAY_TLS_CA_CERT, and name its address in it as subjectAltName=IP:…"
        ) from error
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"RAY_USE_TLS is set, but no connection in TLS comes about ({error}); set it on all machines or on none, "
            "with certificates of one authority"
        ) from error


def _meet(context: ssl.SSLContext, certificate: str, key: str, host: str) -> None:
    """Connect to this very machine as others will, in memory; Ray waits for ever where they refuse its certificate."""
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate, key)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = context.wrap_bio(back, there, server_hostname=host), own.wrap_bio(there, back, server_side=True)
    for side in sides * 2:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()


def _files() -> list[str]:
    """Return the files that RAY_TLS_… name."""
    for name in TLS:
        if not os.environ.get(name):
            raise ConfigError(f"RAY_USE_TLS is set without {name}; set {', '.join(TLS)} to files in PEM")
        if not Path(os.environ[name]).is_file():
            raise ConfigError(f"{name} names {os.environ[name]}, which is no file")
    return [os.environ[name] for name in TLS]


def _latest() -> str:
    """Return the address that Ray takes for ``auto``; raises Ray's own errors where there is none."""
    found = _service("canonicalize_bootstrap_address")
    return (found("auto") if found else None) or "auto"


def _is_node() -> bool:
    """Return whether a node of Ray runs on this machine, without which Ray ends the process or waits a minute."""
    found = _service("find_node_ids")
    return found is None or bool(found())


def _service(name: str) -> Callable[..., Any] | None:
    """Return a function of Ray's that it offers nowhere else; None in a version without it."""
    return getattr(import_module("ray._private.services"), name, None)
