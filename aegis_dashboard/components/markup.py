"""HTML that cannot be broken into: text is escaped unless it was built here.

All markup of the dashboard is made by `tag` and drawn by `draw`, the one place that allows HTML. Log lines, names
and whatever else comes from outside are plain strings, so they end up as text whatever is in them.
"""

import html
import re
from typing import Final, Literal

import streamlit as st

_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
# A blank line would end the HTML block for the Markdown parser, and what follows would be read as Markdown.
_BREAKS: Final = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_VOID: Final = frozenset({"br", "hr", "img", "line", "path", "polyline", "polygon", "circle", "rect"})


class Html(str):
    """Markup that is safe to draw. Only the functions of this module make it."""

    __slots__ = ()


Child = Html | str | int | float | None


def escape(text: object) -> Html:
    """Text as markup; line breaks become references, so that a block of HTML stays one line."""
    return Html(_BREAKS.sub("&#10;", html.escape(str(text), quote=True)))


def join(*children: Child) -> Html:
    """One after the other; strings are escaped, None is left out."""
    return Html("".join(_markup(child) for child in children))


def tag(name: str, *children: Child, cls: str = "", **attributes: object) -> Html:
    """An element. `aria_label` becomes `aria-label`; an attribute that is None or False is left out.

    Raises ValueError for an element or attribute name that is no plain name.
    """
    if cls:
        attributes = {"class": cls, **attributes}
    head = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of an element: {name!r}")
    if name in _VOID and not children:
        return Html(f"<{head}/>")
    return Html(f"<{head}>{join(*children)}</{name}>")


def div(*children: Child, cls: str = "", **attributes: object) -> Html:
    return tag("div", *children, cls=cls, **attributes)


def span(*children: Child, cls: str = "", **attributes: object) -> Html:
    return tag("span", *children, cls=cls, **attributes)


def draw(markup: Html, width: Literal["stretch", "content"] = "stretch") -> None:
    """Put markup on the page, in a block of its own."""
    st.markdown(div(markup, cls="ag"), unsafe_allow_html=True, width=width, anchors=False)


def _markup(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Html) else escape(child)


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of an attribute: {key!r}")
    return "" if value is None or value is False else f' {name}="{escape(value)}"'
