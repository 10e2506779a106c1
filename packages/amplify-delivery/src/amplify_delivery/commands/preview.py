"""`amplify-delivery preview ACTION`: a backend of its own for each pull request, for as long as it is open."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.scaffold.ci import GITHUB, KINDS
from amplify_delivery.errors import FAILED, REFUSED, ConfigError

ABOUT = About(
    needs="the previews' account; Pulumi",
    text="""
`up` creates or updates the environment `prN`, modelled on the stack file `Pulumi.preview.yaml`, which says
`disposable: true`; `down` deletes it with its data; `collect` deletes those that nobody has updated for `--older-than`
days; `trust` prints the trust policy of the role that lets a repository's jobs in. All of these but `trust` refuse an
account to which anything is delivered. `credentials` prints the role's credentials for a CI's job, by its token: the
workflows name it as the `credential_process` of a profile, so that whatever takes long gets fresh ones in time.
""",
    examples=(
        ("amplify-delivery preview up --pull-request 7", "make or update the environment pr7"),
        ("amplify-delivery preview down --pull-request 7", "delete it"),
        ("amplify-delivery preview collect --older-than 14", "delete what nobody has updated for two weeks"),
    ),
    changes="CloudFormation or the engine had begun",
    pages=("previews",),
)

ACTIONS = ("up", "down", "collect", "trust", "credentials")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument("--pull-request", type=int, metavar="NUMBER", help="up, down: which one")
    parser.add_argument(
        "--pattern",
        default="preview",
        metavar="STACK",
        help="stack file that previews are modelled on; default: preview",
    )
    parser.add_argument("--older-than", type=int, metavar="DAYS", help="collect: those not updated for this many days")
    parser.add_argument("--role", metavar="ARN", help="credentials: of which role")
    parser.add_argument("--ci", choices=KINDS, default=GITHUB, help="trust: whose jobs; default: github")
    parser.add_argument("--repository", metavar="OWNER/NAME", help="trust: the repository, or GitLab's project")
    parser.add_argument(
        "--ids", metavar="NUMBERS", help="trust: its numbers, OWNER/REPOSITORY on GitHub, PROJECT on GitLab"
    )
    parser.add_argument("--branch", default="main", help="trust, GitHub: where `collect` runs; default: main")
    parser.add_argument("--host", default="gitlab.com", help="trust, GitLab: the instance; default: gitlab.com")
    waiting.add_argument(parser, "the preview")


def run(args: argparse.Namespace, context: Context) -> int:
    needs = {"collect": ("older_than",), "trust": ("repository", "ids"), "credentials": ("role",)}
    needed = needs.get(args.action, ("pull_request",))
    missing = [f"--{name.replace('_', '-')}" for name in needed if getattr(args, name) is None]
    if missing:
        raise ConfigError(
            f"`preview {args.action}` wants {' and '.join(missing)}",
            where=f"preview {args.action}",
            remedy="`amplify-delivery preview --help` tells what each takes; nothing was changed",
        )
    acts = {"up": _up, "down": _down, "collect": _collect, "trust": _trust, "credentials": _credentials}
    return acts[args.action](args, context)


def _up(args: argparse.Namespace, context: Context) -> int:
    from amplify_delivery.delivery.deployment.previews import pattern, previewing  # noqa: PLC0415 - the engine's SDK
    from amplify_delivery.delivery.printing import shown_outputs  # noqa: PLC0415
    from amplify_delivery.delivery.printing.changes import told  # noqa: PLC0415

    name = pattern.name_of(args.pull_request)
    done = previewing.up(args.pull_request, args.pattern, context, _patience(args, context), output.progress)
    values = shown_outputs.shown(done.outputs, secrets=False)
    if args.json:
        output.document({"environment": name, "changes": dict(done.changes), "outputs": values})
        return 0
    shown_outputs.table(values)
    print(f"{name}: {told(done.changes)}")
    return 0


def _down(args: argparse.Namespace, context: Context) -> int:
    from amplify_delivery.delivery.deployment.previews import pattern, previewing  # noqa: PLC0415

    name = pattern.name_of(args.pull_request)
    was = previewing.down(args.pull_request, args.pattern, context, _patience(args, context), output.progress)
    if args.json:
        output.document({"environment": name, "deleted": was})
    else:
        print(f"{name}: {'deleted' if was else 'there is none'}")
    return 0


def _collect(args: argparse.Namespace, context: Context) -> int:
    from amplify_delivery.delivery.deployment.previews import previewing  # noqa: PLC0415

    if args.older_than < 0:
        raise ConfigError("is not a number of days", where="--older-than", remedy="as in 7; nothing was changed")
    older = timedelta(days=args.older_than)
    done = previewing.collect(older, args.pattern, context, _patience(args, context), output.progress)
    if args.json:
        failed = {name: output.error_json(error) for name, error in done.failed.items()}
        output.document({"deleted": list(done.down), "kept": list(done.kept), "failed": failed})
    else:
        for word, names in (("deleted", done.down), ("kept", done.kept)):
            print(f"{word}: {', '.join(names) or 'none'}")
        for error in done.failed.values():
            output.error(error, as_json=False)
    if not done.failed:
        return 0
    return FAILED if done.down or any(error.changed for error in done.failed.values()) else REFUSED


def _trust(args: argparse.Namespace, context: Context) -> int:
    from amplify_delivery.components.documents.web_identity import github_previews, gitlab_previews  # noqa: PLC0415
    from amplify_delivery.delivery.deployment.previews import pattern  # noqa: PLC0415
    from amplify_delivery.delivery.project import stack_files  # noqa: PLC0415
    from amplify_delivery.stacks.access import environment_names  # noqa: PLC0415
    from amplify_delivery.stacks.config.ci import GitHub, GitLab  # noqa: PLC0415

    like = stack_files.load(context.folder, args.pattern, pattern.MISSING)
    names = environment_names(context.project.app, like)
    owner, _, repository = args.ids.partition("/")
    github: dict[str, Any] = {"owner_id": owner, "repository_id": repository, "branch": args.branch}
    try:
        if args.ci == GITHUB:
            given = GitHub(repository=args.repository, **github)
            trust = github_previews(names, given.repository, given.ids, given.branch)
        else:
            project = GitLab(project=args.repository, project_id=args.ids, host=args.host)
            trust = gitlab_previews(names, project.host, args.ids)
    except ValueError as error:
        raise ConfigError(
            str(error).splitlines()[2].strip(),
            where="--repository, --ids, --branch, --host",
            remedy="as in `amplify-delivery preview --help`: OWNER/NAME, two numbers, a branch",
        ) from None
    print(json.dumps(trust, indent=2))
    return 0


def _credentials(args: argparse.Namespace, context: Context) -> int:
    from amplify_delivery.delivery.account.remote import process_credentials  # noqa: PLC0415 - boto3

    output.document(process_credentials.credentials(args.role, context.variables))
    return 0


def _patience(args: argparse.Namespace, context: Context) -> waiting.Patience:
    return waiting.Patience(args.wait, context.variables)
