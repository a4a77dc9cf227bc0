"""The shell of every page: head, colours, sizes for phone, desk and paper; a page loads nothing from elsewhere."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.style import dates, numbers
from felicity.style.language import say, spoken
from felicity.style.palette import css_variables

if TYPE_CHECKING:
    from jinja2 import Environment

ROOM = Path(__file__).parent
FILTERS = {
    "count": numbers.count,
    "number": numbers.number,
    "percent": numbers.percent,
    "share": numbers.share,
    "points": numbers.points,
    "duration": numbers.duration,
    "day": dates.long_date,
}


def render_page(template: Path, *, title: str, **values: Any) -> str:
    """Return the page of a ``template`` that extends ``page.html.j2``. All inserted text is escaped.

    Templates have the filters of ``style.numbers`` and ``style.dates``. No line ends between a number and its unit.
    """
    from markupsafe import Markup

    return (
        _environment(template.parent)
        .get_template(template.name)
        .render(title=title, colours=Markup(css_variables()), _=say, lang=spoken(), **values)
    )


@cache
def _environment(folder: Path) -> Environment:
    """Return what compiles the templates of a folder, each of them once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder, ROOM]),
        autoescape=lambda name: name is None or not name.endswith(".css"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_kept_together,
    )
    environment.filters |= FILTERS
    return environment


def _kept_together(value: Any) -> Any:
    """Return text in which no line ends between a number and its percent sign."""
    return value.replace(" %", "\u00a0%") if type(value) is str else value


def data_uri(png: bytes) -> str:
    """Return a PNG as the source of an image in a page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
