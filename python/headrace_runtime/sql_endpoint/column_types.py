"""Spark's types as clients are told them, and the SQL that turns a value of each into text."""

from __future__ import annotations

import re
from typing import Any

from .documents import ColumnDocument

NAMES = {
    "tinyint": "BYTE",
    "smallint": "SHORT",
    "int": "INT",
    "bigint": "LONG",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "STRING",
    "binary": "BINARY",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP",
    "void": "NULL",
    "variant": "STRING",
}
COMPLEX = {"array": "ARRAY", "map": "MAP", "struct": "STRUCT"}
# Of what Arrow from Spark has no form for.
WITHOUT_ARROW = ("interval", "variant", "void")
_MILLISECONDS = r"(\\.\\d{3})000"


def describe_column(position: int, field: Any) -> ColumnDocument:
    """@param field: a StructField."""
    text = field.dataType.simpleString()
    root = re.split(r"[<(\s]", text, maxsplit=1)[0]
    precision = scale = interval = None
    if root == "decimal":
        precision, scale = field.dataType.precision, field.dataType.scale
    if root == "interval":
        interval = text.removeprefix("interval").strip().upper() or None
    name = COMPLEX.get(root) or NAMES.get(root)
    if name is None:
        others = {"decimal": "DECIMAL", "interval": "INTERVAL", "char": "CHAR", "varchar": "STRING"}
        name = others.get(root, "USER_DEFINED_TYPE" if root == "udt" else "STRING")
    return {
        "name": field.name,
        "position": position,
        "type_text": _type_text(text),
        "type_name": name,
        "precision": precision,
        "scale": scale,
        "interval_type": interval,
        "nullable": field.nullable,
    }


def _type_text(text: str) -> str:
    """As SQL writes it: names of fields keep their letters."""
    if "<" not in text:
        return text.upper()
    return re.sub(r"(?<=[<,:])[a-z_]+(?=[<>,(]|$)|^[a-z]+", lambda match: match[0].upper(), text)


def to_text(column: str, type_text: str) -> str:
    """SQL that makes a value a text, as a JSON_ARRAY has it; `column` is a quoted name."""
    root = re.split(r"[<(\s]", type_text.lower(), maxsplit=1)[0]
    if root in ("string", "char", "varchar"):
        return column
    if root == "binary":
        return f"base64({column})"
    if root in ("timestamp", "timestamp_ntz"):
        zone = "XXX" if root == "timestamp" else ""
        formatted = f"date_format({column}, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS{zone}\")"
        return f"regexp_replace({formatted}, '{_MILLISECONDS}', '$1')"
    if root in COMPLEX or root == "variant":
        return f"to_json({column}, map('ignoreNullFields', 'false'))"
    return f"cast({column} as string)"


def needs_text(type_text: str, *, complex_as_text: bool) -> bool:
    """Whether a column goes as text into an Arrow result."""
    text = type_text.lower()
    if any(re.search(rf"\b{name}\b", text) for name in WITHOUT_ARROW):
        return True
    return complex_as_text and text.startswith(tuple(COMPLEX))
