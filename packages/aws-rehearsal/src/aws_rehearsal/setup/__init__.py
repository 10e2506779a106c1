"""What a bare machine lacks: the engine, the local AWS, Node and the Python environments.

`ensure_all` makes what is missing, `tools` only says where it is. Standard library only: this package runs
under the system's Python, before the project's own environment exists.
"""

from __future__ import annotations

from aws_rehearsal.setup.tools import Tools, ensure_all, tools

__all__ = ["Tools", "ensure_all", "tools"]
