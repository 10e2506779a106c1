"""`amplify-delivery rehearse` of a project that a CI delivers: the jobs of its own workflow, command by command.

The accounts let them in by the tokens of their jobs, as they would on AWS; nothing of the project is another one.
"""

from __future__ import annotations

from amplify_delivery_rehearsal.ci_story.declared import is_delivered_by_ci
from amplify_delivery_rehearsal.ci_story.telling import run

__all__ = ["is_delivered_by_ci", "run"]
