"""Workflows for a CI of the team's own, which `init --ci` writes: the texts in `workflows/` beside this file.

`BRANCH`, `ENV`, `TIER` and `NEEDS` in them stand for the branch, an environment, its tier, and what comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from amplify_delivery.components.documents.web_identity import GITLAB_COMPONENTS, tier_of

GITHUB, GITLAB = "github", "gitlab"
KINDS = (GITHUB, GITLAB)
GITLAB_INCLUDED = ".gitlab/backend.gitlab-ci.yml"
"""What .gitlab-ci.yml has to include."""

_TEXTS = Path(__file__).parent / "workflows"
_LOCK = Path(__file__).parent / "requirements.lock"


def files(kind: str, delivered: Sequence[str] = (), branch: str = "main") -> Mapping[str, str]:
    """The texts of the workflows, by their paths in the project. `kind` is one of `KINDS`; what is on `branch` goes to
    the environments `delivered`, in that order."""
    if kind == GITLAB:
        return {
            GITLAB_INCLUDED: "".join(
                (
                    _text("gitlab/backend.yml"),
                    _text("gitlab/preview.yml").replace("PULUMI_VERSION", _engines_version()),
                    _deploy("gitlab", delivered, branch, "backend-"),
                )
            ),
            ".gitlab-ci.yml": _text("gitlab/root.yml"),
        }
    deploy = _deploy("github", delivered, branch, "")
    texts = {"plan": _text("github/plan.yml"), "preview": _text("github/preview.yml")}
    texts |= {"deploy": deploy} if deploy else {}
    return {f".github/workflows/backend-{name}.yml": text for name, text in texts.items()}


def signing(host: str, project_id: str) -> str:
    """The command that has a project of GitLab sign what its accounts ask for, for one of its maintainers. And nobody
    who starts a pipeline by hand may give variables, which reach every job, those with tokens too; nor can the pipeline
    of a fork's merge request be run in the project, with the fork's YAML."""
    components = " ".join(f"--data 'ci_id_token_sub_claim_components[]={name}'" for name in GITLAB_COMPONENTS)
    return (
        f'curl --fail --request PUT --header "PRIVATE-TOKEN: $TOKEN" {components} '
        "--data ci_pipeline_variables_minimum_override_role=no_one_allowed "
        "--data ci_allow_fork_pipelines_to_run_in_parent_project=false "
        f"https://{host}/api/v4/projects/{project_id}"
    )


def _deploy(folder: str, delivered: Sequence[str], branch: str, prefix: str) -> str:
    """The part that delivers; empty if nothing is to be delivered."""
    parts = [_text(f"{folder}/deploy.yml")] if delivered else []
    before = f"{prefix}build"
    for name in delivered:
        each = _text(f"{folder}/deploy_environment.yml").replace("NEEDS", before).replace("TIER", tier_of(name))
        parts.append(each.replace("ENV", name))
        before = f"{prefix}build, {prefix}deploy-{name}"
    # Not within the name of a variable, as in $CI_COMMIT_BRANCH.
    return re.sub(r"\bBRANCH\b", lambda _: branch, "".join(parts))


def _engines_version() -> str:
    """That of the engine's Python package, which new projects lock."""
    found = re.search(r"(?m)^pulumi==(\S+)", _LOCK.read_text(encoding="utf-8"))
    assert found  # noqa: S101 - it is in our own lock
    return found[1]


def _text(name: str) -> str:
    return (_TEXTS / name).read_text(encoding="utf-8")
