"""Imports go one way, as docs/architecture.md says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("rehearsal", "delivery", "stacks", "components", "changes", "publishing", "amplify_export")
"""Packages, top first: one may import those that follow it."""
PURE = ("amplify_export", "components/documents")
ACTING = {
    "pulumi",
    "pulumi_aws",
    "pulumi_aws_native",
    "boto3",
    "botocore",
    "subprocess",
    "socket",
    "random",
    "requests",
}


def imported(file: Path) -> Iterator[str]:
    """The top-level names of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ORDER)
def test_no_package_imports_one_above_it(package: str) -> None:
    above = set(ORDER[: ORDER.index(package)])
    # The one command that plays the whole of it is a door into the rehearsal, opened when it is called.
    allowed = {ROOT / "delivery" / "rehearse.py": {"rehearsal"}}
    upward = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in modules(package)
        for name in set(imported(file)) & above - allowed.get(file, set())
    }
    assert modules(package)
    assert upward == set()


@pytest.mark.parametrize("package", PURE)
def test_what_decides_does_not_act(package: str) -> None:
    acting = {f"{file.relative_to(ROOT)}: {name}" for file in modules(package) for name in set(imported(file)) & ACTING}
    assert modules(package)
    assert acting == set()


def test_the_program_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 30


def test_the_providers_services_that_are_used_are_type_checked() -> None:
    """mypy skips all others of the 4,000 modules (pyproject.toml): one that is missing there would be `Any`."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    read = {module for o in overrides if o.get("follow_imports") == "normal" for module in o["module"]}
    sources = [*(ROOT / "components").rglob("*.py"), *(ROOT / "stacks").rglob("*.py")]
    text = "\n".join(source.read_text() for source in sources)
    used = {
        f"{package}.{service}.*"
        for package, name in (("pulumi_aws", "aws"), ("pulumi_aws_native", "native"))
        for service in re.findall(rf"\b{name}\.(\w+)\.[A-Z]", text)
    }
    assert {"pulumi_aws.s3.*", "pulumi_aws_native.codepipeline.*"} <= used
    assert used <= read
