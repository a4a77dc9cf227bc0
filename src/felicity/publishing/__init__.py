"""Publishing: releases of whole crowds for the public, computed once, numbered, never changed.

``release`` makes them, and ``view`` answers from them alone. Seeing every release, in any order, reveals nothing about
fewer than k people: each person is in one crowd, a crowd has at least k people, and only whole crowds come and go.
"""

from felicity.publishing.release import Made, make_releases
from felicity.publishing.view import PublishedView

__all__ = ["Made", "PublishedView", "make_releases"]
