"""The site: Sphinx reads the Markdown pages here, and the reference that scripts/reference.py makes from the code."""

import sys
from pathlib import Path
from typing import Any

from felicity import __version__
from felicity.style import palette

HERE = Path(__file__).parent

project = "Felicity"
author = copyright = "the Felicity authors"
release = version = __version__

extensions = ["myst_nb", "sphinx_copybutton"]
exclude_patterns = ["_build", "reproduction/README.md"]
nb_execution_mode = "off"  # notebooks are executed by the tests
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "mystnb.mime_priority"]  # the reference begins tables below bold headings

html_theme = "furo"
html_title = "Felicity"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
TONES = {"brand-primary": palette.MAIN, "brand-content": palette.MAIN, "brand-visited": palette.VIOLET}
html_theme_options = {
    "light_css_variables": {f"color-{name}": str(tone) for name, tone in TONES.items()},
    "dark_css_variables": {f"color-{name}": tone.dark for name, tone in TONES.items()},
}


def setup(app: Any) -> None:
    """Make the reference before Sphinx reads the pages."""

    def make(_: Any) -> None:
        sys.path.insert(0, str(HERE.parent))
        from scripts import reference

        reference.write(HERE / "reference")

    app.connect("builder-inited", make)
