"""What the redactor finds, and what it must never give away, however a stream is cut."""

from __future__ import annotations

import base64
import html
import json
import random
import time
from urllib.parse import quote

import pytest
from headrace_runtime.redaction import MARK, Redactor, StreamRedactor

SEEDS = 3_000
SECRET = b'p@ss "w\xc3\xb6rd"/1'


def cut(source: random.Random, text: bytes) -> list[bytes]:
    """In pieces, most of them tiny."""
    pieces: list[bytes] = []
    while text:
        size = source.choice([1, 1, 2, 3, 5, 8, 20])
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def test_a_stream_cut_anywhere_shows_what_the_whole_text_shows_and_no_secret() -> None:
    for seed in range(SEEDS):
        source = random.Random(seed)
        # Few letters, so that secrets overlap each other and themselves.
        letters = source.choice([b"ab", b"abc\n", b"abcdefghij \n\r=+/"])

        def word(size: int, letters: bytes = letters, source: random.Random = source) -> bytes:
            return bytes(source.choice(letters) for _ in range(size))

        secrets = [word(source.choice([3, 4, 5, 8, 16, 20, 40])) for _ in range(source.randint(1, 4))]
        parts = [word(source.randint(0, 6)), b"\n", *secrets, *(base64.b64encode(secret) for secret in secrets)]
        text = b"".join(source.choice(parts) for _ in range(source.randint(0, 12)))
        redactor = Redactor(secrets)
        stream = StreamRedactor(redactor)

        shown = b"".join(stream.feed(piece) for piece in cut(source, text)) + stream.flush()

        assert shown == redactor.redact(text), f"seed {seed}"
        rest = shown.replace(MARK, b"\0")
        for secret in secrets:
            core = secret.strip()
            unwrapped = core.translate(None, b"\r\n")
            assert len(core) < 4 or core not in rest, f"seed {seed}"
            assert len(unwrapped) < 16 or unwrapped not in rest.translate(None, b"\r\n"), f"seed {seed}"


def test_text_without_a_secret_passes_byte_for_byte() -> None:
    source = random.Random(1)
    redactor = Redactor([b"hunter2-hunter2"])
    for _ in range(200):
        text = bytes(source.randrange(256) for _ in range(source.randint(0, 200)))
        stream = StreamRedactor(redactor)

        assert b"".join(stream.feed(piece) for piece in cut(source, text)) + stream.flush() == text


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        base64.b64encode(SECRET),
        base64.urlsafe_b64encode(SECRET),
        base64.b64encode(b"u" + SECRET),
        base64.b64encode(b"me:" + SECRET + b"@"),
        base64.b64encode(b"user:" + SECRET + b"\n"),
        base64.encodebytes(SECRET * 10),
        SECRET.hex().encode(),
        repr(SECRET).encode(),
        repr(SECRET.decode()).encode(),
        json.dumps({"a": SECRET.decode()}).encode(),
        json.dumps(SECRET.decode(), ensure_ascii=False).encode(),
        quote(SECRET.decode(), safe="").encode(),
        html.escape(SECRET.decode()).encode(),
    ],
)
def test_a_secret_is_found_in_the_forms_in_which_it_commonly_leaves(form: bytes) -> None:
    shown = Redactor([SECRET, SECRET * 10]).redact(b"before " + form + b" after")

    assert MARK in shown
    assert shown.startswith(b"before ")
    assert shown.endswith(b" after")
    # What stood around it: a name of JSON, or what base64 mixes with the bytes before and after.
    assert len(shown.replace(MARK, b"")) <= len(b"before  after") + 10


def test_a_secret_broken_into_lines_is_found_and_one_of_several_lines_line_by_line() -> None:
    key = b"-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n"
    redactor = Redactor([key, b"0123456789abcdefghij"])

    assert redactor.redact(b"a 01234\n56789abc\r\ndefghij z") == b"a [REDACTED] z"
    assert redactor.redact(key.replace(b"\n", b"\r\n")).strip() == MARK
    assert redactor.redact(json.dumps(key.decode()).encode()) == b'"[REDACTED]\\n"'
    prefixed = b"".join(b"log: " + line + b"\n" for line in key.splitlines())
    assert redactor.redact(prefixed).count(MARK) == 4


def test_short_secrets_stay_readable_and_white_space_around_one_does_not_hide_it() -> None:
    redactor = Redactor([b"abc", b" x ", b"", b"hunter2\n"])

    assert redactor.redact(b"abc x hunter2.") == b"abc x [REDACTED]."


def test_what_may_become_a_secret_waits_and_the_rest_does_not() -> None:
    stream = StreamRedactor(Redactor([b"hunter2-hunter2-hunter2"]))

    assert stream.feed(b"a line\nhunter2-hun") == b"a line\n"
    assert stream.feed(b"dred\n") == b"hunter2-hundred\n"
    assert stream.flush() == b""


@pytest.mark.parametrize("value", [b"a" * 131_072, random.Random(2).randbytes(131_072), b"ab\n" * 40_000])
def test_the_longest_secrets_are_found_in_parts_too_and_in_fair_time(value: bytes) -> None:
    started = time.process_time()
    redactor = Redactor([value])
    stream = StreamRedactor(redactor)
    text = b"<" + value.strip() + b">" + b"z" * 100_000

    shown = b"".join(stream.feed(text[at : at + 65_536]) for at in range(0, len(text), 65_536)) + stream.flush()

    # A line break between two parts belongs to neither.
    assert set(shown.split(b">")[0].replace(MARK, b"")) <= set(b"<\n")
    assert shown.endswith(b"[REDACTED]>" + b"z" * 100_000)
    # A second would hold up all tasks of a host; this takes some 20 ms.
    assert time.process_time() - started < 5
