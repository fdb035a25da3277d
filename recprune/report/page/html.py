"""HTML from the templates of this folder: what they are given is text, and escaped, unless it says that it is HTML."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recprune.report.evidence.labels import visible


def rendered(template: str, **values) -> str:
    """The text of a template with its values."""
    return _environment().get_template(template).render(values)


def _shown(value):
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("recprune.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
