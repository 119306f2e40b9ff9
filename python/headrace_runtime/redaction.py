"""Puts `[REDACTED]` in the place of secrets in output: as they are, and in the forms in which they commonly leave.

A guard against accidents, not against code that means to give a value away: reversed, it passes. Nothing here knows
where values come from or where output goes.
"""

from __future__ import annotations

import base64
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Span = tuple[int, int]

MARK = b"[REDACTED]"
# Three characters are part of any text: to hide them would make logs unreadable and the value easy to guess.
SECRET_BYTES_MIN = 4
# A longer form is looked for piece by piece: this bounds what is held back of a stream, and also catches parts of it.
PIECE_BYTES_MAX = 4096
# From here on a value is also found with line breaks in it, as `base64` and mail programs wrap texts.
WRAPPED_BYTES_MIN = 16
# Of a value of several lines each such line is a secret too: they are often printed with something before each.
LINE_BYTES_MIN = 16
LINES_MAX = 100
# Inside a longer base64, what a value looks like depends on what is before it; shorter cores would hit by chance.
CORE_BYTES_MIN = 6
_BREAKS = b"\r\n"


class Redactor:
    """The secrets that are known so far."""

    def __init__(self, values: Iterable[bytes] = ()) -> None:
        self._values: set[bytes] = set()
        # Found as they are, and found in text whose line breaks are taken out.
        self._plain: set[bytes] = set()
        self._wrapped: set[bytes] = set()
        for value in values:
            self.add(value)

    def add(self, value: bytes) -> None:
        """Hide a value from now on; one that is too short to hide is left as it is."""
        core = value.strip()
        if len(core) < SECRET_BYTES_MIN or core in self._values:
            return
        self._values.add(core)
        for form in _forms(core):
            unwrapped = form.translate(None, _BREAKS)
            if len(unwrapped) >= WRAPPED_BYTES_MIN:
                self._wrapped.update(_pieces(unwrapped))
            else:
                self._plain.add(form)

    def redact(self, text: bytes) -> bytes:
        """A whole text without its secrets."""
        stream = StreamRedactor(self)
        return stream.feed(text) + stream.flush()

    def find_spans(self, text: bytes) -> list[Span]:
        """Where secrets are, as (start, end)."""
        spans = [span for pattern in self._plain for span in _occurrences(text, pattern)]
        unwrapped = text.translate(None, _BREAKS)
        found = [span for pattern in self._wrapped for span in _occurrences(unwrapped, pattern)]
        if not found or len(unwrapped) == len(text):
            return spans + found
        places = _places(text)
        return spans + [(places[start], places[end - 1] + 1) for start, end in found]

    def find_beginning(self, text: bytes) -> int:
        """Where the end of the text may be the beginning of a secret; its length when it is not."""
        plain = max((_overlap(text, pattern) for pattern in self._plain), default=0)
        unwrapped = text.translate(None, _BREAKS)
        wrapped = max((_overlap(unwrapped, pattern) for pattern in self._wrapped), default=0)
        start = len(text) - plain
        return min(start, _places(text)[len(unwrapped) - wrapped]) if wrapped else start


class StreamRedactor:
    """Redacts what comes in pieces, wherever they were cut: what may be the beginning of a secret waits for more."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self._held = b""
        # The first bytes of what is held stand for a mark that was given out already; None: no mark came last.
        self._marked: int | None = None

    def feed(self, piece: bytes) -> bytes:
        """What can be given out now."""
        text = self._held + piece
        return self._give(text, self.redactor.find_beginning(text))

    def flush(self) -> bytes:
        """The rest: nothing more will come."""
        return self._give(self._held, len(self._held))

    def _give(self, text: bytes, until: int) -> bytes:
        spans = self.redactor.find_spans(text)
        goes_on = self._marked is not None
        if self._marked is not None:
            spans.append((0, self._marked))
        given: list[bytes] = []
        at, marked = 0, None
        for start, end in _merge(spans):
            is_given = goes_on and start == 0
            if start >= until and not is_given:
                break
            given.append(text[at:start])
            if not is_given:
                given.append(MARK)
            at = end
            # The mark may go on in what is held.
            marked = end - until if end >= until else None
        given.append(text[at:until])
        self._held, self._marked = text[until:], marked
        return b"".join(given)


def _forms(value: bytes) -> set[bytes]:
    forms = {value, repr(value)[2:-1].encode(), value.hex().encode(), value.hex().upper().encode()}
    forms.update(line for line in value.split(b"\n")[:LINES_MAX] if len(line.strip()) >= LINE_BYTES_MIN)
    forms.update(_base64_forms(value))
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return {form for form in forms if len(form) >= SECRET_BYTES_MIN}
    import html
    from urllib.parse import quote, quote_plus

    texts = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    texts |= {html.escape(text), html.escape(text, quote=False), quote(text, safe=""), quote(text), quote_plus(text)}
    forms.update(form.encode("utf-8", "surrogatepass") for form in texts)
    return {form for form in forms if len(form) >= SECRET_BYTES_MIN}


def _base64_forms(value: bytes) -> set[bytes]:
    """Alone, and inside a longer base64 such as `user:password`, where 0, 1 or 2 bytes stand before its first group."""
    forms = {base64.b64encode(value).rstrip(b"="), base64.urlsafe_b64encode(value).rstrip(b"=")}
    for before in range(3):
        # Characters that also hold bits of what is before or after.
        first, last = (before * 8 + 5) // 6, (before + len(value)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            core = encode(bytes(before) + value)[first:last]
            if len(core) >= CORE_BYTES_MIN:
                forms.add(core)
    return forms


def _pieces(form: bytes) -> list[bytes]:
    """Of nearly the same length, so that the last is not too short to look for."""
    count = -(-len(form) // PIECE_BYTES_MAX)
    size = -(-len(form) // count)
    return [form[at : at + size] for at in range(0, len(form), size)]


def _occurrences(text: bytes, pattern: bytes) -> list[Span]:
    spans: list[Span] = []
    size = len(pattern)
    at = text.find(pattern)
    while at >= 0:
        spans.append((at, at + size))
        # The last that overlaps this one or touches it covers those between: "aaaa" is in many places of many a's.
        last = text.rfind(pattern, at + 1, at + 2 * size)
        at = last if last >= 0 else text.find(pattern, at + size)
    return spans


def _overlap(text: bytes, pattern: bytes) -> int:
    """How many of the last bytes of the text are the first of the pattern, which does not end there."""
    tail = text[-(len(pattern) - 1) :]
    # Three are given below; four are rare enough in a text to be looked for.
    at = tail.find(pattern[:4])
    while at >= 0:
        if pattern.startswith(tail[at:]):
            return len(tail) - at
        at = tail.find(pattern[:4], at + 1)
    return next((size for size in (3, 2, 1) if size < len(pattern) and tail.endswith(pattern[:size])), 0)


def _places(text: bytes) -> list[int]:
    """Where each byte that is no line break stands."""
    return [at for at, byte in enumerate(text) if byte not in _BREAKS]


def _merge(spans: list[Span]) -> list[Span]:
    """In order; what overlaps or touches is one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
