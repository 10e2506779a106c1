"""Project folders, as tests of commands and of what they share have them."""

from unit.command_line import project

__all__ = ["project"]
