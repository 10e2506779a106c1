"""What an environment's backend consists of, by its export or assembly: what it will take of an account's quotas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.export import Assembly
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.stacks.access import resource_types

_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")


@dataclass(frozen=True)
class Backend:
    """Counts of what is in all templates."""

    stack_name: str
    stacks: int
    """The root and all nested in it."""
    resources: int
    roles: int
    buckets: int
    reserved: int
    """Concurrent executions that its functions reserve together."""
    code: int
    """Bytes of the functions' zips."""
    runtimes: Mapping[str, tuple[str, ...]]
    """Functions by runtime, each with its logical id."""
    types: frozenset[str]


def of(assembly: Assembly, stack_name: str) -> Backend:
    """Those of an assembly."""
    resources = list(_resources(assembly))
    kinds = [str(resource.get("Type")) for _, resource in resources]
    runtimes: dict[str, list[str]] = {}
    for name, resource in resources:
        runtime = (resource.get("Properties") or {}).get("Runtime")
        if resource.get("Type") in _FUNCTIONS and isinstance(runtime, str):
            runtimes.setdefault(runtime, []).append(name)
    return Backend(
        stack_name=stack_name,
        stacks=1 + kinds.count(STACK_TYPE),
        resources=len(resources),
        roles=kinds.count("AWS::IAM::Role"),
        buckets=kinds.count("AWS::S3::Bucket"),
        reserved=sum(_reserved(resource) for _, resource in resources),
        code=sum(item.size for item in assembly.objects if item.kind == "zip"),
        runtimes={runtime: tuple(places) for runtime, places in runtimes.items()},
        types=resource_types(assembly),
    )


def _resources(assembly: Assembly) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every resource of every stack, with its place: a template that two stacks share counts twice."""
    read: dict[str, Any] = {}
    for path, stack in assembly.root.walk():
        if path and stack.template not in read:
            read[stack.template] = parse_json(assembly.read(stack.template))
        template = read[stack.template] if path else assembly.root_template
        for name, resource in (template.get("Resources") or {}).items():
            yield "/".join((*path, name)), resource


def _reserved(resource: Mapping[str, Any]) -> int:
    value = (resource.get("Properties") or {}).get("ReservedConcurrentExecutions")
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0
