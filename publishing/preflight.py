"""Everything that is checked before anything is sent: cfn-lint, and what cfn-lint does not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplify_export.findings import Finding
from publishing import wiring
from publishing.graphql_schema import schema_problems
from publishing.lint import Template, lint_templates
from publishing.tree import Tree, as_mapping, parse
from publishing.trust import malformed_trust

if TYPE_CHECKING:
    from amplify_export.assembly import Assembly, AssemblyObject

CHECKS = (
    wiring.unpublished_objects,
    wiring.parameters_that_do_not_fit,
    wiring.missing_outputs,
    malformed_trust,
    schema_problems,
)
"""All but cfn-lint, whose errors are AD700."""


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Deployment:
    """Where an assembly is to be deployed, and what beside it: `extra` holds the rendered root."""

    extra: Sequence[tuple[AssemblyObject, bytes]]
    staging_bucket: str
    region: str


def examine(
    assembly: Assembly, deployments: Mapping[str, Deployment], progress: Callable[[str], None] = _silent
) -> dict[str, list[Finding]]:
    """Why CloudFormation would refuse the assembly in each of the deployments, or fail with it, by their names; empty
    lists when nothing is known against it.

    The tree of stacks is walked from each root. What they share is linted once, for all their regions.
    """
    findings: dict[str, list[Finding]] = {name: [] for name in deployments}
    templates = {
        o.key: Template(_reader(assembly, o.key), list(dict.fromkeys(d.region for d in deployments.values())))
        for o in assembly.objects
        if o.kind == "template"
    }
    shared = list(templates)
    files: dict[str, str] = {}
    for name, deployment in deployments.items():
        for item, body in deployment.extra:
            if item.kind == "template":
                tree = Tree(assembly, item.key, as_mapping(parse(body)), deployment.staging_bucket)
                findings[name] += [finding for check in CHECKS for finding in check(tree)]
                files.update({view.key: view.file for view in reversed(tree.stacks)})
                same = templates[item.key].regions if item.key in templates else ()
                templates[item.key] = Template(_constant(body), list(dict.fromkeys((*same, deployment.region))))
    linted = lint_templates(templates, progress)
    for name, deployment in deployments.items():
        roots = [item.key for item, _ in deployment.extra if item.kind == "template"]
        for key in dict.fromkeys([*shared, *roots]):
            findings[name] += [_refused(files.get(key, key), problem) for problem in linted[key][deployment.region]]
    return findings


def _refused(file: str, problem: str) -> Finding:
    remedy = "correct the resource in the Amplify project (or by `amplify override`) and export again"
    return Finding("AD700", "refused", file, problem, remedy)


def _reader(assembly: Assembly, key: str) -> Callable[[], bytes]:
    return lambda: assembly.read(key)


def _constant(body: bytes) -> Callable[[], bytes]:
    return lambda: body
