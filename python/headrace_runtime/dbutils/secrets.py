"""`dbutils.secrets`: refuses until the server keeps secrets, rather than hand out something that is none."""

from __future__ import annotations

from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Secrets(WithHelp):
    """Not supported yet."""

    def get(self, scope: str, key: str) -> NoReturn:
        """Not supported yet."""
        _refuse(f"secret {scope}/{key}")

    def getBytes(self, scope: str, key: str) -> NoReturn:
        """Not supported yet."""
        _refuse(f"secret {scope}/{key}")

    def list(self, scope: str) -> NoReturn:
        """Not supported yet."""
        _refuse(f"secret scope {scope}")

    def listScopes(self) -> NoReturn:
        """Not supported yet."""
        _refuse("secret scopes")


def _refuse(what: str) -> NoReturn:
    raise NotImplementedError(
        f"{what} cannot be read: Headrace does not keep secrets yet; "
        "until then set an environment variable in the cluster's spark_env_vars and read it with os.environ"
    )
