"""The settings of a server: its access, and its limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from felicity.errors import ConfigError

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Settings:
    """Settings of a server.

    ``open_access``: everybody at the address may read without a token, which is allowed for this machine's own address
    alone. ``public``: callers without a token read releases, and nothing else. ``release``: releases of ended days or
    hours. ``k``: figures of fewer people are never shown. ``names``: accepted host names; empty for any. ``rate``:
    requests a minute of each token, and of each address without one; 0 for any number. ``body_bytes``,
    ``body_seconds``: largest body, and the time it may take to arrive. ``fresh_seconds``: how long an answer is cached.
    ``at_once``: requests that are answered in parallel. ``trust_proxy``: addresses or networks of proxies that are
    trusted to name the visitor's address. ``user_header``, ``role_header``: headers in which these proxies name the
    user whom they signed in, and the role; without the first, they sign nobody in. ``tls_cert``, ``tls_key``: PEM files
    for https; both or none. ``cameras``: TOML file of the cameras whose state the server shows. ``classify``: accept
    pictures. ``try_it``: show the page on which a browser classifies pictures by itself. ``contact``: contact of the
    operator. ``title``: heading of the pages.
    """

    store: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    open_access: bool = False
    public: bool = False
    release: Literal["day", "hour"] = "day"
    k: int = 10
    names: tuple[str, ...] = ()
    rate: int = 600
    body_bytes: int = 8_000_000
    body_seconds: float = 30.0
    fresh_seconds: float = 5.0
    at_once: int = 500
    trust_proxy: tuple[str, ...] = ()
    user_header: str | None = None
    role_header: str = "X-Forwarded-Role"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    cameras: Path | None = None
    classify: bool = False
    try_it: bool = True
    contact: str = ""
    title: str = "Happiness index"

    def __post_init__(self) -> None:
        if self.open_access and not self.is_local:
            raise ConfigError(
                f"--host {self.host}: other machines reach that address, and everybody may read without a token; leave "
                "--open-access and --demo out, or serve 127.0.0.1"
            )
        if self.open_access and self.public:
            raise ConfigError("--public shows releases and --open-access everything; choose one of them")
        if not self.trusted_networks and self.user_header is not None:
            raise ConfigError("--user-header: name the proxy that sets it with --trust-proxy ADDRESS")
        if self.user_header is not None and self.open_access:
            raise ConfigError("--user-header signs people in and --open-access lets everybody read; choose one of them")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("--tls-cert and --tls-key belong together; name both files, or none")
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"--port {self.port}: a port from 0 to 65535 expected")

    @property
    def is_local(self) -> bool:
        """Return whether only this machine reaches the address."""
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def trusted_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Return the networks of trusted proxies. Raises ConfigError."""
        try:
            return tuple(ipaddress.ip_network(address) for address in self.trust_proxy)
        except ValueError as error:
            raise ConfigError(f"--trust-proxy: an address such as 127.0.0.1 or 10.0.0.0/8 expected; {error}") from error

    @property
    def known_names(self) -> tuple[str, ...]:
        """Return the accepted host names. A page elsewhere that resolves its own name to this address is refused."""
        return self.names or (LOCAL_NAMES if self.is_local else ())
