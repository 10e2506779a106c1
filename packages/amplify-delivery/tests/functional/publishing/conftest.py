"""Assemblies of the small real exports, as the unit tests have them."""

from unit.publishing.conftest import full, own_cache, todo

__all__ = ["full", "own_cache", "todo"]
