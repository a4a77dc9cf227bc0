"""Every colour of Felicity: one palette for charts, pages and pictures, with a light and a dark value each.

The eight expressions keep their colours everywhere. The values were optimised to stay distinct for people who see no
red, no green or no blue (simulation: Machado, Oliveira & Fernandes 2009), and to contrast with the paper.
"""

from __future__ import annotations

from felicity.labels import Expression


class Tone(str):
    """A colour with a name: the light value is the string itself (``#rrggbb``), ``dark`` is the one on dark paper."""

    name: str
    dark: str
    __slots__ = ("dark", "name")

    def __new__(cls, name: str, light: str, dark: str) -> Tone:
        """Create a tone; ``name`` is that of the CSS variable."""
        tone = super().__new__(cls, light)
        tone.name, tone.dark = name, dark
        return tone

    def __getnewargs__(self) -> tuple[str, str, str]:  # type: ignore[override]
        return self.name, str(self), self.dark


PAPER = Tone("paper", "#ffffff", "#171c20")
"""The background of charts and tables."""
GROUND = Tone("ground", "#f3f6f4", "#0f1316")
"""The background of the paper."""
SOFT = Tone("soft", "#eaf0ec", "#232b31")
"""A slightly highlighted area."""
LINE = Tone("line", "#d6dedb", "#38424a")
HATCH = Tone("hatch", "#838d88", "#6b767d")
INK = Tone("ink", "#1c2429", "#e6eaed")
MUTED = Tone("muted", "#586470", "#a3afb7")
MAIN = Tone("main", "#0f7a45", "#45c483")
"""Happy, found, good."""
ACCENT = Tone("accent", "#1f5fa8", "#7ab4f0")
"""A fit, a trend, the first of several series."""
ORANGE = Tone("orange", "#b05c00", "#eda04a")
VIOLET = Tone("violet", "#8a4fb5", "#c29be0")
RAW = Tone("raw", "#86640f", "#d9b25f")
"""Raw figures, not adjusted."""
BAD = Tone("bad", "#b3371f", "#f0876d")
"""Wrong, unusual, warned of."""
EARLIER = Tone("earlier", "#7e8890", "#76828c")
"""Earlier than a date; the less important of two."""
HEAT = Tone("heat", "#2a6db8", "#2f6fb5")
"""The fullest cell of a heat map, at ``DEEPEST`` opacity."""
DEEPEST = 0.6

TONES = (
    PAPER, GROUND, SOFT, LINE, HATCH, INK, MUTED, MAIN, ACCENT, ORANGE, VIOLET, RAW, BAD, EARLIER, HEAT,
)  # fmt: skip
SERIES = (ACCENT, ORANGE, MAIN, VIOLET, EARLIER)
"""Lines and bars that have no meaning of their own, in this order."""
TRAINING, VALIDATION, HELD_OUT = SERIES[:3]

EXPRESSION: dict[Expression, Tone] = {
    Expression.NEUTRAL: Tone("neutral", "#88929e", "#6b7682"),
    Expression.HAPPY: Tone("happy", "#12804a", "#46c484"),
    Expression.SAD: Tone("sad", "#1b3e96", "#2f7df2"),
    Expression.SURPRISE: Tone("surprise", "#d08002", "#f0a318"),
    Expression.FEAR: Tone("fear", "#aa77da", "#a66fc3"),
    Expression.DISGUST: Tone("disgust", "#27330c", "#d0fd86"),
    Expression.ANGER: Tone("anger", "#bc2d06", "#cf3a30"),
    Expression.CONTEMPT: Tone("contempt", "#8b2566", "#eec3dc"),
}
LAYERS = {
    "Conv2D": "#cfe3f5", "Dense": "#fbe0c4", "MaxPooling2D": "#e3e3e3", "AveragePooling2D": "#e3e3e3",
    "GlobalAveragePooling2D": "#e3e3e3", "Add": "#d9efd3", "Input": "#ffffff",
}  # fmt: skip
"""Pale fills of a network's layers by kind, to stand below ink."""
OTHER_LAYER = "#f4f4f4"
UNJUDGED = Tone("unjudged", "#6d6d6d", "#9a9a9a")
"""A face that was found and not judged."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255 each, of ``#rrggbb``."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 for black to 1 for white (WCAG 2.2)."""
    parts = [value / 255 for value in rgb(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21; text needs 4.5, marks need 3 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(colour: str) -> str:
    """Return the light or the dark text colour, whichever is easier to read on ``#rrggbb``."""
    return max((str(PAPER), str(INK)), key=lambda text: contrast(text, colour))


def css_variables() -> str:
    """Return CSS rules that define every tone as ``--name``, dark if the reader's screen is dark."""
    tones = (*TONES, *EXPRESSION.values(), UNJUDGED)
    light, dark = (
        " ".join(f"--{tone.name}: {value};" for tone, value in zip(tones, values, strict=True))
        for values in (tones, [tone.dark for tone in tones])
    )
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark; {dark} }} }}"
    )


def themed(svg: str) -> str:
    """Return an SVG whose colours of this palette follow the page around it; by itself it is light."""
    import re

    names = {str(tone): tone.name for tone in (*TONES, *EXPRESSION.values(), UNJUDGED)}
    return re.sub(
        r"#[0-9a-f]{6}\b", lambda found: f"var(--{names[found[0]]}, {found[0]})" if found[0] in names else found[0], svg
    )
