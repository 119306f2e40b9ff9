"""A stand-in for Headrace's catalog API: in memory, counts requests, fails on demand."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = "/api/2.1/unity-catalog"
TABLE_FIELDS = ("comment", "properties", "columns", "headrace", "view_definition", "owner")

Document = dict[str, Any]


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def missing(what: str) -> Refusal:
    return Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"{what} does not exist")


def taken(what: str) -> Refusal:
    return Refusal(409, "RESOURCE_ALREADY_EXISTS", f"{what} already exists")


class CatalogServer:
    """Holds schemas and tables; `faults` are taken one per request: "503", "drop" (not done, no answer), "lose" (done, no answer)."""

    def __init__(self, data_root: Path, token: str, catalogs: tuple[str, ...], page_size: int = 2) -> None:
        self.data_root, self.token, self.page_size = data_root, token, page_size
        self.catalogs: dict[str, Document] = {}
        self.schemas: dict[str, Document] = {}
        self.dropped: list[Document] = []
        self.volumes: dict[str, Document] = {}
        self.tables: dict[str, Document] = {}
        self.requests: list[str] = []
        self.bodies: list[Document] = []
        self.faults: list[str] = []
        self.refused_methods: set[str] = set()
        self.held_table = ""  # registering this table is never answered
        self.hold_reached = threading.Event()
        self.lock = threading.RLock()
        for catalog in catalogs:
            self.add_catalog({"name": catalog})
        handler = type("Handler", (CatalogHandler,), {"catalog": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def count(self, action: Callable[[], object]) -> list[str]:
        """The requests that `action` makes, as "METHOD path"."""
        with self.lock:
            self.requests.clear()
        action()
        with self.lock:
            return list(self.requests)

    @contextmanager
    def refusing(self, method: str) -> Iterator[None]:
        """Answers 503 to every request of this method."""
        self.refused_methods.add(method)
        try:
            yield
        finally:
            self.refused_methods.clear()

    def table(self, name: str) -> Document:
        return self.tables[name]

    def columns(self, name: str) -> list[str]:
        return [f"{c['name']} {c['type_text']}" for c in self.tables[name]["columns"]]

    # ── the API ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, method: str, path: str, query: dict[str, str], body: Document) -> Document:
        with self.lock:
            parts = path.removeprefix(ROOT).strip("/").split("/")
            name = unquote(parts[1]) if len(parts) > 1 else ""
            match (method, parts[0]):
                case ("POST", "api") if path.endswith("table-locations"):
                    return self.new_location(body["full_name"], body.get("storage_location", ""))
                case ("POST", "api"):
                    return self.undrop(body)
                case ("GET", "api"):
                    return self.page("tables", self.dropped, query)
                case (_, "catalogs"):
                    return self.answer_catalogs(method, name, query, body)
                case (_, "volumes"):
                    return self.answer_volumes(method, name, query, body)
                case ("POST", "schemas"):
                    return self.add_schema(body)
                case ("GET", "schemas") if name:
                    return self.schema(name)
                case ("GET", "schemas"):
                    return self.page(
                        "schemas",
                        [s for s in self.schemas.values() if s["catalog_name"] == query["catalog_name"]],
                        query,
                    )
                case ("PATCH", "schemas"):
                    self.schema(name).update(body)
                    return self.schema(name)
                case ("DELETE", "schemas"):
                    return self.drop_schema(name, query.get("force") == "true")
                case ("POST", "tables"):
                    return self.add_table(body)
                case ("GET", "tables") if name:
                    return self.find(name)
                case ("GET", "tables"):
                    schema = f"{query['catalog_name']}.{query['schema_name']}"
                    self.schema(schema)
                    found = [t for t in self.tables.values() if f"{t['catalog_name']}.{t['schema_name']}" == schema]
                    return self.page("tables", found, query)
                case ("PATCH", "tables"):
                    return self.change_table(name, body)
                case ("DELETE", "tables"):
                    self.find(name)
                    dropped = self.tables.pop(name)
                    if query.get("purge") != "true":
                        self.dropped.insert(0, dropped)
                    return {}
            raise Refusal(404, "ENDPOINT_NOT_FOUND", f"{method} {path}")

    def answer_catalogs(self, method: str, name: str, query: dict[str, str], body: Document) -> Document:
        if method == "POST":
            return self.add_catalog(body)
        if not name:
            return self.page("catalogs", list(self.catalogs.values()), query)
        if name not in self.catalogs:
            raise missing(f"Catalog {name}")
        if method == "PATCH":
            self.catalogs[name].update(body)
        if method == "DELETE":
            inside = [s for s in self.schemas if s.startswith(f"{name}.")]
            if inside != [f"{name}.default"] and query.get("force") != "true":
                raise Refusal(409, "RESOURCE_CONFLICT", f"Catalog {name} is not empty")
            for schema in inside:
                self.drop_schema(schema, force=True)
            return self.catalogs.pop(name)
        return self.catalogs[name]

    def answer_volumes(self, method: str, name: str, query: dict[str, str], body: Document) -> Document:
        if method == "POST":
            name = f"{body['catalog_name']}.{body['schema_name']}.{body['name']}"
            if name in self.volumes:
                raise taken(f"Volume {name}")
            self.volumes[name] = {"storage_location": f"/{name}", **body, "full_name": name, "owner": "someone"}
        if not name:
            schema = [query["catalog_name"], query["schema_name"]]
            return self.page("volumes", [v for n, v in self.volumes.items() if n.split(".")[:2] == schema], query)
        if name not in self.volumes:
            raise missing(f"Volume {name}")
        volume = self.volumes[name]
        if method == "DELETE":
            del self.volumes[name]
        if method == "PATCH":
            del self.volumes[name]
            volume.update({"name": body.get("new_name", volume["name"]), **body})
            self.volumes[f"{volume['catalog_name']}.{volume['schema_name']}.{volume['name']}"] = volume
        return volume

    def undrop(self, body: Document) -> Document:
        for table in self.dropped:
            if body.get("full_name") == table["full_name"] or body.get("table_id") == table["table_id"]:
                self.dropped.remove(table)
                self.tables[table["full_name"]] = table
                return table
        raise missing(f"A dropped table {body}")

    def add_catalog(self, body: Document) -> Document:
        if body["name"] in self.catalogs:
            raise taken(f"Catalog {body['name']}")
        self.catalogs[body["name"]] = {**body, "owner": "someone", "created_at": 1}
        self.add_schema({"catalog_name": body["name"], "name": "default"})
        return self.catalogs[body["name"]]

    def schema(self, name: str) -> Document:
        if name not in self.schemas:
            raise missing(f"Schema {name}")
        return self.schemas[name]

    def find(self, name: str) -> Document:
        if name not in self.tables:
            raise missing(f"Table {name}")
        return self.tables[name]

    def add_schema(self, body: Document) -> Document:
        name = f"{body['catalog_name']}.{body['name']}"
        if name in self.schemas:
            raise taken(f"Schema {name}")
        if "/forbidden" in body.get("storage_root", ""):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"storage_root: {body['storage_root']} is not allowed")
        self.schemas[name] = {"properties": {}, **body, "full_name": name, "owner": "someone"}
        return self.schemas[name]

    def drop_schema(self, name: str, force: bool) -> Document:
        self.schema(name)
        inside = [t for t in self.tables if t.rpartition(".")[0] == name]
        if inside and not force:
            raise Refusal(409, "RESOURCE_CONFLICT", f"Schema {name} is not empty")
        for table in inside:
            del self.tables[table]
        del self.schemas[name]
        return {}

    def add_table(self, body: Document) -> Document:
        schema = f"{body['catalog_name']}.{body['schema_name']}"
        self.schema(schema)
        name = f"{schema}.{body['name']}"
        assert name == name.lower(), f"{name} is not lower case"
        if name in self.tables:
            raise taken(f"Table {name}")
        self.tables[name] = {
            **body,
            "full_name": name,
            "owner": "someone",
            "created_at": 1,
            "table_id": secrets.token_hex(8),
        }
        return self.tables[name]

    def change_table(self, name: str, body: Document) -> Document:
        table = self.find(name)
        schema = f"{table['catalog_name']}.{body.get('new_schema_name', table['schema_name'])}"
        self.schema(schema)
        new_name = f"{schema}.{body.get('new_name', table['name'])}"
        if new_name != name and new_name in self.tables:
            raise taken(f"Table {new_name}")
        unknown = set(body) - {"new_name", "new_schema_name", *TABLE_FIELDS}
        if unknown:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"unknown fields {unknown}")
        table.update({field: body[field] for field in TABLE_FIELDS if field in body})
        table.update(schema_name=schema.partition(".")[2], name=new_name.rpartition(".")[2], full_name=new_name)
        self.tables[new_name] = self.tables.pop(name)
        return table

    def new_location(self, full_name: str, external: str) -> Document:
        catalog, schema, table = full_name.split(".")
        root = self.schema(f"{catalog}.{schema}").get("storage_root")
        if external:
            if "/forbidden" in external:
                raise Refusal(400, "INVALID_PARAMETER_VALUE", f"storage_location: {external} is not allowed")
            return {"location": external}
        if root:
            return {"location": f"{root}/__headrace/tables/{table}-{secrets.token_hex(4)}"}
        return {"location": str(self.data_root / "managed" / catalog / schema / f"{table}-{secrets.token_hex(4)}")}

    def page(self, field: str, found: list[Document], query: dict[str, str]) -> Document:
        start = int(query.get("page_token", "0"))
        page: Document = {field: found[start : start + self.page_size]}
        if start + self.page_size < len(found):
            page["next_page_token"] = str(start + self.page_size)
        return page


class CatalogHandler(BaseHTTPRequestHandler):
    catalog: CatalogServer
    protocol_version = "HTTP/1.1"

    def handle_request(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        url = urlsplit(self.path)
        with self.catalog.lock:
            self.catalog.requests.append(f"{self.command} {unquote(self.path)}")
            self.catalog.bodies.append(body)
            fault = self.catalog.faults.pop(0) if self.catalog.faults else ""
        if self.command == "POST" and body.get("name") == self.catalog.held_table:
            self.catalog.hold_reached.set()
            fault = "drop"
        if fault == "drop":
            self.close_connection = True
            return
        if fault == "503" or self.command in self.catalog.refused_methods:
            self.send(503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "starting"})
            return
        try:
            if self.headers.get("authorization") != f"Bearer {self.catalog.token}":
                raise Refusal(401, "UNAUTHENTICATED", "wrong token")
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            status, document = 200, self.catalog.answer(self.command, url.path, query, body)
        except Refusal as refusal:
            status, document = refusal.status, {"error_code": refusal.code, "message": refusal.message, "details": []}
        if fault == "lose":
            self.close_connection = True
            return
        self.send(status, document)

    def send(self, status: int, document: Document) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_request

    def log_message(self, *_: object) -> None:
        pass
