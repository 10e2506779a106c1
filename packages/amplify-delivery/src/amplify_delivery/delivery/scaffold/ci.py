"""Workflows for a CI of the team's own, which `init --ci` writes: the texts in `workflows/` beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

GITHUB, GITLAB = "github", "gitlab"
KINDS = (GITHUB, GITLAB)
GITLAB_INCLUDED = ".gitlab/backend.gitlab-ci.yml"
"""What .gitlab-ci.yml has to include."""

_TEXTS = Path(__file__).parent / "workflows"
_FILES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        GITHUB: {".github/workflows/backend-plan.yml": "github/plan.yml"},
        GITLAB: {GITLAB_INCLUDED: "gitlab/backend.yml", ".gitlab-ci.yml": "gitlab/root.yml"},
    }
)


def files(kind: str) -> Mapping[str, str]:
    """The texts of the workflows, by their paths in the project. `kind` is one of `KINDS`."""
    return {path: _text(name) for path, name in _FILES[kind].items()}


def _text(name: str) -> str:
    return (_TEXTS / name).read_text(encoding="utf-8")
