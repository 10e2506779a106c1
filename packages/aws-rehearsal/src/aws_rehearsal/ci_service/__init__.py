"""A CI in the place of GitHub Actions and GitLab CI: runs the jobs of a team's own file, command by command, and signs
tokens for them. It knows no AWS and no credentials: what a job is let in for, the accounts decide by its token.
"""

from __future__ import annotations

from aws_rehearsal.ci_service.jobs import (
    Job,
    JobFailedError,
    NotPlayedError,
    Push,
    Ran,
    Runner,
    changed_files,
    checked_out,
)
from aws_rehearsal.ci_service.tokens import Issuer

__all__ = ["Issuer", "Job", "JobFailedError", "NotPlayedError", "Push", "Ran", "Runner", "changed_files", "checked_out"]
