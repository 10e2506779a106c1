"""Real exports of `tests/exports`, assembled and rendered, and the backend component over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi

from amplify_delivery.components.amplify_backend import AmplifyBackend
from amplify_delivery.components.backend.arguments import AmplifyBackendArgs
from amplify_delivery.components.providers import Access, aws_provider
from amplify_delivery.export import Assembly, EnvironmentValues, RootStack, assemble, read_export, render_root
from unit.components.recorder import STACK, Recording, record
from unit.places import EXPORTS

FOLDERS = sorted(p.parent for p in EXPORTS.glob("**/amplify-export-manifest.json"))
DELIVERABLE = [f for f in FOLDERS if f.name != "amplify-export-trigapp"]
"""All but the one that is refused: its exporter has lost the Cognito triggers."""
ACCOUNT, REGION, BUCKET = "012345678901", "eu-west-1", "staging-bucket"
EXPIRES = 1_826_668_800


def folder(name: str) -> Path:
    """The export of that project; of `todo-series` the last one."""
    return [f for f in FOLDERS if f.name == f"amplify-export-{name}"][-1]


@cache
def assembly_of(export: Path) -> Assembly:
    return assemble(read_export(export))


def rendered(assembly: Assembly, **values: Any) -> RootStack:
    return render_root(assembly, EnvironmentValues("prod", EXPIRES, **values), BUCKET)


class Published(list[tuple[Assembly, RootStack]]):
    """A publisher that only remembers what it was given."""

    def __call__(self, assembly: Assembly, root: RootStack, progress: Callable[[str], None]) -> None:
        self.append((assembly, root))
        progress("published")


def stack_outputs(root: RootStack) -> dict[str, str]:
    """What CloudFormation would give back: each repeated output says which it is."""
    return {"StackName": root.stack_name, **{name: f"{n}.{o}" for (n, o), name in root.outputs.items()}}


def deploy(
    assembly: Assembly,
    root: RootStack,
    then: Callable[[AmplifyBackend], Any] = lambda _: None,
    *,
    states: Mapping[str, Mapping[str, Any]] | None = None,
    preview: bool = False,
    **args: Any,
) -> Recording:
    """Register the backend with one provider; `then` gets it, its result is in `Recording.result`."""

    def program() -> Any:
        provider = aws_provider("aws", Access(ACCOUNT, REGION))
        given = {"staging_bucket": BUCKET, "region": REGION, "publisher": Published(), **args}
        backend = AmplifyBackend(
            "backend",
            AmplifyBackendArgs(assembly=assembly, root=root, **given),
            pulumi.ResourceOptions(providers=[provider]),
        )
        result = then(backend)
        pulumi.export("result", result)
        return result

    outputs = {} if preview else {STACK: {"outputs": stack_outputs(root)}}
    return record(program, states={**outputs, **(states or {})}, preview=preview)
