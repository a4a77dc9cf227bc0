"""Pixels: decoding with a bound, the input format of networks, drawing.

Everywhere in Felicity an image is a C-contiguous ``uint8`` array ``(height, width, 3)`` in RGB order, named
``image_rgb_u8``; grey crops are ``(height, width)``.
"""

from felicity.imaging.spec import InputSpec

__all__ = ["InputSpec"]
