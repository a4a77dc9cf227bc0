"""Pixels: decoding with a bound, what a network expects of them, drawing on them.

Everywhere in Felicity an image is a C-contiguous ``uint8`` array ``(height, width, 3)`` in RGB
order, named ``image_rgb_u8``; grey crops are ``(height, width)``.
"""

from felicity.imaging.spec import InputSpec

__all__ = ["InputSpec"]
