"""Phrases: the wordings by which rules know a log line, bounded so that no line can make them slow.

A phrase is plain text in lower case, matched at the borders of words. It may hold:

- `...`: up to 60 characters of anything
- `*` at the end or beginning of a word: up to 40 characters more of that word
- `#`: a number of up to twenty digits
- `(a|b|)`: one of these, or nothing
- `$` at its end: the end of the line

Quotes and backslashes count for nothing, neither in a phrase nor in a line: `can't` is `cant`, and `"x"` is `x`.
"""

import re
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator

GAP: Final = 60  # characters that `...` stands for at most
_GROUP: Final = re.compile(r"\([^()]{1,300}\)")
_PIECE: Final = re.compile(r"\([^()]{1,300}\)|[*#]|[^*#()]+")
_WORD: Final = re.compile(r"[a-z0-9]+")
_WHOLE_WORD: Final = re.compile(r"(?<![a-z0-9*])[a-z0-9]+(?![a-z0-9*])")
_DROPPED: Final = str.maketrans("", "", "\"'`\\’‘“”")
_ESCAPED: Final = re.compile(r"\\[nrt]")


def plain(text: str) -> str:
    """Make a text comparable: lower case, one space between words, no quotes, line ends inside it as spaces."""
    if "\\" in text:
        text = _ESCAPED.sub(" ", text)
    return " ".join(text.lower().translate(_DROPPED).split())


def words_of(text: str) -> frozenset[str]:
    """The words of a plain text: what a phrase needs before it is worth searching for."""
    return frozenset(_WORD.findall(text))


class Phrase(NamedTuple):
    """A wording, ready to be searched for. Where its `words` and its `needle` do not all stand, it cannot fit."""

    text: str
    words: frozenset[str]  # whole words
    one_of: tuple[frozenset[str], ...]  # of each bracket: whole words of which one has to stand
    needle: str  # its longest piece that is literal
    pattern: re.Pattern[str]

    def may_fit(self, text: str, words: frozenset[str]) -> bool:
        """Tell quickly whether it is worth searching for in a text that has these words."""
        return self._words_stand(words) and self.needle in text

    def end_in(self, line: str, words: frozenset[str]) -> int:
        """Tell where in a plain line the wording ends; 0 where it does not stand there."""
        found = self.pattern.search(line) if self._words_stand(words) else None
        return found.end() if found else 0

    def _words_stand(self, words: frozenset[str]) -> bool:
        return self.words <= words and not any(words.isdisjoint(choices) for choices in self.one_of)


def phrase(text: str) -> Phrase:
    """Read a phrase. Raises ValueError for one that is not in lower case, or that holds an odd bracket."""
    if text != text.lower():
        raise ValueError(f"a phrase is in lower case: {text!r}")
    bare = plain(text)
    outside = _GROUP.sub("*", bare)
    if "(" in outside or ")" in outside or not _WORD.search(bare):
        raise ValueError(f"a phrase is made of words, and its brackets hold alternatives: {text!r}")
    needed = frozenset(_WHOLE_WORD.findall(outside.replace("#", "*").replace("...", " ... ")))
    pieces = outside.removesuffix("$").replace("...", "*").replace("#", "*").split("*")
    one_of = tuple(choices for found in _GROUP.finditer(bare) if (choices := _choices(bare, found)))
    return Phrase(text, needed, one_of, max(pieces, key=len).strip(), re.compile(_expression(bare)))


def _choices(bare: str, group: re.Match[str]) -> frozenset[str]:
    """Of every alternative in a bracket its longest whole word; none where one of them has none."""
    before, after = bare[: group.start()][-1:], bare[group.end() :][:1]
    if re.match(r"[a-z0-9*#]", before) or re.match(r"[a-z0-9*#]", after):
        return frozenset()
    words = [_WHOLE_WORD.findall(choice.replace("#", "*")) for choice in group[0][1:-1].split("|")]
    return frozenset(max(found, key=len) for found in words) if all(words) else frozenset()


def _expression(text: str) -> str:
    """Write a phrase as a regular expression whose every part is bounded, and none tried twice from one start."""
    head, *rest = [_bordered(part.strip()) for part in text.split("...")]
    return head + "".join(rf"(?>.{{0,{GAP}}}?{part})" for part in rest)


def _bordered(text: str) -> str:
    begins = r"(?<![a-z0-9])" if re.match(r"[a-z0-9#(]", text) else ""
    ends = "$" if text.endswith("$") else r"(?![a-z0-9])" if re.search(r"[a-z0-9#)]$", text) else ""
    return begins + _part(text.removesuffix("$").strip("*")) + ends  # a star at the border takes the border away


def _part(text: str) -> str:
    return "".join(_piece(piece) for piece in _PIECE.findall(text))


def _piece(piece: str) -> str:
    if piece == "*":
        return r"[a-z0-9_.-]{0,40}"
    if piece == "#":
        return r"\d{1,20}"
    if piece.startswith("("):
        return f"(?:{'|'.join(_part(choice) for choice in piece[1:-1].split('|'))})"
    return re.escape(piece)


def _phrases(value: object) -> object:
    return tuple(phrase(text) for text in value) if isinstance(value, list) else value


Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_phrases)]
