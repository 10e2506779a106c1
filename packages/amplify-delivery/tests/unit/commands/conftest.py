"""Project folders, as the tests of what commands share have them."""

from unit.delivery.conftest import project

__all__ = ["project"]
