"""From text to HTML that cannot be anything else: what is not markup already is escaped."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

from hpo_app.analysis.wording import finite, plain


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WITHOUT_END = {"img", "meta"}


class Html(str):
    """Finished markup. Any other string counts as text."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str) -> Html:
    """Return an element.

    Args:
        name: Its tag.
        children: What it holds; escaped unless `Html`.
        attributes: Escaped. `class_` stands for `class`, `aria_label` for `aria-label`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(plain(value))}"'
        for key, value in attributes.items()
    )
    if name in _WITHOUT_END:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{''.join(_escaped(child) for child in children)}</{name}>")


def joined(parts: Iterable[Html]) -> Html:
    """Return markup in a row, one part a line."""
    return Html("\n".join(parts))


def lines(text: str) -> Html:
    """Return text of several lines, each made inert, the line breaks kept."""
    return Html("\n".join(html.escape(plain(line)) for line in text.splitlines()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], label: str) -> Html:
    """Return a table in a frame that scrolls sideways on a narrow screen."""
    header = element("tr", *(element("th", name, scope="col") for name in head))
    body = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    inner = element("table", element("thead", header), element("tbody", joined(body)))
    return scrolling(inner, label)


def scrolling(inner: Html, label: str) -> Html:
    """Return markup in a frame that scrolls sideways on a narrow screen."""
    return element("div", inner, class_="scroll", role="region", tabindex="0", aria_label=label)


def data_block(name: str, values: object) -> Html:
    """Return plain values for a script of the page to read; the browser takes it for no code.

    What could end the block, or begin another, is written as JSON's own escapes.
    """
    text = json.dumps(finite(values), allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="{html.escape(name)}">{text}</script>')


def _escaped(child: str) -> str:
    return child if isinstance(child, Html) else html.escape(plain(child))
