"""Project folders, as the unit tests have them."""

from unit.delivery.conftest import project

__all__ = ["project"]
