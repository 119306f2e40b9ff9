"""Volumes, files, dbfs and tables through the Python SDK."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError, NotFound, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.service import catalog

# Beyond it the SDK tries uploads in parts first.
PARTS_FROM_BYTES = 50 * 2**20


@pytest.fixture(scope="module")
def schema(workspace: WorkspaceClient) -> Iterator[str]:
    workspace.schemas.create("files_sdk", catalog_name="dev")
    yield "files_sdk"
    workspace.schemas.delete("dev.files_sdk", force=True)


@pytest.fixture(scope="module")
def volume(workspace: WorkspaceClient, schema: str) -> str:
    made = workspace.volumes.create("dev", schema, "landing", catalog.VolumeType.MANAGED, comment="raw")
    return f"/Volumes/{(made.full_name or '').replace('.', '/')}"


def test_volumes_come_and_go(workspace: WorkspaceClient, schema: str) -> None:
    volumes = workspace.volumes
    made = volumes.create("dev", schema, "passing", catalog.VolumeType.MANAGED)
    assert (made.volume_type, made.full_name) == (catalog.VolumeType.MANAGED, f"dev.{schema}.passing")
    assert volumes.read(made.full_name or "").volume_id == made.volume_id
    with pytest.raises(ResourceAlreadyExists):
        volumes.create("dev", schema, "passing", catalog.VolumeType.MANAGED)

    renamed = volumes.update(made.full_name or "", new_name="renamed", comment="x")
    assert (renamed.name, renamed.comment) == ("renamed", "x")
    assert "renamed" in [each.name for each in volumes.list("dev", schema)]
    volumes.delete(f"dev.{schema}.renamed")
    with pytest.raises(ResourceDoesNotExist):
        volumes.read(f"dev.{schema}.renamed")


def test_files_are_written_read_and_listed(workspace: WorkspaceClient, volume: str) -> None:
    files = workspace.files
    files.create_directory(f"{volume}/a/b")
    files.upload(f"{volume}/a/b/x y%.txt", io.BytesIO(b"one"))
    files.upload(f"{volume}/a/b/x y%.txt", io.BytesIO(b"two"), overwrite=True)
    with pytest.raises(ResourceAlreadyExists):
        files.upload(f"{volume}/a/b/x y%.txt", io.BytesIO(b"three"), overwrite=False)

    downloaded = files.download(f"{volume}/a/b/x y%.txt")
    assert downloaded.contents is not None
    assert (downloaded.content_length, downloaded.contents.read()) == (3, b"two")
    assert files.get_metadata(f"{volume}/a/b/x y%.txt").content_length == 3
    listed = list(files.list_directory_contents(f"{volume}/a"))
    assert [(each.name, each.is_directory, each.path) for each in listed] == [("b", True, f"{volume}/a/b")]

    files.delete(f"{volume}/a/b/x y%.txt")
    files.delete_directory(f"{volume}/a/b")
    with pytest.raises(NotFound):
        files.get_metadata(f"{volume}/a/b/x y%.txt")
    with pytest.raises(NotFound):
        files.get_directory_metadata(f"{volume}/a/b")
    with pytest.raises(DatabricksError):
        files.upload("/Volumes/dev/files_sdk/none/x", io.BytesIO(b""))


def test_a_file_that_the_sdk_would_send_in_parts_is_sent_whole(workspace: WorkspaceClient, volume: str) -> None:
    content = os.urandom(2**20) * 51
    assert len(content) > PARTS_FROM_BYTES

    workspace.files.upload(f"{volume}/large", io.BytesIO(content), overwrite=True)

    downloaded = workspace.files.download(f"{volume}/large").contents
    assert downloaded is not None
    assert downloaded.read() == content
    workspace.files.delete(f"{volume}/large")


def test_dbfs_takes_files_and_folders(workspace: WorkspaceClient, volume: str, tmp_path: Path) -> None:
    dbfs = workspace.dbfs
    content = os.urandom(2**20 + 17)
    dbfs.mkdirs("/sdk/deep")
    dbfs.upload("/sdk/deep/x", io.BytesIO(content))
    with dbfs.open("/sdk/deep/y", write=True, overwrite=True) as opened:
        opened.write(b"written")

    assert dbfs.download("/sdk/deep/x").read() == content
    assert [each.path for each in dbfs.list("/sdk", recursive=True)] == ["/sdk/deep/x", "/sdk/deep/y"]
    assert dbfs.get_status("/sdk/deep/y").file_size == len(b"written")
    assert dbfs.exists("/sdk/deep/x")
    assert not dbfs.exists("/sdk/none")
    dbfs.delete("/sdk", recursive=True)
    assert not dbfs.exists("/sdk")


def test_tables_are_found_dropped_and_told_by_their_folder(workspace: WorkspaceClient, schema: str) -> None:
    api = workspace.api_client
    document = {"catalog_name": "dev", "schema_name": schema, "name": "t", "table_type": "MANAGED"}
    columns = [{"name": "id", "type_text": "bigint", "type_name": "LONG", "position": 0}]
    api.do("POST", "/api/2.1/unity-catalog/tables", body={**document, "columns": columns})
    full_name = f"dev.{schema}.t"

    table = workspace.tables.get(full_name)
    assert (table.table_type, [each.name for each in table.columns or []]) == (catalog.TableType.MANAGED, ["id"])
    assert [each.name for each in workspace.tables.list("dev", schema)] == ["t"]
    assert workspace.tables.exists(full_name).table_exists
    credentials = workspace.temporary_table_credentials.generate_temporary_table_credentials(
        table_id=table.table_id, operation=catalog.TableOperation.READ
    )
    assert credentials.url == f"file://{table.storage_location}"
    assert list(workspace.functions.list("dev", schema)) == []

    workspace.tables.delete(full_name)
    assert not workspace.tables.exists(full_name).table_exists
    api.do("POST", "/api/headrace/dropped-tables/undrop", body={"full_name": full_name})
    assert workspace.tables.get(full_name).table_id == table.table_id
