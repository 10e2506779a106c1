"""What is left to do once `init` has written a project: notes for a person, and the commands that come next."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from amplify_delivery.components.documents.pipeline.buildspecs import INSTALLING
from amplify_delivery.delivery.scaffold import ci, project_files
from amplify_delivery.delivery.scaffold.amplify_project import Found
from amplify_delivery.delivery.scaffold.project_files import REQUIREMENTS, WHEELS, NewProject
from amplify_delivery.delivery.scaffold.wheels import Wheel
from amplify_delivery.export import check, read_export
from amplify_delivery.export.names import is_amplifys
from amplify_delivery.stacks.config import AccountConfig, Project
from amplify_delivery.stacks.config.reader import read_yaml


def notes(project: NewProject, found: Found, folder: Path, wheel: Wheel, pushed: Mapping[str, str]) -> list[str]:
    """What a person has to know of a project as it was written: sentences, each with what to do. `pushed` are the
    environments that `amplify push` has made, with their root stacks."""
    told = [
        f"{name} is there already: `amplify push` has made {stack}. It is not made twice: "
        f"`amplify-delivery adopt {name}` takes it over as it runs (docs/adopting.md)"
        for name, stack in pushed.items()
    ]
    told += [
        f"Pulumi.{environment.name}.yaml was there already: what a pipeline delivers to needs "
        f'`{project.name}:bootstrapped: "true"` in it'
        for environment in project.environments
        if environment.delivered
        and not environment.account
        and not Project(folder).environment(environment.name).bootstrapped
    ]
    told += [
        f"no stage of Pulumi.{stack}.yaml names {environment.name}: write it there, when its account has let it in"
        for stack in Project(folder).stacks("pipeline")
        for environment in project.environments
        if environment.delivered and environment.name not in Project(folder).pipeline(stack).environments
    ]
    told += [
        f"{environment.name}: `amplify env add` and `amplify init` take 2 to 10 lower-case letters, no digits. Take "
        "such a name if somebody works in this environment with the Amplify CLI, too"
        for environment in project.environments
        if not is_amplifys(environment.name)
    ]
    told += project_files.about_ignored(project_files.text_of(folder / ".gitignore"))
    if found.export is not None:
        refused = sorted({f.id for f in check(read_export(found.export)) if f.severity == "refused"})
        if refused:
            told.append(
                f"the export cannot be delivered as it is ({', '.join(refused)}), and the project's tests say so too: "
                "`amplify-delivery check` tells what to do"
            )
    told += _ci_notes(project, folder) if project.ci else []
    if project.pipeline:
        told.append(
            "AWS's build images hold no Pulumi: fill in `engine` in Pulumi.pipeline.yaml, or name an image that has it"
        )
    engine = project_files.engine_of(folder)
    if engine is None:
        told.append(f"{REQUIREMENTS} names no engine: add the line ./{WHEELS}/{wheel.file}, and lock again (README.md)")
    elif Path(engine).name != wheel.file:
        told.append(f"the project has {Path(engine).name}, this is {wheel.version}: `amplify-delivery upgrade`")
    return told


def commands(wanted: NewProject, found: Found, folder: Path, pushed: Collection[str], *, here: Path) -> list[str]:
    """The lines that come next, typed `here`, for the project as it is now: where only a CI was asked for, only the
    CI's. Lines that begin with `#` say what no command does."""
    project = Project(folder)
    if wanted.there and wanted.ci:
        going = _into(folder, here) + _ci_steps(project, pushed)
        return going or ["# commit and push: the next pull request gets its plan (docs/pull-requests.md)"]
    environments = {name: project.environment(name) for name in project.stacks("backend")}
    # The pattern of previews is disposable, and stays empty.
    personal = [name for name, found in environments.items() if not (found.bootstrapped or found.disposable)]
    delivered = [name for name, found in environments.items() if found.bootstrapped]
    there = shlex.quote(str(folder.resolve()))
    lines = _into(folder, here)
    if found.export is None and not list(folder.glob("amplify-export-*")):
        source = shlex.quote(str(found.amplify.resolve())) if found.amplify else ""
        exporting = f"amplify export --out {there}"
        lines.append(f"(cd {source} && {exporting})" if source else f"{exporting}  # in the Amplify project")
    lines += _rehearsal(project, folder)
    lines += [
        "python3 -m venv .venv && . .venv/bin/activate",
        INSTALLING,
        "python -m pytest tests",
        "amplify-delivery check",
    ]
    if personal or not delivered:
        lines.append("# once: `pulumi login --local`, or wherever the state is to be kept (docs/getting-started.md)")
    if personal:
        asked = [environment.name for environment in wanted.environments if environment.name in personal]
        lines.append(_first_delivery((asked or personal)[0], project, pushed))
    elif not delivered:
        setting = " && ".join(f"pulumi config set {key} {key.upper()}" for key in ("account", "region"))
        lines.append(f"pulumi stack init ENV && {setting} && pulumi up")
    lines += _ci_steps(project, pushed)
    for stack in project.stacks("pipeline"):
        pipeline = project.pipeline(stack)
        lines += [
            f"amplify-delivery setup --account {pipeline.account} --region {pipeline.region}  # tooling account; then",
            "# the two lines that it prints, and as the administrator of each account that is delivered to:",
            f"amplify-delivery bootstrap {' '.join(pipeline.environments)}",
            *_adoptions(pipeline.environments, pushed),
            "# commit and push all of it, the stack files with what that has written into them; then:",
            f"pulumi up -s {stack}  # tooling account",
        ]
    return lines


def _first_delivery(name: str, project: Project, pushed: Collection[str]) -> str:
    """The command for one of a developer's own. What the engine has written into its file besides says that it knows
    the stack."""
    if name in pushed:
        return f"amplify-delivery adopt {name}"
    known = not read_yaml(project.file(name)).keys() <= {"config"}
    return f"pulumi up -s {name}" if known else f"pulumi stack init {name} && pulumi up -s {name}"


def _rehearsal(project: Project, folder: Path) -> list[str]:
    """The command that plays all of it on this machine, where it is installed; by the very installation that runs,
    since the project's lock holds the engine alone."""
    exports = [path.name for path in sorted(folder.glob("amplify-export-*"))]
    if not exports or not metadata.entry_points(group="amplify_delivery.commands", name="rehearse"):
        return []
    played = "" if project.stacks("pipeline") or project.stacks("account") else f" {shlex.quote(exports[0])}"
    return [f"amplify-delivery rehearse{played}  # all of it on this machine first, without an AWS account"]


def _ci_notes(project: NewProject, folder: Path) -> list[str]:
    """What the workflows of a CI need beside."""
    notes = []
    included, up = ci.gitlab_included(project.inside), project.inside.up if project.inside else ""
    if project.ci == ci.GITLAB and included not in project_files.text_of(folder / f"{up}.gitlab-ci.yml"):
        stages = ", ".join(ci.gitlab_stages(project.inside))
        notes.append(
            f".gitlab-ci.yml was there already: include `local: {included}` in it, and add its stages {stages}"
        )
    if not any(Project(folder).environment(n).bootstrapped for n in Project(folder).stacks("backend")):
        again = f"remove {included} and run this command again" if project.ci == ci.GITLAB else "run this command again"
        notes.append(
            f'no stack file says `{project.name}:bootstrapped: "true"`, so no job delivers; for jobs that do, '
            f"write the stack files as docs/ci.md has them, then {again}"
        )
    shut = _not_let_in(Project(folder), project.ci)
    if shut:
        notes.append(
            f"no account's file lets the jobs of {'GitHub' if project.ci == ci.GITHUB else 'GitLab'} in for "
            f"{', '.join(shut)}, so those that deliver are refused: write `{project.ci}` into it (docs/ci.md), then "
            f"`amplify-delivery bootstrap {' '.join(shut)}`"
        )
    if project.let_in:
        notes.append(
            "AWS's build images hold no Pulumi: fill in `engine` in the accounts' files, or name an image that has it"
        )
    return notes


def _not_let_in(project: Project, kind: str) -> list[str]:
    """The environments that jobs are written for, and whose account does not let in such a CI."""
    accounts = [project.account(stack) for stack in project.stacks("account")]
    lets_in = {e for a in accounts if getattr(a, kind) for e in a.environments}
    return [n for n in project.stacks("backend") if project.environment(n).bootstrapped and n not in lets_in]


def _into(folder: Path, here: Path) -> list[str]:
    return [] if folder.resolve() == here.resolve() else [f"cd {shlex.quote(str(folder))}"]


def _adoptions(environments: Collection[str], pushed: Collection[str]) -> list[str]:
    """What comes before the first release of what runs already in an account that lets a pipeline or a CI in."""
    adopted = [f"amplify-delivery adopt {name}" for name in environments if name in pushed]
    return [*adopted, "# and what that prints: docs/adopting.md, from 3 to 5"] if adopted else []


def _ci_steps(project: Project, pushed: Collection[str]) -> list[str]:
    """What comes before the first push where a CI delivers, and no pipeline; empty where none does."""
    accounts = [project.account(stack) for stack in project.stacks("account")]
    let_in = [environment for account in accounts if account.ci for environment in account.environments]
    if not let_in or project.stacks("pipeline"):
        return []
    return [
        "# as the administrator of each account, which has the CI's OIDC provider (docs/ci.md):",
        f"amplify-delivery bootstrap {' '.join(let_in)}",
        *_adoptions(let_in, pushed),
        *_approvals(accounts),
        "# commit and push all of it, the stack files with what that has written into them",
    ]


def _approvals(accounts: Sequence[AccountConfig]) -> list[str]:
    """What a person sets up before the first push: GitHub and GitLab make an environment that they do not know without
    any rule. On GitHub the first job would deploy unasked; GitLab's is let in by no account."""
    github = [name for account in accounts if account.github for name in account.environments]
    gitlab = [name for account in accounts if account.gitlab for name in account.environments]
    lines = []
    if github:
        branch = " or ".join(sorted({account.github.branch for account in accounts if account.github}))
        lines += [
            f"# before the push, in GitHub's Settings, Environments: make {', '.join(github)}, with required reviewers",
            f"# and {branch} as the only branch:",
            "# GitHub makes one that it does not know without any rule, and the job deploys unasked",
        ]
    if gitlab:
        lines += [
            f"# before the push, in GitLab's Settings, CI/CD: protect the environments {', '.join(gitlab)}, with",
            "# approvers, and the branch; as a maintainer have the project sign what its accounts ask for:",
        ]
        signed = {(a.gitlab.host, a.gitlab.project_id) for a in accounts if a.gitlab and a.gitlab.project_id}
        lines += [ci.signing(*project) for project in sorted(signed)]
    return lines
