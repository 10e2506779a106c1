"""The keys of a team's own, which its program reads with `pulumi.Config()`: Pulumi.yaml declares them.

A key of an environment's stack file that neither we know nor Pulumi.yaml declares is a mistake.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config.reader import read_yaml

_ALIKE = 0.88
"""From when on two names are so alike that one is taken for a mistyped other: `lintt` and `lint`."""


def own_keys_of(directory: Path, known: Iterable[str]) -> tuple[str, ...]:
    """The keys, none of the `known` ones, that Pulumi.yaml in `directory` declares with a `type` ("Project file
    reference", config options); none where there is no such file. A value alone declares nothing: it sets a key.

    Raises `ConfigError` for one that is called nearly as a known key: what was meant for that would have no effect, and
    nobody would say so.
    """
    path, ours = directory / "Pulumi.yaml", tuple(known)
    if not path.is_file():
        return ()
    data = read_yaml(path)
    config = data.get("config")
    found = []
    for key, declared in config.items() if isinstance(config, dict) else ():
        namespace, _, name = str(key).rpartition(":")
        if namespace not in ("", str(data.get("name"))) or name in ours:
            continue
        if isinstance(declared, dict) and "type" in declared:
            found.append(name)
            _refuse_alike(name, ours, path)
    return tuple(found)


def _refuse_alike(name: str, ours: Iterable[str], path: Path) -> None:
    alike = difflib.get_close_matches(name, ours, n=1, cutoff=_ALIKE)
    if alike:
        raise ConfigError(
            f"the key {name!r} is declared, did you mean {alike[0]!r}?",
            where=str(path),
            remedy="a key of your own needs a name that cannot be taken for one of ours (docs/configuration.md)",
        )
