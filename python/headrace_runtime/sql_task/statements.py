"""The statements of a text of SQL, and where each begins. What Spark's lexer takes for one token is one token here."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Texts and names in quotes, within which nothing else means anything; `r'…'` has no escapes.
_QUOTED = (
    r"""(?<![A-Za-z0-9_])[rR]'[^']*'|(?<![A-Za-z0-9_])[rR]"[^"]*"|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`"""
    r"""|\$\$.*?\$\$"""
)
# A line that ends in a backslash goes on in the next, in a comment too.
_TOKEN = re.compile(
    rf"(?P<quoted>{_QUOTED})|(?P<line>--(?:\\\n|[^\n])*)|(?P<block>/\*)|(?P<end>;)|(?<![:\w]):(?P<marker>[A-Za-z_]\w*)"
    r"|(?P<word>[A-Za-z_]\w*)",
    re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_COMPOUND = re.compile(r"\s*(?:(?:[A-Za-z_]\w*|`[^`]*`)\s*:\s*)?begin\b(?!\s+transaction\b)", re.IGNORECASE)
_COMPOUND_END = re.compile(r"\bend(?:\s+(?:[A-Za-z_]\w*|`[^`]*`))?\s*$", re.IGNORECASE)
# Of statements in one text; each is a cell of what is kept.
STATEMENTS_MAX = 1_000


class Token:
    """A piece of SQL: `quoted`, `comment`, `end` (a semicolon), `marker` (`:name`) or `word`."""

    __slots__ = ("end", "kind", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end


class Statement:
    """Its text, and the line of the file on which that begins."""

    __slots__ = ("first_word_line", "line", "text")

    def __init__(self, text: str, line: int, first_word_line: int) -> None:
        self.text = text
        self.line = line
        self.first_word_line = first_word_line


def read_tokens(text: str) -> Iterator[Token]:
    """What matters of a text, in order; all between is punctuation, numbers and space."""
    position = 0
    while match := _TOKEN.search(text, position):
        kind = match.lastgroup or ""
        position = match.end()
        if kind == "block":
            position = _end_of_block(text, position)
        shown = "comment" if kind in ("block", "line") else kind
        yield Token(shown, match["marker"] if kind == "marker" else match[0], match.start(), position)


def split_statements(text: str, is_whole: Callable[[str], bool]) -> list[Statement]:
    """The statements of a text, empty ones left out. `is_whole` is asked where a `BEGIN … END` may have ended."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    tokens = list(read_tokens(text))
    ends = [token.start for token in tokens if token.kind == "end"] + [len(text)]
    statements: list[Statement] = []
    start = 0
    while start < len(text):
        code = _without_comments(text, tokens, start)
        end = next(place for place in ends if place >= start)
        if _COMPOUND.match(code):
            end = _end_of_compound(text, tokens, ends, start, is_whole)
        _add_statement(statements, text, tokens, start, end)
        start = end + 1
    if len(statements) > STATEMENTS_MAX:
        raise ValueError(f"there are {len(statements)} statements; at most {STATEMENTS_MAX} are run")
    return statements


def _end_of_block(text: str, position: int) -> int:
    """Comments nest; one that is not closed goes to the end."""
    depth = 1
    while depth > 0:
        edge = _BLOCK_EDGE.search(text, position)
        if edge is None:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def _without_comments(text: str, tokens: list[Token], start: int) -> str:
    """The beginning of a statement, as far as it tells what kind it is."""
    position = start
    for token in tokens:
        if token.start < position:
            continue
        if token.kind != "comment" or text[position : token.start].strip():
            break
        position = token.end
    return text[position : position + 500]


def _end_of_compound(
    text: str, tokens: list[Token], ends: list[int], start: int, is_whole: Callable[[str], bool]
) -> int:
    """Where Spark's parser takes what stands before a semicolon for a whole script; all the rest where it never does."""
    comments = [token for token in tokens if token.kind == "comment"]
    for end in ends:
        if end <= start:
            continue
        candidate = text[start:end].rstrip()
        while comments_at_end := [
            each for each in comments if each.end == start + len(candidate) and each.start >= start
        ]:
            candidate = text[start : comments_at_end[0].start].rstrip()
        if _COMPOUND_END.search(candidate) and is_whole(candidate):
            return end
    return ends[-1]


def _add_statement(statements: list[Statement], text: str, tokens: list[Token], start: int, end: int) -> None:
    raw = text[start:end]
    first_word = start
    for token in tokens:
        if token.start < start:
            continue
        if token.kind != "comment" or text[first_word : token.start].strip():
            break
        first_word = token.end
    if not text[first_word:end].strip():
        return
    begin = start + len(raw) - len(raw.lstrip())
    word = first_word + len(text[first_word:end]) - len(text[first_word:end].lstrip())
    statements.append(Statement(raw.strip(), text.count("\n", 0, begin) + 1, text.count("\n", 0, word) + 1))
