"""Waits after wrong passwords, which slow down guessing and keep nobody out for good.

Each account waits for itself at each address, so whoever guesses from elsewhere does not shut its owner out. Guesses
from many addresses at once share a rate for each account; addresses from which its owner signed in are free of it.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import TypeVar

from felicity.serve.limits import Limiter

T = TypeVar("T")
FREE = 5
"""Wrong passwords of one account at one address before the first wait."""
LONGEST = 900.0
"""Longest wait in seconds; each further wrong password doubles the wait up to this."""
ADDRESS_A_MINUTE = 20
"""Passwords of one address a minute, whatever the account."""
ACCOUNT_A_MINUTE = 30
"""Passwords of one account a minute, from all addresses from which nobody has signed in to it."""
MOST = 10_000


class Lockout:
    """Counts wrong passwords. ``now``: a clock in seconds."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._wrong: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        self._right: OrderedDict[Hashable, None] = OrderedDict()
        self._addresses, self._accounts = Limiter(ADDRESS_A_MINUTE, now), Limiter(ACCOUNT_A_MINUTE, now)

    def begin(self, account: str, address: str) -> float:
        """Begin a try; return 0, or the seconds until the next one is allowed. It counts as wrong until ``succeed``."""
        address, now = network(address), self._now()
        with self._lock:
            count, until = self._wrong.get((account, address), (0, now))
            if until > now:
                return until - now
            if wait := self._addresses.wait(address):
                return wait
            if (account, address) not in self._right and (wait := self._accounts.wait(account)):
                return wait
            pause = min(2.0 ** (count + 1 - FREE), LONGEST) if count + 1 >= FREE else 0.0
            _put(self._wrong, (account, address), (min(count + 1, 50), now + pause))
        return 0.0

    def is_waiting(self, account: str, address: str) -> bool:
        """Return whether the next try has to wait for this account."""
        with self._lock:
            return self._wrong.get((account, network(address)), (0, 0.0))[1] > self._now()

    def succeed(self, account: str, address: str) -> None:
        """Forget the wrong passwords before a right one, and remember the address."""
        with self._lock:
            self._wrong.pop((account, network(address)), None)
            _put(self._right, (account, network(address)), None)


def network(address: str) -> str:
    """Return what counts as one address: of IPv6 the network of 64 bits that one household or machine has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _put(values: OrderedDict[Hashable, T], key: Hashable, value: T) -> None:
    values[key] = value
    values.move_to_end(key)
    while len(values) > MOST:
        values.popitem(last=False)
