"""From the content of a page to one file that loads nothing but images beside it."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path

from hpo_app.report.markup import Html, element, joined


_BROWSER = Path(__file__).with_name("browser")
# One script in the page. A later file uses the earlier ones; the last one starts it all.
_SCRIPTS = (
    "study", "pointing", "scales", "drawings", "gestures", "charts", "table", "commands", "start",
)  # fmt: skip


def page(title: str, content: Html) -> str:
    """Return a whole page.

    It runs its one script, at its end, and nothing else: the policy names it by its digest.
    """
    style, script = style_sheet(), page_script()
    # `file:` for readers that give a page opened from disk an origin without a name.
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src 'sha256-{_digest(style)}'; "
        f"script-src 'sha256-{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    head = joined(
        [
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name_="color-scheme", content="light dark"),
            element("meta", name_="referrer", content="no-referrer"),
            element("title", title),
            Html(f"<style>{style}</style>"),
        ]
    )
    body = element("body", element("main", content), Html(f"<script>{script}</script>"))
    return f'<!doctype html>\n<html lang="en">\n{element("head", head)}\n{body}\n</html>\n'


@functools.cache
def style_sheet() -> str:
    """Return the style sheet of every page."""
    return (_BROWSER / "report.css").read_text(encoding="utf-8")


@functools.cache
def page_script() -> str:
    """Return the script of every page: its files in a row, in a scope of their own."""
    parts = [(_BROWSER / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    return "\n".join(['"use strict";', "(() => {", *parts, "})();", ""])


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
