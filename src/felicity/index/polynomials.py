"""Polynomials of R rows at once, (K, R): coefficients, the lowest power first.

Intervals end at their changes of sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from felicity.windows.columns import Floats

_HALVINGS = 40


def furthest(c0: Floats, c1: Floats, c2: Floats) -> Floats:
    """Return the greatest λ in 0 … 1 with c0 + c1 λ + c2 λ² ≤ 0, or 0 if there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(np.maximum(c1**2 - 4 * c0 * c2, 0))
        # The stable pair of roots (Press et al., Numerical Recipes, 5.6).
        half = -0.5 * (c1 + np.where(c1 >= 0, root, -root))
        roots = np.stack([half / c2, c0 / half])
    inside = np.isfinite(roots) & (roots >= 0) & (roots <= 1) & (c1**2 >= 4 * c0 * c2)
    best = np.where(inside, roots, 0.0).max(axis=0)
    return np.where(c0 + c1 + c2 <= 0, 1.0, np.where(np.isfinite(c0), best, np.nan))


def summed_product(shares: Sequence[Floats], values: Floats) -> Floats:
    """Return coefficients (K + L - 1, R) of two polynomials' product, summed over labels: K of (R, 8) by (L, 8, R)."""
    result = np.zeros((len(shares) + len(values) - 1, len(shares[0])))
    for i, share in enumerate(shares):
        result[i : i + len(values)] += np.einsum("rj,ljr->lr", share, values)
    return result


def product(left: Floats, right: Floats) -> Floats:
    """Return coefficients of the product of two polynomials, (K, R) by (L, R)."""
    result = np.zeros((len(left) + len(right) - 1, left.shape[1]))
    for i, coefficient in enumerate(left):
        result[i : i + len(right)] += coefficient * right
    return result


def bisect(excess: Floats, start: Floats, end: float) -> Floats:
    """Find where, on the way from ``start`` to ``end``, the polynomial ``excess`` (K, R) becomes positive."""
    near, far = start, np.full_like(start, end)
    within = _value(excess, far) <= 0
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        out = _value(excess, middle) > 0
        near, far = np.where(out, near, middle), np.where(out, middle, far)
    return np.where(np.isfinite(start), np.where(within, end, near), np.nan)


def _value(polynomial: Floats, x: Floats) -> Floats:
    result = np.zeros_like(x)
    for coefficient in polynomial[::-1]:
        result = result * x + coefficient
    return result
