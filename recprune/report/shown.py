"""A figure or a table in a notebook, or one sentence where there is nothing of which it could be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recprune.errors import NothingToDrawError
from recprune.report.tables import to_markdown


def shown(make: Callable[..., Any], *arguments: Any) -> Any:
    """What `make(*arguments)` gives, as a notebook displays it: a figure without its data, a table as Markdown.

    Some models alone, or a protocol that most models do not allow, leave figures without anything to draw: then a
    sentence says so, and the notebook goes on.
    """
    from IPython.display import Markdown

    try:
        found = make(*arguments)
    except NothingToDrawError as error:
        return Markdown(f"*Nothing to show: {error}.*")
    return found[0] if isinstance(found, tuple) else Markdown(to_markdown(found))
