"""`display` and `displayHTML`: what they turn values into, and where it goes.

In a notebook outputs go to its document, elsewhere to standard output. Spark, pandas and matplotlib are recognised by
the module of a value's type and never imported here.
"""

from __future__ import annotations

import itertools
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from .documents import HtmlOutput, ImageOutput, JsonValue, NotebookOutput, TableColumn, TableOutput, TextOutput

# A table in a notebook is for eyes. More rows make the page slow before they make it useful.
TABLE_ROWS_MAX = 1_000
TABLE_BYTES_MAX = 2 * 1024 * 1024
TABLE_CELL_CHARACTERS_MAX = 64 * 1024
# A chart is some 50 kB; an interactive one with its library inside 4–5 MB.
MEDIA_BYTES_MAX = 8 * 1024 * 1024
NESTING_MAX = 20


def display(value: Any = None, *args: Any, **keywords: Any) -> None:
    """Show a DataFrame as a table, a figure as an image, HTML as HTML, anything else as its text."""
    if value is None:
        return
    for shown in (value, *args):
        publish(to_output(shown))


def displayHTML(html: str, *args: Any, **keywords: Any) -> None:
    """Show HTML."""
    publish(html_output(str(html)))


def publish(output: NotebookOutput) -> None:
    if _sink is not None:
        _sink(output)
    else:
        print(_as_text(output), flush=True)


def set_sink(sink: Callable[[NotebookOutput], None] | None) -> None:
    """Send outputs to a notebook's cell."""
    global _sink
    _sink = sink


def has_sink() -> bool:
    """Whether outputs go to a notebook's cell."""
    return _sink is not None


_sink: Callable[[NotebookOutput], None] | None = None


def to_output(value: Any) -> NotebookOutput:
    """The richest form that a value has."""
    if is_spark_frame(value):
        return spark_table(value)
    if _is_pandas_frame(value):
        return _pandas_table(value)
    if isinstance(value, (list, tuple)) and value and all(_is_record(record) for record in value):
        return _records_table(value)
    figure = value if hasattr(value, "savefig") else getattr(value, "figure", None)
    if hasattr(figure, "savefig"):
        return _figure_image(figure)
    return from_bundle(_mime_bundle(value))


def from_bundle(bundle: Mapping[str, Any]) -> NotebookOutput:
    """One output for a set of forms of one value, as IPython hands them over."""
    for mime in ("image/png", "image/jpeg"):
        if mime in bundle:
            return image_output(mime, bundle[mime])
    if "image/svg+xml" in bundle:
        return html_output(str(bundle["image/svg+xml"]))
    if "text/html" in bundle:
        return html_output(str(bundle["text/html"]))
    for mime in ("text/markdown", "text/plain"):
        if mime in bundle:
            return {"kind": "text", "text": str(bundle[mime]) + "\n"}
    return {"kind": "text", "text": json.dumps(dict(bundle), default=str) + "\n"}


def html_output(html: str) -> HtmlOutput | TextOutput:
    if len(html) > MEDIA_BYTES_MAX:
        return {
            "kind": "text",
            "text": f"HTML of {len(html)} characters is not shown; the limit is {MEDIA_BYTES_MAX}\n",
        }
    return {"kind": "html", "html": html}


def image_output(mime: str, image: bytes | str) -> ImageOutput | TextOutput:
    import base64

    encoded = base64.b64encode(image).decode() if isinstance(image, bytes) else image.replace("\n", "")
    if len(encoded) > MEDIA_BYTES_MAX:
        return {
            "kind": "text",
            "text": f"an image of {len(encoded)} bytes is not shown; the limit is {MEDIA_BYTES_MAX}\n",
        }
    return {"kind": "image", "mime": mime, "base64": encoded}


def is_spark_frame(value: Any) -> bool:
    kind = type(value)
    return kind.__module__.startswith("pyspark.sql.") and kind.__name__ == "DataFrame"


def spark_table(frame: Any) -> TableOutput | TextOutput:
    """The first rows of a Spark DataFrame; it is computed here, once."""
    if frame.isStreaming:
        return {
            "kind": "text",
            "text": "a streaming DataFrame is not shown: write it with writeStream, then show the table\n",
        }
    columns: list[TableColumn] = [{"name": name, "type": kind} for name, kind in frame.dtypes]
    return table_output(columns, _shorten(frame).limit(TABLE_ROWS_MAX + 1).collect())


def _shorten(frame: Any) -> Any:
    """Long texts are cut before they reach the driver, whose memory belongs to everybody on the cluster."""
    size = TABLE_CELL_CHARACTERS_MAX - 100
    shown = {
        "string": f"case when length({{0}}) > {size} then concat(substring({{0}}, 1, {size}), "
        "'… (', length({0}), ' characters)') else {0} end",
        "binary": f"substring({{0}}, 1, {size // 2})",
    }
    kinds = [kind for _, kind in frame.dtypes]
    if shown.keys().isdisjoint(kinds):
        return frame
    # Names may stand twice, or hold anything.
    names = [f"c{number}" for number in range(len(kinds))]
    expressions = [shown.get(kind, "{0}").format(name) for name, kind in zip(names, kinds, strict=True)]
    return frame.toDF(*names).selectExpr(*expressions)


def table_output(columns: list[TableColumn], records: Iterable[Iterable[Any]]) -> TableOutput:
    """A table of JSON values within the limits of rows and bytes."""
    rows: list[list[JsonValue]] = []
    size_bytes = 0
    for record in records:
        row = [_cut_long(to_json(cell)) for cell in record]
        size_bytes += len(json.dumps(row))
        if len(rows) == TABLE_ROWS_MAX or size_bytes > TABLE_BYTES_MAX:
            by_rows = f"Only the first {TABLE_ROWS_MAX} rows are kept"
            by_bytes = f"Only the first {len(rows)} rows are kept: a table may have {TABLE_BYTES_MAX // 2**20} MiB"
            note = by_rows if len(rows) == TABLE_ROWS_MAX else by_bytes
            return {"kind": "table", "columns": columns, "rows": rows, "truncated": True, "note": note}
        rows.append(row)
    return {"kind": "table", "columns": columns, "rows": rows, "truncated": False}


def _cut_long(cell: JsonValue) -> JsonValue:
    """One very long value must not be all that is left of a table."""
    if isinstance(cell, (dict, list)):
        text = json.dumps(cell, ensure_ascii=False)
        return cell if len(text) <= TABLE_CELL_CHARACTERS_MAX else _cut_long(text)
    if not isinstance(cell, str) or len(cell) <= TABLE_CELL_CHARACTERS_MAX:
        return cell
    return f"{cell[:TABLE_CELL_CHARACTERS_MAX]}… ({len(cell)} characters)"


def to_json(value: Any, depth: int = 0) -> JsonValue:
    """A cell as JSON: what JSON lacks becomes text, so that nothing is rounded on its way to the screen."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        # Beyond 2^53 a browser rounds.
        return value if -(2**53) < value < 2**53 else str(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, (bytes, bytearray)):
        return value[:TABLE_CELL_CHARACTERS_MAX].hex()
    if depth < NESTING_MAX:
        if hasattr(value, "asDict"):
            value = value.asDict()
        if isinstance(value, dict):
            return {str(name): to_json(inner, depth + 1) for name, inner in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [to_json(inner, depth + 1) for inner in value]
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "item") and type(value).__module__ == "numpy":
        return to_json(value.item(), depth + 1)
    return str(value)


def _is_pandas_frame(value: Any) -> bool:
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.startswith(("pandas.", "pyspark.pandas."))


def _pandas_table(frame: Any) -> TableOutput:
    columns: list[TableColumn] = [{"name": str(name), "type": str(kind)} for name, kind in frame.dtypes.items()]
    head = frame.head(TABLE_ROWS_MAX + 1)
    records = head.to_numpy() if "pyspark" in type(frame).__module__ else head.itertuples(index=False, name=None)
    return table_output(columns, records)


def _is_record(value: Any) -> bool:
    return (
        isinstance(value, dict) or (isinstance(value, tuple) and hasattr(value, "_fields")) or hasattr(value, "asDict")
    )


def _records_table(records: Iterable[Any]) -> TableOutput:
    """A list of dicts, named tuples or Rows, as `dbutils.fs.ls` gives it."""
    as_dicts = [_as_dict(record) for record in itertools.islice(records, TABLE_ROWS_MAX + 1)]
    names = list(dict.fromkeys(name for record in as_dicts for name in record))
    columns: list[TableColumn] = [{"name": str(name), "type": _common_type(as_dicts, name)} for name in names]
    return table_output(columns, ([record.get(name) for name in names] for record in as_dicts))


def _as_dict(record: Any) -> dict[Any, Any]:
    if isinstance(record, dict):
        return record
    as_dict: dict[Any, Any] = record.asDict() if hasattr(record, "asDict") else record._asdict()
    return as_dict


def _common_type(records: list[dict[Any, Any]], name: Any) -> str:
    kinds = {type(record[name]).__name__ for record in records if record.get(name) is not None}
    return kinds.pop() if len(kinds) == 1 else "object"


def _figure_image(figure: Any) -> ImageOutput | TextOutput:
    import io

    target = io.BytesIO()
    figure.savefig(target, format="png", bbox_inches="tight")
    _close_figure(figure)
    return image_output("image/png", target.getvalue())


def _close_figure(figure: Any) -> None:
    """A figure that was shown is not shown again at the end of the cell."""
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)


def _mime_bundle(value: Any) -> Mapping[str, Any]:
    for method, mime in (("_repr_png_", "image/png"), ("_repr_svg_", "image/svg+xml"), ("_repr_html_", "text/html")):
        represent = getattr(value, method, None)
        if callable(represent):
            form = represent()
            if form is not None:
                return {mime: form[0] if isinstance(form, tuple) else form}
    return {"text/plain": value if isinstance(value, str) else repr(value)}


def _as_text(output: NotebookOutput) -> str:
    """For the log of a task that is no notebook."""
    if output["kind"] == "table":
        lines = ["\t".join(column["name"] for column in output["columns"])]
        lines += ["\t".join(_cell_text(cell) for cell in row) for row in output["rows"]]
        return "\n".join(lines + [f"({output.get('note', 'more rows are not shown')})"] * output["truncated"])
    if output["kind"] == "text":
        return output["text"].rstrip("\n")
    if output["kind"] == "html":
        return output["html"]
    return f"({output['kind']})"


def _cell_text(cell: JsonValue) -> str:
    return cell if isinstance(cell, str) else "null" if cell is None else json.dumps(cell)
