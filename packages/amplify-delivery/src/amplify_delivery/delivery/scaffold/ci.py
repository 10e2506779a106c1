"""Workflows for a CI of the team's own, which `init --ci` writes: the texts in `workflows/` beside this file.

`BRANCH`, `ENV`, `TIER` and `NEEDS` in them stand for the branch, an environment, its tier, and what comes before it.

A CI reads its files at the root of the repository. Where the project is a folder of it, they are written there under
names of this app's own, and their jobs work in the folder: there may be other apps beside it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.components.documents.pipeline.buildspecs import LOCK
from amplify_delivery.components.documents.web_identity import GITLAB_COMPONENTS, tier_of

GITHUB, GITLAB = "github", "gitlab"
KINDS = (GITHUB, GITLAB)
GITLAB_INCLUDED = ".gitlab/backend.gitlab-ci.yml"
"""What .gitlab-ci.yml has to include."""

_TEXTS = Path(__file__).parent / "workflows"
_LOCK = Path(__file__).parent / LOCK


@dataclass(frozen=True)
class Inside:
    """Where in its repository a project of the app `app` lies: in `folder`, relative to the root."""

    app: str
    folder: str

    @property
    def up(self) -> str:
        """The way from the project to the root."""
        return "../" * len(self.folder.split("/"))


def files(
    kind: str, delivered: Sequence[str] = (), branch: str = "main", inside: Inside | None = None
) -> Mapping[str, str]:
    """The texts of the workflows, by their paths relative to the project. `kind` is one of `KINDS`; what is on `branch`
    goes to the environments `delivered`, in that order. `inside` is None for a project at its repository's root."""
    up = inside.up if inside else ""
    if kind == GITLAB:
        included = "".join(
            (
                _text("gitlab/backend.yml"),
                _text("gitlab/preview.yml").replace("PULUMI_VERSION", _engines_version()),
                _deploy("gitlab", delivered, branch, "backend-"),
            )
        )
        root = _text("gitlab/root.yml")
        if inside:
            included, root = _gitlab_inside(included, inside), _gitlab_names(root, inside)
        return {f"{up}{gitlab_included(inside)}": included, f"{up}.gitlab-ci.yml": root}
    deploy = _deploy("github", delivered, branch, "")
    texts = {"plan": _text("github/plan.yml"), "preview": _text("github/preview.yml")}
    texts |= {"deploy": deploy} if deploy else {}
    return {
        f"{up}{github_workflow(name, inside)}": _github_inside(text, name, inside) if inside else text
        for name, text in texts.items()
    }


def github_workflow(name: str, inside: Inside | None = None) -> str:
    """The file of one of GitHub's workflows, in the repository."""
    return f".github/workflows/backend-{name}{f'-{inside.app}' if inside else ''}.yml"


def gitlab_included(inside: Inside | None = None) -> str:
    """What .gitlab-ci.yml has to include, in the repository."""
    return f".gitlab/backend-{inside.app}.gitlab-ci.yml" if inside else GITLAB_INCLUDED


def gitlab_stages(inside: Inside | None = None) -> tuple[str, ...]:
    """The stages that .gitlab-ci.yml has to have."""
    between = f"{inside.app}-" if inside else ""
    return tuple(f"backend-{between}{what}" for what in ("plan", "preview", "deploy"))


def _github_inside(text: str, name: str, inside: Inside) -> str:
    """A workflow whose jobs work in a folder. Only what delivers is left out where nothing of the folder has changed: a
    plan that does not run would hold up whatever requires it."""
    app, folder = inside.app, inside.folder
    text = text.replace("name: Backend,", f"name: Backend {app},", 1).replace(
        "group: backend-", f"group: backend-{app}-"
    )
    text = _own_comment(text, app)
    if name == "deploy":
        paths = json.dumps([f"{folder}/**", github_workflow(name, inside)])
        text = re.sub(r"(?m)^(    branches: .*)$", lambda found: f"{found[1]}\n    paths: {paths}", text, count=1)
    defaults = f"defaults:\n  run:\n    working-directory: {json.dumps(folder)}\n"
    return text.replace("\njobs:\n", f"\n{defaults}jobs:\n", 1)


def _gitlab_inside(text: str, inside: Inside) -> str:
    """As `_github_inside`, for GitLab's jobs."""
    folder = inside.folder
    text = _own_comment(_gitlab_names(text, inside), inside.app)
    enter = f"cd {shlex.quote(folder)}"
    # A name with spaces may hold what YAML takes for a comment, or for a key.
    line = enter if enter == f"cd {folder}" else json.dumps(enter, ensure_ascii=False)
    text = text.replace("  before_script:\n", f"  before_script:\n    - {line}\n")
    text = re.sub(r"(?m)^(    - if: \$CI_COMMIT_BRANCH == \"(?!\$).*)$", _changes(folder), text)

    def below(found: re.Match[str]) -> str:
        return f"paths: {json.dumps([f'{folder}/{path.strip()}' for path in found[1].split(',')])}"

    return re.sub(r"paths: \[(.*)\]", below, text)


def _changes(folder: str) -> str:
    pattern = json.dumps([f"{folder}/**/*"]).replace("\\", "\\\\")
    return rf"\1\n      changes: {pattern}"


def _gitlab_names(text: str, inside: Inside) -> str:
    """With names of the app's own for jobs and stages."""
    text = re.sub(r"\bbackend-(build|plan|preview|deploy)\b", rf"backend-{inside.app}-\1", text)
    text = re.sub(r"(?<=[ \n])\.backend(?=[:\n])", f".backend-{inside.app}", text)
    return text.replace(GITLAB_INCLUDED, gitlab_included(inside))


def _own_comment(text: str, app: str) -> str:
    """A pull request gets a comment for each app: found again by its first line, which is put in front of the plan."""
    own = f"<!-- amplify-delivery plan of {app} -->"
    text = text.replace("<!-- amplify-delivery plan -->", own)
    github, gitlab = "          text = pathlib.Path(sys.argv[1])", "          plan = file.read()[:900000]"
    for line in (line for line in text.splitlines() if line.startswith((github, gitlab))):
        name = line.split()[0]
        again = f'{line[: len(line) - len(line.lstrip())]}{name} = "{own}\\n" + {name}.removeprefix("{own}\\n")'
        text = text.replace(line, f"{line}\n{again}")
    return text


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
    named = _pattern(branch) if folder == GITHUB else branch
    # Not within the name of a variable, as in $CI_COMMIT_BRANCH.
    return re.sub(r"\bBRANCH\b", lambda _: named, "".join(parts))


def _pattern(branch: str) -> str:
    """A branch as GitHub's filter has it: `1.10` is a number to YAML, `a,b` in a list are two, and `+` and `!` mean
    something in a filter."""
    if re.fullmatch(r"[A-Za-z][\w./-]*", branch) and branch.lower() not in ("true", "false", "null"):
        return branch
    return json.dumps(re.sub(r"[+!]", r"\\\g<0>", branch), ensure_ascii=False)


def _engines_version() -> str:
    """That of the engine's Python package, which new projects lock."""
    found = re.search(r"(?m)^pulumi==(\S+)", _LOCK.read_text(encoding="utf-8"))
    assert found  # noqa: S101 - it is in our own lock
    return found[1]


def _text(name: str) -> str:
    return (_TEXTS / name).read_text(encoding="utf-8")
