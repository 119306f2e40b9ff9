"""What the server says and is told, as `packages/api/src/sql-endpoints.ts` defines it."""

from __future__ import annotations

from typing import TypedDict


class ParameterDocument(TypedDict):
    name: str | None
    type: str
    # Of an ARRAY or a MAP: a list of ElementDocument as JSON.
    value: str | None


class ElementDocument(TypedDict):
    type: str
    # Of a MAP: keys and values in turn.
    value: str | list[ElementDocument] | None


class SessionDocument(TypedDict):
    session_id: str
    catalog: str | None
    schema: str | None
    conf: dict[str, str]


class StatementDocument(TypedDict):
    statement_id: str
    statement: str
    parameters: list[ParameterDocument]
    session: SessionDocument | None
    catalog: str | None
    schema: str | None
    row_limit: int | None
    byte_limit: int | None
    bytes_max: int
    format: str
    complex_as_text: bool
    timeout_ms: int | None


class PollAnswer(TypedDict):
    statements: list[StatementDocument]
    cancel: list[str]
    close_sessions: list[str]
    catalogs: list[str]
    default_catalog: str
    retire: bool


class Position(TypedDict):
    line: int
    column: int


class ErrorDocument(TypedDict):
    code: str
    message: str
    sql_state: str | None
    error_class: str | None
    position: Position | None


class ColumnDocument(TypedDict):
    name: str
    position: int
    type_text: str
    type_name: str
    precision: int | None
    scale: int | None
    interval_type: str | None
    nullable: bool


class ChunkDocument(TypedDict):
    row_count: int
    byte_count: int
    # Base64; None where it was sent before.
    content: str | None


class ResultDocument(TypedDict):
    columns: list[ColumnDocument]
    arrow_schema: str
    total_rows: int
    total_bytes: int
    truncated: bool
    chunks: list[ChunkDocument]
