"""Copies of exports, as the tests of exports have them."""

from unit.export.conftest import export_copy

__all__ = ["export_copy"]
