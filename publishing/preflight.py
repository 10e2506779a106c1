"""Everything that is checked before anything is sent: cfn-lint, and what cfn-lint does not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from amplify_export.errors import ExportRefused
from amplify_export.findings import Finding
from publishing import wiring
from publishing.graphql_schema import schema_problems
from publishing.lint import lint_templates
from publishing.tree import Tree
from publishing.trust import malformed_trust

if TYPE_CHECKING:
    from amplify_export.assembly import Assembly
    from amplify_export.root import RootStack

CHECKS = (
    wiring.unpublished_objects,
    wiring.parameters_that_do_not_fit,
    wiring.missing_outputs,
    malformed_trust,
    schema_problems,
)
"""All but cfn-lint, whose errors are AD500."""


def _silent(_: str) -> None:
    pass


def examine(
    assembly: Assembly,
    root: RootStack,
    staging_bucket: str,
    region: str,
    progress: Callable[[str], None] = _silent,
) -> list[Finding]:
    """Why CloudFormation would refuse this root, or fail with it; empty when nothing is known against it."""
    tree = Tree(assembly, root, staging_bucket)
    findings = [finding for check in CHECKS for finding in check(tree)]
    files = {view.key: view.file for view in reversed(tree.stacks)}
    readers: dict[str, Callable[[], bytes]] = {
        o.key: _reader(assembly, o.key) for o in assembly.objects if o.kind == "template"
    }
    readers[root.object.key] = lambda: root.body
    for key, problems in lint_templates(readers, region, progress).items():
        findings += [
            Finding(
                "AD500",
                "refused",
                files.get(key, key),
                problem,
                "correct the resource in the Amplify project (or by `amplify override`) and export again",
            )
            for problem in problems
        ]
    return findings


def refuse_what_would_fail(
    assembly: Assembly,
    root: RootStack,
    staging_bucket: str,
    region: str,
    progress: Callable[[str], None] = _silent,
) -> None:
    """Raise `ExportRefused` with all findings of `examine`, if there are any."""
    findings = examine(assembly, root, staging_bucket, region, progress)
    if findings:
        raise ExportRefused(findings)


def _reader(assembly: Assembly, key: str) -> Callable[[], bytes]:
    return lambda: assembly.read(key)
