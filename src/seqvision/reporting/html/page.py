"""Put sections into one HTML page that needs nothing beside itself."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from seqvision.reporting.html.blocks import Section
from seqvision.reporting.html.charts import script_json

SIGNS = {"skill": "✓", "unclear": "?", "no skill": "✗"}


def render_page(
    title: str,
    sections: Sequence[Section],
    *,
    subtitle: str = "",
    problems: Sequence[str] = (),
    footer: str = "",
) -> str:
    """Return a page with style, script and data in itself: nothing is fetched, and every text is escaped.

    Args:
      title: of the page.
      sections: in order; after the first there are links to all.
      subtitle: below the title.
      problems: what could not be shown, and why.
      footer: at the end.

    >>> "&lt;b&gt;" in render_page("<b>", [])
    True
    """
    style, script, hashed = _assets()
    page = _template().render(
        title=title,
        subtitle=subtitle,
        problems=problems,
        sections=sections,
        footer=footer,
        signs=SIGNS,
        style=style,
        script=script,
        script_hash=hashed,
    )
    return page.lstrip()


@cache
def _template() -> Any:
    import jinja2
    from markupsafe import Markup

    loader = jinja2.PackageLoader("seqvision.reporting.html", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.globals["script_json"] = lambda value: Markup(script_json(value))
    return environment.get_template("page.html.j2")


@cache
def _assets() -> tuple[Any, Any, str]:
    """Return style and script as they stand in a page, and the script's hash by which the browser knows it."""
    from markupsafe import Markup

    folder = resources.files("seqvision.reporting.html") / "templates"
    style, script = (
        (folder / name).read_text(encoding="utf-8").replace("\r\n", "\n") for name in ("report.css", "charts.js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup(style), Markup(script), f"sha256-{digest}"
