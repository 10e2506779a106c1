"""Whether the container images of a release are in its environment's repository: a collection (`gc`) may have taken
them, or a person. Lambda pulls an image when a function is made or changed: without it that fails midway."""

from __future__ import annotations

from amplify_delivery import publishing
from amplify_delivery.delivery import output
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import DeliveryError, RefusedError
from amplify_delivery.export import Assembly
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing
from amplify_delivery.publishing.images import absent
from amplify_delivery.publishing.target import PublishTarget


def lost(target: Wanted, assembly: Assembly) -> list[str]:
    """The names of those images of `assembly` that are not there, asked for by their digests. Raises `RefusedError`."""
    config, account = target.config, target.account
    place = PublishTarget(target.bucket, account.account, account.region, repository=target.names.repository)
    asking = account.asking(f"looking for the images of {assembly.digest()[:12]}")
    with asking, suppressing(*ACCESS_DENIED) as refusal:
        return absent(assembly.images, place, account.client("ecr"))
    # Whoever goes back may be in a hurry, and without a right that a deployment does not need.
    output.progress(f"whether the images of {config.environment} are there is not known: {refusal.said}")
    return []


def complete(target: Wanted) -> None:
    """Push what is lost of the release of a bootstrapped environment, before anything is changed. A personal stack
    makes its repository, and pushes into it, by itself.

    Raises `RefusedError` where they cannot be pushed from here: whoever deploys may lack the right, or their bytes.
    """
    config = target.config
    if not config.bootstrapped:
        return
    assembly = target.assembly
    if not assembly.images or not all(image.built for image in assembly.images):
        return
    names = lost(target, assembly)
    if not names:
        return
    place = PublishTarget(
        target.bucket, config.account, config.region, config.profile, config.role_arn, target.names.repository
    )
    try:
        publishing.push(assembly, place, output.progress)
    except DeliveryError as error:
        if error.changed:
            raise
        raise RefusedError(
            f"{output.counted(len(names), 'image')} of {assembly.digest()[:12]} are not in {target.names.repository} "
            f"any more, and cannot be pushed from here: {', '.join(names)} ({error.message})",
            where=config.environment,
            remedy="nothing was changed. Check out that release's commit; there `amplify-delivery images "
            f"{config.environment}` builds them, and `amplify-delivery publish {config.environment}` pushes them; in a "
            "pipeline release that commit again. Then repeat this",
        ) from None
