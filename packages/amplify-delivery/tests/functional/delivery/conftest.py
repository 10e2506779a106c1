"""Project folders, as the unit tests have them."""

from unit.command_line import project

__all__ = ["project"]
