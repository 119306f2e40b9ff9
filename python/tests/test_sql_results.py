"""How large a result of a statement may be, before Spark is asked for it."""

from __future__ import annotations

from typing import cast

import pytest
from headrace_runtime.sql_endpoint.documents import StatementDocument
from headrace_runtime.sql_endpoint.errors import StatementFailure
from headrace_runtime.sql_endpoint.results import check_size

MIB = 1024 * 1024
INLINE = 25 * MIB
LINKS = 1024 * MIB


def asked(bytes_max: int, byte_limit: int | None) -> StatementDocument:
    return cast("StatementDocument", {"bytes_max": bytes_max, "byte_limit": byte_limit})


@pytest.mark.parametrize(
    ("bytes_max", "byte_limit", "size"),
    [
        (INLINE, None, INLINE),
        (INLINE, 10 * MIB, 500 * MIB),  # read, and cut
        (INLINE, INLINE, LINKS),
        (LINKS, 100 * LINKS, LINKS),
    ],
)
def test_a_result_within_its_limits_is_read(bytes_max: int, byte_limit: int | None, size: int) -> None:
    check_size(size, asked(bytes_max, byte_limit))


@pytest.mark.parametrize(
    ("bytes_max", "byte_limit", "size", "cure"),
    [
        (INLINE, None, INLINE + 1, "EXTERNAL_LINKS"),
        (INLINE, INLINE + 1, INLINE + 1, "byte_limit within that limit"),
        (LINKS, 100 * LINKS, LINKS + 1, "row_limit"),
        (LINKS, 1, LINKS + 1, "Set row_limit, too"),
        (INLINE, 1, LINKS + 1, "Set row_limit, too"),
    ],
)
def test_no_byte_limit_of_a_client_lifts_the_limit_of_what_is_read(
    bytes_max: int, byte_limit: int | None, size: int, cure: str
) -> None:
    with pytest.raises(StatementFailure, match=cure):
        check_size(size, asked(bytes_max, byte_limit))
