"""Who is asking: a role and the claims of a verified token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

ClaimValue: TypeAlias = "str | int | float | bool | None | list[ClaimValue] | dict[str, ClaimValue]"

ANON = "anon"
AUTHENTICATED = "authenticated"
SERVICE_ROLE = "service_role"

#: The roles that exist without being created in `policies.sql`.
BUILT_IN_ROLES = frozenset({ANON, AUTHENTICATED, SERVICE_ROLE})


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. `claims` is empty for a request without a token."""

    role: str
    claims: Mapping[str, ClaimValue] = field(default_factory=lambda: MappingProxyType({}))

    def claim(self, path: tuple[str, ...]) -> ClaimValue:
        """Return the claim at `path` (`("app_metadata", "team")`), None where there is none."""
        if not path:
            return dict(self.claims)
        value = self.claims.get(path[0])
        for key in path[1:]:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value


ANONYMOUS = Identity(ANON)
