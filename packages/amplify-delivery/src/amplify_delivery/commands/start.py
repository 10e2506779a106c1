"""`amplify-delivery start ENV PROJECT`: one of the four projects in an environment's account, as a pipeline's action
starts it, from a CI that the account lets in."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.components.documents.naming import CHECK, CI_ROLES, DEPLOY, PLAN, PROJECTS
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.account.remote import builds, sealed, visiting
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment.approval import check_digest
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.access import bootstrapped_environment, environment_names
from amplify_delivery.stacks.config import Project

ABOUT = About(
    needs="the environment's account, by the CI's token",
    text="""
Starts the project `publish`, `plan`, `deploy` or `check` in the account of a bootstrapped environment and follows it
to its end, as an action of the pipeline does. With the token of the GitHub or GitLab job it assumes the role
`APP-ENV-ci-plan`, or `APP-ENV-ci-deploy` to deploy.

`--artifact` puts the artifact into the account first, `--digest` names one that is there. `deploy` requires `--plan`,
`check` requires `--step`. If the job may not assume the role, or the build refused, it ends with 3.
""",
    examples=(
        ("amplify-delivery start prod plan --artifact release.zip --variables $GITHUB_OUTPUT", "plan this release"),
        ("amplify-delivery start prod deploy --digest DIGEST --plan DIGEST", "deploy it as planned"),
    ),
    changes="a deployment or a step had begun",
    pages=("ci",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the environment")
    parser.add_argument("project", choices=PROJECTS, metavar="PROJECT", help=f"one of {', '.join(PROJECTS)}")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--artifact", type=Path, metavar="FILE", help="what `pack` has written: put into the account")
    given.add_argument("--digest", metavar="DIGEST", help="of an artifact that is in the account already")
    parser.add_argument("--plan", metavar="DIGEST", help="deploy: digest of the plan that was approved")
    parser.add_argument("--step", metavar="NAME", help="check: the step to run")
    parser.add_argument(
        "--role", choices=CI_ROLES, help="what the job is let in for; default: `deploy` to deploy, else `plan`"
    )
    parser.add_argument(
        "--variables", type=Path, metavar="FILE", help="append what the build exports to FILE, as NAME=VALUE"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    _check(args)
    name = args.environment
    stack_files.load(context.folder, name)
    config = bootstrapped_environment(context.project, name)
    _lets_a_ci_in(context.project, name)
    names = environment_names(context.project.app, config)
    content = _read(args.artifact) if args.artifact else b""
    digest = sealed.digest_of(content, str(args.artifact)) if args.artifact else str(args.digest)
    role = args.role or (DEPLOY if args.project == DEPLOY else PLAN)
    account = visiting.account(config, names, role, context.variables)
    if args.artifact:
        new = builds.put(account, names, digest, content)
        output.progress(f"artifact {digest[:12]}: {'put into' if new else 'was in'} {names.staging_bucket}")
    wanted = builds.Wanted(args.project, digest, args.plan or "", args.step or "")
    build = builds.start(account, names, wanted, context.variables)
    output.progress(f"{build}: started in {account.place}")
    ended = builds.follow(account, wanted, build, output.progress)
    if args.variables:
        output.append_variables(args.variables, ended.exported)
    if args.json:
        output.document({"environment": name, "build": ended.id, "log": ended.link, "exported": dict(ended.exported)})
        return 0
    for variable, value in sorted(ended.exported.items()):
        print(f"{variable}={value}")
    print(f"{ended.id}: succeeded; log: {ended.link}")
    return 0


def _lets_a_ci_in(project: Project, environment: str) -> None:
    """Otherwise the account's projects may not read an artifact that somebody else than the pipeline puts there. Raises
    `ConfigError`; where there is no stack file of the account, nobody can tell."""
    accounts = project.accounts().get(environment, [])
    if accounts and not any(account.ci for _, account in accounts):
        raise ConfigError(
            f"the account of {environment} lets no CI in: its projects read only what the pipeline hands them",
            where=project.file(accounts[0][0]).name,
            remedy="say there with `github` or `gitlab` whose jobs come in (docs/ci.md), then, as the account's "
            f"administrator, `amplify-delivery bootstrap {environment}`; nothing was started",
        )


def _check(args: argparse.Namespace) -> None:
    """What belongs to which project. Raises `ConfigError`."""
    for option, value, project in (("--plan", args.plan, DEPLOY), ("--step", args.step, CHECK)):
        if bool(value) is not (args.project == project):
            raise ConfigError(
                f"{option} belongs to {project}" if value else f"{project} wants {option}",
                where=f"start {args.environment} {args.project}",
                remedy="`amplify-delivery start --help` tells what each takes; nothing was started",
            )
    for option, value in (("--plan", args.plan), ("--digest", args.digest)):
        if value:
            check_digest(option, value, "take what `pack`, or the build of `plan`, has written; nothing was started")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="name a file that is there and may be read"
        ) from None
