"""`dbutils.credentials`: roles of a cloud, of which there are none here."""

from __future__ import annotations

from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Credentials(WithHelp):
    """Not supported: roles belong to a cloud provider."""

    def assumeRole(self, role: str) -> NoReturn:
        """Not supported."""
        raise NotImplementedError(f"role {role} cannot be assumed: Headrace knows no cloud roles")

    def getServiceCredentialsProvider(self, credential: str) -> NoReturn:
        """Not supported."""
        raise NotImplementedError(
            f"there is no service credential {credential}: keep the cloud's keys in a secret, and hand them to its library"
        )

    def showCurrentRole(self) -> list[str]:
        """No role."""
        return []

    def showRoles(self) -> list[str]:
        """No roles."""
        return []
