"""Reads formats back for their tests, as GitHub reads them."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

#: What GitHub's runner takes for a command: at the beginning of a line after blanks, or this sign anywhere in it.
COMMAND = re.compile(r"^\s*::|##\[")


def shown(text):
    """Tokens of Markdown as GitHub reads it, nested ones too."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


def rows(text):
    """The cells of all tables, as they are shown, without their headings."""
    found, inside = [], False
    for token in shown(text):
        if token.type in ("tbody_open", "tbody_close"):
            inside = token.type == "tbody_open"
        elif inside and token.type == "tr_open":
            found.append([])
        elif inside and token.type == "inline":
            found[-1].append("".join(child.content for child in token.children))
    return found
