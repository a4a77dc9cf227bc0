"""Files of weights that a detector needs and the package does not contain: found, checked, downloaded."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from felicity import paths
from felicity.errors import ConfigError, DetectorError
from felicity.files import make_folder, put


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to the same host, or from http to https; never to another host."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request. Raises ValueError for another host."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.hostname != old.hostname or (old.scheme == "https" and new.scheme != "https"):
            fp.close()  # the response, which holds the connection
            raise ValueError(f"the server sends us on to {new.scheme}://{new.netloc}, another host; give that by --url")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class NotInstalledError(DetectorError):
    """A detector that could work here lacks its file or package; ``auto`` skips it."""


@dataclass(frozen=True)
class WeightsFile:
    """A file identified by its SHA-256.

    ``variable``: environment variable with another place for it than the user's data folder. ``url``: its home.
    ``size``: in bytes.
    """

    detector: str
    file_name: str
    size: int
    sha256: str
    url: str
    variable: str

    def path(self) -> Path:
        """Return the path at which the file is expected."""
        if chosen := os.environ.get(self.variable):
            return paths.expanded(chosen)
        return self.installed_path()

    def installed_path(self) -> Path:
        """Return the path at which ``install`` puts it, in the user's data folder."""
        return paths.home() / "detectors" / self.file_name

    def read(self) -> bytes:
        """Return its bytes. Raises NotInstalledError if it is missing, DetectorError if it is another file."""
        path = self.path()
        command = f"felicity detectors install {self.detector}"
        try:
            with path.open("rb") as stream:
                content = stream.read(self.size + 1)
        except FileNotFoundError as error:
            if os.environ.get(self.variable):
                raise DetectorError(
                    f"{self.variable} names {path}, which does not exist; correct or unset it"
                ) from error
            raise NotInstalledError(
                f"the {self.detector} detector needs its file of weights; install it with: {command}"
            ) from error
        except OSError as error:
            raise DetectorError(f"{path} cannot be read ({error.strerror}); check it or run: {command}") from error
        self._verify(content, str(path), f"replace it with: {command}")
        return content

    def install(self, content: bytes, origin: str) -> Path:
        """Check ``content`` from ``origin``, and write it in its place, whole or not at all."""
        self._verify(content, origin, "nothing was installed")
        target = self.installed_path()
        try:
            make_folder(target.parent)
            put(target, content)
        except ConfigError as error:
            raise DetectorError(f"{target} cannot be written: {error}") from error
        except OSError as error:
            raise DetectorError(f"{target} cannot be written ({error.strerror}); check the folder") from error
        return target

    def download(
        self, url: str | None = None, *, timeout: float = 20, on_progress: Callable[[int], None] = lambda _: None
    ) -> bytes:
        """Return the bytes at ``url`` (its home if None), unchecked, at most one more than ``size``.

        ``timeout``: seconds to wait for the next bytes; the whole download may take six times as long. ``on_progress``
        receives the number of bytes so far. Raises DetectorError if the download fails.
        """
        url = url or self.url
        if not url.lower().startswith(("http://", "https://")):
            raise DetectorError(f"{url}: an http or https address expected; for a file use --from")
        deadline = time.monotonic() + 6 * timeout
        content = bytearray()
        instead = "nothing was installed; try again or use --from FILE"
        try:
            with urllib.request.build_opener(_SameHost).open(url, timeout=timeout) as answer:
                while len(content) <= self.size and (part := answer.read1(65536)):
                    content += part
                    on_progress(len(content))
                    if time.monotonic() > deadline:
                        raise TimeoutError
        except urllib.error.HTTPError as error:
            error.close()  # it is the response, too, and holds the connection
            raise DetectorError(f"{url}: the server answered {error.code} {error.reason}; {instead}") from error
        except TimeoutError as error:
            raise DetectorError(f"{url}: no answer in time, {len(content)} bytes came; {instead}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise DetectorError(f"{url}: cannot be reached ({reason}); {instead}") from error
        return bytes(content)

    def _verify(self, content: bytes, origin: str, advice: str) -> None:
        if (found := sha256(content).hexdigest()) != self.sha256:
            size = f"{len(content)} bytes" if len(content) <= self.size else "more"
            raise DetectorError(
                f"{origin} is not {self.file_name}: {self.size} bytes with SHA-256 {self.sha256[:12]}… expected, "
                f"{size} with {found[:12]}… found; {advice}"
            )
