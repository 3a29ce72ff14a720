"""Under which key a collection is kept, and what identifies its resources."""

from __future__ import annotations

from dataclasses import dataclass

from ._border import native
from ._settings import Schema


@dataclass(frozen=True)
class ResourceConfig:
    """One sort of collection: the prefix of its cache keys, and the pointer to a resource's id.

    >>> DNS_ZONES.cache_key("project-1")
    'dns-zones:project-1'
    """

    key_prefix: str
    identifier: str

    def cache_key(self, *arguments: str) -> str:
        """The key of one collection. No two lists of arguments give the same."""
        return native.cache_key(self.key_prefix, list(arguments))

    def schema(self) -> Schema:
        """The schema of this sort's resources."""
        return Schema(id=self.identifier)


PROJECTS = ResourceConfig("projects", "/name")
DNS_ZONES = ResourceConfig("dns-zones", "/id")
DOMAINS = ResourceConfig("domains", "/id")
DNS_RECORDS = ResourceConfig("dns-records", "/id")


def lifecycle_diagram() -> str:
    """The lifecycle of an operation as a Mermaid diagram."""
    return native.lifecycle_diagram()
