"""`make rehearse`: from three empty accounts to a pipeline that delivers, changes itself, fails, and is told no.

The commands are those that a team types, the pipeline is the declared one, its builds run the declared buildspecs.
"""

from __future__ import annotations

from amplify_delivery_rehearsal.pipeline_story.telling import run

__all__ = ["run"]
