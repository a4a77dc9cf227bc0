"""What ``felicity serve`` carries: figures, windows pushed, streams held open, pictures, and how soon it ends.

python benchmarks/serve.py [--locations 5] [--seconds 8] [--clients 8] [--postgres URL] [--datasette PROGRAM]
                           [--picture FILE]

``--clients``: connections that ask for the index by day over a year at once, each for one location after another. The
server keeps the answers while the store stays the same; every location was asked for once before. ``--postgres``: URL
of an empty database of PostgreSQL, which keeps the windows that are pushed. ``--datasette``: the program of datasette,
installed in an environment of its own (python -m venv ENV; ENV/bin/pip install datasette); it reads the days of one
location after another from the same file. ``--picture``: a photograph that the server and the library classify in turn.
Server, load and database share the machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
from index_year import fill

from felicity import api
from felicity.store import open_store
from felicity.windows import Location, Window, WindowKey

DAYS = 365
BATCH = 1000
BATCHES = 10
STREAMS = 200


@dataclass(frozen=True)
class Server:
    """A running server: its process, address and token."""

    process: subprocess.Popen[str]
    netloc: str
    token: str

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection, which opens when it is used."""
        return http.client.HTTPConnection(self.netloc, timeout=60)

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        return {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip"}

    @property
    def megabytes(self) -> float:
        """Return the memory that the process holds (resident)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000


@contextmanager
def serving(store: str, *options: str) -> Iterator[Server]:
    """Serve a store with a token that may do everything."""
    token = api.add_token("benchmark", ["read", "push:*", "classify"], store=store).token
    words = [sys.executable, "-m", "felicity", "serve", store, "--port", "0", "--rate", "0", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield Server(process, urlsplit(process.stdout.readline().split()[-1]).netloc, token)
        finally:
            process.kill()


def ask(server: Server, paths: list[str], clients: int, seconds: float) -> list[float]:
    """Return the milliseconds of each answer to clients that ask for one path after another without a pause."""
    taken: list[float] = []
    end = 0.0

    def client(first: int) -> None:
        connection = server.connect()
        for number in range(first, sys.maxsize):
            began = time.perf_counter()
            if began > end:
                break
            connection.request("GET", paths[number % len(paths)], headers=server.headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            taken.append(1000 * (time.perf_counter() - began))
        connection.close()

    connection = server.connect()
    for path in paths:  # warms the cache
        connection.request("GET", path, headers=server.headers)
        connection.getresponse().read()
    connection.close()
    end = time.perf_counter() + seconds
    threads = [threading.Thread(target=client, args=(first,)) for first in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


@contextmanager
def datasette(program: str, file: Path) -> Iterator[Server]:
    """Serve a SQLite file with datasette."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [program, "serve", str(file), "--port", str(port), "--setting", "max_returned_rows", "10000"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            for _ in range(200):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            yield Server(process, f"127.0.0.1:{port}", "none")
        finally:
            process.kill()


def told(name: str, taken: list[float], options: argparse.Namespace) -> None:
    """Print the times of answers, in milliseconds."""
    p50, p99 = np.percentile(taken, [50, 99])
    rate = len(taken) / options.seconds
    print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {rate:.0f} requests/s of {options.clients} clients")


def classify(store: str, picture: Path) -> tuple[float, float]:
    """Return the milliseconds of a picture over HTTP and in the library, medians of 20 in turn."""
    content, reader = picture.read_bytes(), api.open_reader()
    taken: tuple[list[float], list[float]] = ([], [])
    with serving(store, "--classify") as server:
        connection = server.connect()
        headers = server.headers | {"Content-Type": "image/jpeg"}
        for _ in range(21):
            began = time.perf_counter()
            connection.request("POST", "/api/v1/classify", content, headers)
            answer = json.load(connection.getresponse())["data"]["faces"]
            taken[0].append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            assert len(reader.read(content)) == len(answer) > 0
            taken[1].append(1000 * (time.perf_counter() - began))
    return float(np.median(taken[0][1:])), float(np.median(taken[1][1:]))


def make_bodies() -> list[bytes]:
    """Return batches of windows of a minute each, with three people on average."""
    rng = np.random.default_rng(0)
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    windows = []
    for minute in range(BATCH * BATCHES):
        p = rng.dirichlet(np.full(8, 0.2), int(rng.poisson(3)))
        key = WindowKey("Pushed", "camera", "stream", begin, "model", begin + timedelta(minutes=minute), 60)
        hard = np.bincount(p.argmax(axis=1), minlength=8)
        windows.append(Window(key, len(p), len(p), hard, p.sum(axis=0), p.T @ p, 600, 0, 60.0).to_json())
    return [json.dumps({"windows": windows[i : i + BATCH]}).encode() for i in range(0, len(windows), BATCH)]


def push(server: Server, bodies: list[bytes]) -> float:
    """Return the windows a second of one sender that waits for each answer."""
    connection = server.connect()
    began = time.perf_counter()
    for body in bodies:
        headers = server.headers | {"Content-Type": "application/json"}
        connection.request("POST", "/api/v1/windows", body, headers)
        assert json.load(connection.getresponse())["data"]["stored"] == BATCH
    return BATCH * len(bodies) / (time.perf_counter() - began)


def hold_streams(server: Server) -> tuple[float, float, float]:
    """Open streams and end the server; return megabytes before and with the streams, and seconds until it has ended."""
    before = server.megabytes
    with ExitStack() as stack:
        for _ in range(STREAMS):
            connection = server.connect()
            stack.callback(connection.close)
            connection.request("GET", "/api/v1/events", headers=server.headers)
            answer = connection.getresponse()
            assert answer.readline() == b"retry: 3000\n"
            stack.callback(answer.close)
        held = server.megabytes
        began = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
        return before, held, time.perf_counter() - began


def main() -> None:
    """Measure everything once, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locations", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--postgres")
    parser.add_argument("--datasette")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    bodies = make_bodies()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "year.db"
        fill(file, options.locations, DAYS, 1)
        with serving(str(file)) as server:
            paths = [f"/api/v1/index?by=day&location=Place%20{place:03}" for place in range(options.locations)]
            taken = ask(server, paths, options.clients, options.seconds)
            told(f"index by day, {options.locations} years", taken, options)
            before, held, seconds = hold_streams(server)
            print(f"{STREAMS} event streams: {held:.0f} MB in all, {held - before:.1f} MB for the streams")
            print(f"end with {STREAMS} open streams: {seconds:.2f} s")
        if options.datasette is None:
            print("datasette: left out; name its program with --datasette")
        else:
            with datasette(options.datasette, file) as server:
                query = "select * from days where location_id = {} order by start"
                paths = [
                    f"/{file.stem}.json?_shape=array&sql={quote(query.format(place + 1))}"
                    for place in range(options.locations)
                ]
                told("datasette, the same days", ask(server, paths, options.clients, options.seconds), options)
        if options.picture is not None:
            over_http, here = classify(str(file), options.picture)
            print(
                f"a picture: {over_http:.1f} ms over HTTP, {here:.1f} ms in the library: {over_http / here:.2f} times"
            )
        for name, url in (("SQLite", str(Path(folder) / "pushed.db")), ("PostgreSQL", options.postgres)):
            if url is None:
                continue
            with open_store(url) as store:
                store.add_location(Location("Pushed"))
            with serving(url) as server:
                print(f"windows pushed into {name}: {push(server, bodies):.0f} a second, in batches of {BATCH}")


if __name__ == "__main__":
    main()
