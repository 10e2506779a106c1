"""Which container images run, for who has not built any: the release that runs tells it, or the engine's state does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.delivery.deployment.releases.staged import Staging, releases_of, running
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import Assembly
from amplify_delivery.export.images.model import AssemblyImage, digests_in
from amplify_delivery.stacks.images import PUSHED_IMAGES

State = Callable[[], Mapping[str, Any]]
"""Gives the engine's state of the environment."""


def with_running_images(target: Wanted, state: State) -> Assembly:
    """The assembly as it was exported, with the images that run in place of those that are not built here. Raises
    `RefusedError` where none of that name runs, and `StateError`."""
    assembly = target.assembly.origin or target.assembly
    # A personal stack pushes by itself, and publishes no release where the backend stays as it is.
    digests = {} if target.config.bootstrapped else pushed(state())
    known = {i.name: replace(i, digest=digests[i.name]) for i in assembly.images if i.name in digests}
    if not all(image.built or image.name in known for image in assembly.images):
        known = _released(target) | known
    lost = [i.name for i in assembly.images if not i.built and i.name not in known]
    if lost:
        raise RefusedError(
            f"not built here, and none of that name runs: {', '.join(lost)}",
            where=target.config.environment,
            remedy="`amplify-delivery images` builds them; in the pipeline Build does it",
        )
    images = tuple(image if image.built else known[image.name] for image in assembly.images)
    # None of their bytes are needed to look at what they are.
    return replace(assembly, images=images, layout=None)


def pushed(state: Mapping[str, Any]) -> dict[str, str]:
    """The digests of the images that a personal stack has pushed, by name, as its state tells; none elsewhere."""
    for resource in state.get("resources") or ():
        if str(resource.get("urn", "")).endswith(f"::{PUSHED_IMAGES}"):
            addresses = (resource.get("inputs") or {}).get("input") or {}
            return {name: found for name, address in addresses.items() for found in digests_in(str(address))}
    return {}


def _released(target: Wanted) -> dict[str, AssemblyImage]:
    """Those of the release that runs, by name."""
    staging = Staging(target)
    now = running(target, staging, releases_of(target, staging.objects()))
    return {image.name: image for image in staging.assembly(now.digest).images} if now else {}
