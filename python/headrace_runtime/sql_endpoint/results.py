"""From a result of Spark to the chunks that clients read: Arrow streams, JSON arrays of texts, or CSV."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from .batches import Batches
from .column_types import describe_column, needs_text, to_text
from .documents import ChunkDocument, ColumnDocument, ResultDocument, StatementDocument
from .errors import StatementFailure
from .local_rows import TextRow, read_local_rows

# Of a chunk; in base64 and JSON it fits into a request.
CHUNK_BYTES = 4 * 1024 * 1024
CHUNK_BYTES_MAX = 11 * 1024 * 1024
# A result whose chunks are smaller than this together travels with its end.
SMALL_BYTES = 64 * 1024
# Of what is read to be cut at a client's byte_limit: the server's limit for any result (limits.ts).
READ_BYTES_MAX = 1024 * 1024 * 1024

SendChunk = Callable[[int, bytes], None]


def collect_result(frame: Any, statement: StatementDocument, jvm: Any, send_chunk: SendChunk) -> ResultDocument:
    """@param frame: the Java Dataset. Large chunks are sent at once, the one of a small result goes along."""
    columns = _describe(frame)
    limit = statement["row_limit"]
    shown = _render(frame if limit is None else frame.limit(limit + 1), columns, statement, jvm)
    batches = Batches()
    try:
        is_text = statement["format"] != "ARROW_STREAM" and len(columns) > 0
        rows = read_local_rows(shown, len(columns), jvm) if is_text else None
        if rows is not None:
            schema, order = _take_rows(rows, batches, columns)
            check_size(batches.bytes, statement)
        else:
            schema, order = _receive(shown, batches, columns, statement)
        parts = Truncation(limit, statement["byte_limit"])
        slices = (part for batch in parts.cut(batches.ordered(order)) for part in _slice(batch))
        return _write(slices, schema, columns, statement, send_chunk, parts)
    finally:
        batches.close()


def _describe(frame: Any) -> list[ColumnDocument]:
    from pyspark.sql.types import StructType

    schema = StructType.fromJson(json.loads(frame.schema().json()))
    return [describe_column(position, field) for position, field in enumerate(schema.fields)]


def _render(frame: Any, columns: list[ColumnDocument], statement: StatementDocument, jvm: Any) -> Any:
    """With the columns as texts that have to be. Where two have one name, others stand for them."""
    is_arrow = statement["format"] == "ARROW_STREAM"
    as_text = [
        not is_arrow or needs_text(each["type_text"], complex_as_text=statement["complex_as_text"]) for each in columns
    ]
    if not any(as_text) or not columns:
        return frame
    to_seq = jvm.PythonUtils.toSeq
    names = [column["name"] for column in columns]
    if len({name.lower() for name in names}) < len(names):
        names = [f"c{index}" for index in range(len(columns))]
        frame = frame.toDF(to_seq(names))
    quoted = [f"`{name.replace('`', '``')}`" for name in names]
    expressions = [
        f"{to_text(name, column['type_text'])} as c{index}" if is_text else f"{name} as c{index}"
        for index, (name, column, is_text) in enumerate(zip(quoted, columns, as_text, strict=True))
    ]
    return frame.selectExpr(to_seq(expressions))


def _take_rows(rows: list[TextRow], batches: Batches, columns: list[ColumnDocument]) -> tuple[Any, list[int]]:
    import pyarrow

    schema = pyarrow.schema([pyarrow.field(column["name"], pyarrow.string()) for column in columns])
    arrays = [pyarrow.array([row[index] for row in rows], pyarrow.string()) for index in range(len(columns))]
    batches.add(pyarrow.RecordBatch.from_arrays(arrays, schema=schema))
    return schema, [0]


def _receive(
    frame: Any, batches: Batches, columns: list[ColumnDocument], statement: StatementDocument
) -> tuple[Any, list[int]]:
    """The Arrow schema and the order of the batches."""
    import pyarrow
    from pyspark.errors.exceptions.captured import unwrap_spark_exception
    from pyspark.serializers import read_int
    from pyspark.util import local_connect_and_auth

    port, secret, server = frame.collectAsArrowToPython()
    failure: Exception | None = None
    schema: Any = None
    order: list[int] = []
    stream, connection = local_connect_and_auth(port, secret)
    try:
        connection.settimeout(None)
        reader = pyarrow.ipc.open_stream(stream)
        schema = reader.schema
        for batch in reader:
            batches.add(batch)
            check_size(batches.bytes, statement)
        count = read_int(stream)  # type: ignore[no-untyped-call]
        order = [read_int(stream) for _ in range(max(0, count))]  # type: ignore[no-untyped-call]
    except (OSError, EOFError, pyarrow.ArrowInvalid) as error:
        failure = error  # Spark's own reason follows
    finally:
        stream.close()
        connection.close()
    with unwrap_spark_exception():
        server.getResult()
    if failure is not None:
        raise failure
    names = [column["name"] for column in columns]
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    return pyarrow.schema(fields), order


def check_size(size: int, statement: StatementDocument) -> None:
    limit, byte_limit = statement["bytes_max"], statement["byte_limit"]
    is_cut = byte_limit is not None and byte_limit <= limit
    # Batches come in any order, which is told at their end: the first rows are known once all have been read.
    if size <= (max(limit, READ_BYTES_MAX) if is_cut else limit):
        return
    if is_cut:
        raise StatementFailure(
            f"The result is larger than {max(limit, READ_BYTES_MAX)} bytes, which is too much to be read and cut at "
            "byte_limit. Set row_limit, too, or write the result to a table.",
            sql_state="54000",
        )
    raise StatementFailure(
        f"The result is larger than the limit of {limit} bytes for this way of answering. Ask for the disposition "
        "EXTERNAL_LINKS, set row_limit or a byte_limit within that limit, or write the result to a table.",
        sql_state="54000",
    )


class Truncation:
    """Cuts a result at the client's limits, and counts it."""

    def __init__(self, row_limit: int | None, byte_limit: int | None) -> None:
        self._row_limit = row_limit
        self._byte_limit = byte_limit
        self.rows = 0
        self.bytes = 0
        self.is_truncated = False

    def cut(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            kept = self._fitting(batch)
            self.rows += kept
            part = batch.slice(0, kept)
            self.bytes += part.nbytes
            if kept > 0:
                yield part
            if kept < batch.num_rows:
                self.is_truncated = True
                return

    def _fitting(self, batch: Any) -> int:
        rows = int(batch.num_rows)
        if self._row_limit is not None:
            rows = min(rows, self._row_limit - self.rows)
        if self._byte_limit is not None and rows > 0:
            left = self._byte_limit - self.bytes
            if batch.slice(0, rows).nbytes > left:
                rows = int(rows * max(0, left) / max(1, batch.nbytes))
        return rows


def _slice(batch: Any) -> Iterator[Any]:
    rows = max(1, int(batch.num_rows * CHUNK_BYTES / max(1, batch.nbytes)))
    for offset in range(0, batch.num_rows, rows):
        yield batch.slice(offset, rows)


def _write(
    slices: Iterator[Any],
    schema: Any,
    columns: list[ColumnDocument],
    statement: StatementDocument,
    send_chunk: SendChunk,
    counts: Truncation,
) -> ResultDocument:
    encode = _encoder(statement["format"], schema, columns)
    chunks: list[ChunkDocument] = []
    total = 0
    first: bytes | None = None

    def keep(batches: list[Any]) -> None:
        nonlocal total, first
        content = encode(batches, len(chunks))
        if len(content) > CHUNK_BYTES_MAX:
            raise StatementFailure(f"A row of the result is too large to be shown: it has {len(content)} bytes.")
        if first is None:
            first = content  # sent when another one follows, or when it is large
        else:
            send_chunk(len(chunks), content)
        total += len(content)
        rows = sum(batch.num_rows for batch in batches)
        chunks.append({"row_count": rows, "byte_count": len(content), "content": None})

    pending: list[Any] = []
    size = 0
    for batch in slices:
        if pending and size + batch.nbytes > CHUNK_BYTES:
            keep(pending)
            pending, size = [], 0
        pending.append(batch)
        size += batch.nbytes
    if pending or not chunks:
        keep(pending)
    assert first is not None
    if len(chunks) == 1 and len(first) <= SMALL_BYTES:
        chunks[0]["content"] = base64.b64encode(first).decode()
    else:
        send_chunk(0, first)
    is_arrow = statement["format"] == "ARROW_STREAM"
    return {
        "columns": columns,
        "arrow_schema": base64.b64encode(schema.serialize().to_pybytes()).decode() if is_arrow else "",
        "total_rows": counts.rows,
        "total_bytes": total,
        "truncated": counts.is_truncated,
        "chunks": chunks,
    }


def _encoder(form: str, schema: Any, columns: list[ColumnDocument]) -> Callable[[list[Any], int], bytes]:
    if form == "ARROW_STREAM":
        return lambda batches, index: _encode_arrow(batches, schema)
    if form == "CSV":
        return lambda batches, index: _encode_csv(batches, [each["name"] for each in columns] if index == 0 else None)
    return lambda batches, index: _encode_json(batches)


def _encode_arrow(batches: list[Any], schema: Any) -> bytes:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            # The columns of a rendered result have other names.
            writer.write_batch(pyarrow.RecordBatch.from_arrays(batch.columns, schema=schema))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _rows(batches: list[Any]) -> Iterator[tuple[str | None, ...]]:
    for batch in batches:
        if batch.num_columns == 0:
            yield from ((),) * batch.num_rows
        else:
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _encode_json(batches: list[Any]) -> bytes:
    return json.dumps(list(_rows(batches)), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _encode_csv(batches: list[Any], names: list[str] | None) -> bytes:
    """RFC 4180; NULL is `null`, as hosted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if names is not None:
        writer.writerow(names)
    for row in _rows(batches):
        writer.writerow(["null" if value is None else value for value in row])
    return text.getvalue().encode("utf-8", "replace")
