"""`dbutils.secrets`: values that the run's owner may read. What is read is hidden from then on in all that is kept."""

from __future__ import annotations

import base64
from collections import namedtuple

from .. import known_secrets
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ..context import TaskContext

    # Spelt here, where `list` is not yet a method.
    Keys: TypeAlias = "list[SecretMetadata]"
    Scopes: TypeAlias = "list[SecretScope]"


class SecretMetadata(namedtuple("SecretMetadata", ["key"])):
    """The key of a secret."""

    __slots__ = ()

    def getKey(self) -> str:
        return str(self.key)


class SecretScope(namedtuple("SecretScope", ["name"])):
    """A scope."""

    __slots__ = ()

    def getName(self) -> str:
        return str(self.name)


class Secrets(WithHelp):
    """Secrets: passwords and keys that are kept out of code and logs."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context

    def get(self, scope: str, key: str) -> str:
        """The value of a secret as text."""
        value = self._read(scope, key)
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError(
                f"secret {scope}/{key} is no text: read it with dbutils.secrets.getBytes({scope!r}, {key!r})"
            ) from None

    def getBytes(self, scope: str, key: str) -> bytes:
        """The value of a secret as bytes."""
        return self._read(scope, key)

    def list(self, scope: str) -> Keys:
        """The keys of a scope, without values."""
        _check_name("list", "scope", scope)
        answer = self._ask("list", {"scope": scope})
        return [SecretMetadata(secret["key"]) for secret in answer.get("secrets", [])]

    def listScopes(self) -> Scopes:
        """All scopes."""
        return [SecretScope(scope["name"]) for scope in self._ask("scopes/list", {}).get("scopes", [])]

    def _read(self, scope: str, key: str) -> bytes:
        _check_name("get", "scope", scope)
        _check_name("get", "key", key)
        value = base64.b64decode(self._ask("get", {"scope": scope, "key": key})["value"])
        known_secrets.learn(value)
        return value

    def _ask(self, what: str, query: dict[str, str]) -> Any:
        from ..api_client import ApiError, get_json

        try:
            return get_json(self._context, f"/api/2.0/secrets/{what}", query)
        except ApiError as error:
            kind = {"PERMISSION_DENIED": PermissionError, "RESOURCE_DOES_NOT_EXIST": ValueError}
            raise kind.get(error.code, RuntimeError)(str(error)) from None


def _check_name(method: str, name: str, text: object) -> None:
    if not isinstance(text, str) or not text:
        raise ValueError(f"secrets.{method}: {name} is a text that is not empty, not a {type(text).__name__}")
