"""Everything that is checked before anything is sent: cfn-lint, and what cfn-lint does not see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from amplify_export.findings import Finding
from publishing import wiring
from publishing.graphql_schema import schema_problems
from publishing.lint import lint_templates
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


def examine(
    assembly: Assembly,
    extra: Sequence[tuple[AssemblyObject, bytes]],
    staging_bucket: str,
    region: str,
    progress: Callable[[str], None] = _silent,
) -> list[Finding]:
    """Why CloudFormation would refuse the assembly, or fail with it; empty when nothing is known against it.

    `extra` holds the rendered root: the tree of stacks is walked from there.
    """
    findings: list[Finding] = []
    readers = {o.key: _reader(assembly, o.key) for o in assembly.objects if o.kind == "template"}
    files: dict[str, str] = {}
    for item, body in extra:
        if item.kind == "template":
            tree = Tree(assembly, item.key, as_mapping(parse(body)), staging_bucket)
            findings += [finding for check in CHECKS for finding in check(tree)]
            files.update({view.key: view.file for view in reversed(tree.stacks)})
            readers[item.key] = _constant(body)
    for key, problems in lint_templates(readers, region, progress).items():
        findings += [
            Finding(
                "AD700",
                "refused",
                files.get(key, key),
                problem,
                "correct the resource in the Amplify project (or by `amplify override`) and export again",
            )
            for problem in problems
        ]
    return findings


def _reader(assembly: Assembly, key: str) -> Callable[[], bytes]:
    return lambda: assembly.read(key)


def _constant(body: bytes) -> Callable[[], bytes]:
    return lambda: body
