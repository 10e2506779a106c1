"""The types of our components stand in every state: with another one, all that lies below would be made again, and what
runs be deleted. One that is renamed keeps its former type as an alias, in the component itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import amplify_delivery
from unit.places import REPOSITORY

PACKAGE = Path(amplify_delivery.__file__).parent
TOKENS = {
    "AmplifyBackend": {"amplify-delivery:index:AmplifyBackend"},
    "DeliveryPipeline": {"amplify-delivery:index:DeliveryPipeline"},
    "HelloService": {"amplify-delivery:index:HelloService"},
    "StagingArea": {"amplify-delivery:index:StagingArea"},
    "TargetAccount": {"amplify-delivery:index:TargetAccount"},
}


def test_they_never_change() -> None:
    found: dict[str, set[str]] = {}
    for name, token in declared():
        found.setdefault(name, set()).add(token)
    found.pop("Stage", None)  # the example's own: a team renames it as it likes
    assert found == TOKENS


def declared() -> Iterator[tuple[str, str]]:
    """Class and type of each `ComponentResource` of ours and of what `init` writes."""
    for file in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("templates/components/*.py.txt"), *_example()]:
        text = file.read_text(encoding="utf-8")
        if "pulumi.ComponentResource)" not in text:
            continue
        tree = ast.parse(text)
        constants = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any("ComponentResource" in ast.unparse(base) for base in node.bases):
                (call,) = (c for c in ast.walk(node) if isinstance(c, ast.Call) and _registers(c))
                first = constants.get(ast.unparse(call.args[0]), call.args[0])
                yield node.name, str(ast.literal_eval(first))


def _example() -> Iterator[Path]:
    yield from (REPOSITORY / "components").glob("*.py")


def _registers(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "super().__init__"
