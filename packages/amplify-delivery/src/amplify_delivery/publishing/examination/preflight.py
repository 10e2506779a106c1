"""Everything that is checked before anything is sent: cfn-lint, and what cfn-lint does not see."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination import computed, given, wiring
from amplify_delivery.publishing.examination.graphql_schema import schema_problems
from amplify_delivery.publishing.examination.lint import Template, lint_templates
from amplify_delivery.publishing.examination.services import SERVICE_CHECKS
from amplify_delivery.publishing.examination.tree import Tree, as_mapping, parse
from amplify_delivery.publishing.examination.trust import malformed_trust

if TYPE_CHECKING:
    from amplify_delivery.export.assembly import Assembly, AssemblyObject


CFN_LINT = Rule(
    "AD700",
    "refused",
    "An error of cfn-lint (docs/linting.md lists its rules).",
    "https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md",
    "CloudFormation or the service refuses the resource",
    remedy="correct the resource in the Amplify project (or by `amplify override`) and export again",
)
CHECKS = (
    wiring.unpublished_objects,
    wiring.parameters_that_do_not_fit,
    wiring.missing_outputs,
    wiring.foreign_templates,
    computed.missing_values,
    computed.foreign_layers,
    computed.foreign_zones,
    computed.certificates_elsewhere,
    computed.impossible_names,
    given.unfit_values,
    given.unconnected,
    malformed_trust,
    schema_problems,
    *SERVICE_CHECKS,
)
"""All but cfn-lint, whose errors are AD700."""

_MAY_CHANGE = ("AD702", "AD71", "AD72", "AD73", "AD740", "AD76")
"""Of what is about the services' own rules."""
_RULE = re.compile(r"\(cfn-lint (E[0-9]{4})\)$")
"""At the end of what `amplify_delivery.publishing.examination.linter` says."""


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Deployment:
    """Where an assembly is to be deployed, and what beside it: `extra` holds the rendered root. `ignored` are ids of
    findings (AD7xx), or of cfn-lint's rules, that do not count there: CloudFormation has the last word."""

    extra: Sequence[tuple[AssemblyObject, bytes]]
    staging_bucket: str
    region: str
    ignored: Collection[str] = ()
    stack: str = ""
    """The root stack's name, where it is known: names of other resources are made from it."""


def examine(
    assembly: Assembly, deployments: Mapping[str, Deployment], progress: Callable[[str], None] = _silent
) -> dict[str, list[Finding]]:
    """Why CloudFormation would refuse the assembly in each of the deployments, or fail with it, by their names; empty
    lists when nothing is known against it. What is no more than a warning is among them.

    The tree of stacks is walked from each root. What they share is linted once, for all their regions.
    """
    findings: dict[str, list[Finding]] = {name: [] for name in deployments}
    readers = {o.key: _reader(assembly, o.key) for o in assembly.objects if o.kind == "template"}
    used = {name: list(readers) for name in deployments}
    files: dict[str, str] = {}
    of_one: dict[str, Deployment] = {}
    parsed: dict[str, Mapping[str, Any]] = {}
    for name, deployment in deployments.items():
        for item, body in deployment.extra:
            if item.kind == "template":
                root = as_mapping(parse(body))
                tree = Tree(
                    assembly, item.key, root, deployment.staging_bucket, deployment.region, parsed, deployment.stack
                )
                findings[name] += [finding for check in CHECKS for finding in check(tree)]
                files.update({view.key: view.file for view in reversed(tree.stacks)})
                readers[item.key], of_one[item.key] = _constant(body), deployment
                used[name].append(item.key)
    regions: dict[str, dict[str, None]] = {}
    for name, keys in used.items():
        for key in keys:
            regions.setdefault(key, {})[deployments[name].region] = None
    linted = lint_templates(
        {key: _template(readers[key], list(where), of_one.get(key)) for key, where in regions.items()}, progress
    )
    for name, keys in used.items():
        for key in keys:
            problems = linted[key][deployments[name].region]
            findings[name] += [_refused(files.get(key, key), problem) for problem in problems]
    return {
        name: [_with_way_out(f) for f in found if not _ids(f) & {*deployments[name].ignored}]
        for name, found in findings.items()
    }


def _template(read: Callable[[], bytes], regions: Sequence[str], of: Deployment | None) -> Template:
    """What is linted: with the names of the one deployment that it is `of`, if it is."""
    return Template(read, regions, of.staging_bucket, of.stack) if of else Template(read, regions)


def refusing(findings: Sequence[Finding]) -> list[Finding]:
    """Those of `findings` that stand in the way: a warning does not."""
    return [finding for finding in findings if finding.severity == "refused"]


def _with_way_out(finding: Finding) -> Finding:
    """What AWS refuses today it may take tomorrow: nobody should have to wait for the next version of this."""
    if finding.severity != "refused" or not finding.id.startswith(_MAY_CHANGE) or "lint.ignore" in finding.remedy:
        return finding
    return replace(finding, remedy=f"{finding.remedy}; if AWS takes it as it is, `lint.ignore` takes {finding.id}")


def _ids(finding: Finding) -> set[str]:
    """By which ids a finding can be ignored: its own, and that of cfn-lint's rule."""
    return {finding.id, *_RULE.findall(finding.message)}


def _refused(file: str, problem: str) -> Finding:
    rule = next(iter(_RULE.findall(problem)), "AD700")
    return CFN_LINT.at(
        file,
        problem,
        "correct the resource in the Amplify project (or by `amplify override`) and export again; if CloudFormation "
        f"takes it, have the stack file ignore {rule} (`lint.ignore`, with your reason)",
    )


def _reader(assembly: Assembly, key: str) -> Callable[[], bytes]:
    return lambda: assembly.read(key)


def _constant(body: bytes) -> Callable[[], bytes]:
    return lambda: body
