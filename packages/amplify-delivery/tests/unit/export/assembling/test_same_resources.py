"""An assembly deploys what the export says: the same resources with the same properties, through all nested
stacks, but for the stated repairs. Both sides are resolved by a resolver that shares no code with the package.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unit.export.assembling.same_resources import CREDENTIALS, DELIVERABLE, published_by_both
from unit.export.mutations import EXPORTS


@pytest.mark.parametrize("name", DELIVERABLE)
def test_same_resources_and_nothing_published_in_vain(name: str) -> None:
    assembly, keys = published_by_both(EXPORTS[name])
    templates = {stack.template for path, stack in assembly.root.walk() if path}
    assert {item.key for item in assembly.objects} == keys | templates


@pytest.mark.large
@pytest.mark.parametrize(("name", "secrets"), [("kitchen", CREDENTIALS), ("large", frozenset())])
def test_same_resources_in_large_exports(
    name: str, secrets: frozenset[tuple[str, str]], large_export: Callable[[str], Path]
) -> None:
    published_by_both(large_export(name), secrets)
