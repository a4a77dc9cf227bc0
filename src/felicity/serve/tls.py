"""TLS files: certificate and key are there, belong together and are in force, or one sentence says what is wrong."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from felicity.errors import ConfigError

SOON_DAYS = 14
"""Days before its expiry from which a certificate is warned of."""


def check(certificate: Path, key: Path, now: datetime) -> datetime:
    """Return when the certificate expires. Raises ConfigError for files that no server can use."""
    try:
        text = certificate.read_text("ascii")
        der = ssl.PEM_cert_to_DER_cert(text[text.index(ssl.PEM_HEADER) : text.index(ssl.PEM_FOOTER)] + ssl.PEM_FOOTER)
        begin, end = _validity(der)
    except OSError as error:
        raise ConfigError(f"--tls-cert {certificate}: cannot be read ({error.strerror})") from error
    except (ValueError, IndexError) as error:
        raise ConfigError(f"--tls-cert {certificate}: a certificate in PEM expected, such as fullchain.pem") from error
    try:
        key.read_bytes()
    except OSError as error:
        raise ConfigError(f"--tls-key {key}: cannot be read ({error.strerror})") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, _refuse)
    except _EncryptedError:
        raise ConfigError(f"--tls-key {key}: is encrypted; decrypt it with: openssl pkey -in {key} -out KEY") from None
    except ssl.SSLError as error:
        raise ConfigError(
            f"--tls-key {key}: is not the key of --tls-cert {certificate}; name the pair, such as privkey.pem"
        ) from error
    if now < begin:
        raise ConfigError(f"--tls-cert {certificate}: is valid from {begin:%Y-%m-%d %H:%M} UTC; look at the clock")
    if now >= end:
        raise ConfigError(f"--tls-cert {certificate}: expired on {end:%Y-%m-%d %H:%M} UTC; renew it")
    return end


class _EncryptedError(Exception):
    """The key asks for a password."""


def _refuse() -> str:
    raise _EncryptedError


def _validity(der: bytes) -> tuple[datetime, datetime]:
    """Return the times between which a certificate (X.509, DER) is valid."""
    fields = _parts(_parts(_parts(der)[0][1])[0][1])
    if fields[0][0] == 0xA0:  # the version, which old certificates lack
        fields = fields[1:]
    begin, end = (_time(kind, text) for kind, text in _parts(fields[3][1]))
    return begin, end


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of a DER value: their tags and contents."""
    found, at = [], 0
    while at < len(content):
        tag, size, at = content[at], content[at + 1], at + 2
        if size >= 0x80:
            wide = size - 0x80
            size, at = int.from_bytes(content[at : at + wide], "big"), at + wide
        if at + size > len(content):
            raise ValueError("cut short")
        found.append((tag, content[at : at + size]))
        at += size
    return found


def _time(kind: int, text: bytes) -> datetime:
    """Return a UTCTime (23) or a GeneralizedTime (24)."""
    said = text.decode("ascii")
    if kind == 23:
        said = ("19" if said >= "50" else "20") + said
    return datetime.strptime(said, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
