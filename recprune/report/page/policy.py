"""What a browser lets a page do, as it stands in the page: nothing is fetched, and no script runs but those named.

Names and titles are escaped where they become HTML; this is the second lock, should one ever slip through.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable


def content_policy(scripts: Iterable[str] = (), pictures: Iterable[str] = ()) -> str:
    """The Content-Security-Policy of a page whose inline scripts are `scripts`, each exactly as it stands there.

    pictures  sources of pictures beside those that stand inside
    Styles may stand inside (tables, pictures and plots bring theirs). No other address is asked for anything, and
    nothing is sent.
    """
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{known}'" for known in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        f"img-src {' '.join(['data:', *pictures])}; base-uri 'none'; form-action 'none'"
    )
