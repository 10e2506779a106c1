"""Container images in an export's templates: which parameter gets which image's address."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.assembly import Value
from amplify_delivery.export.images.model import Images

NO_IMAGES = Images()


def check_stacks(images: Images, nested: Collection[str]) -> None:
    """Raise `ConfigError` for an image that is meant for a nested stack which the export does not have."""
    for given in images.given:
        places = [*given.parameters, *([given.container] if given.container else [])]
        for stack, _ in places:
            if stack not in nested:
                raise _unknown(given.image.name, f"there is no nested stack {stack!r}", stack, nested)


def images_of(images: Images, stack: str, declared: Collection[str], wired: Collection[str]) -> dict[str, Value]:
    """The parameters of a nested stack that get an image's address. Raises `ConfigError` for one that it does not
    declare, that another stack gives, or that two images are meant for."""
    found: dict[str, Value] = {}
    for given in images.given:
        for _, parameter in (place for place in given.parameters if place[0] == stack):
            name = given.image.name
            if parameter not in declared:
                raise _unknown(name, f"{stack} has no parameter {parameter!r}", parameter, declared)
            if parameter in wired or parameter in found:
                by = f"image {found[parameter].text}" if parameter in found else "another nested stack"
                raise ConfigError(
                    f"{stack}.{parameter} gets its value from {by} already",
                    where=_where(name),
                    remedy="name another parameter",
                )
            found[parameter] = Value("image", name)
    return found


def _unknown(name: str, message: str, given: str, known: Collection[str]) -> ConfigError:
    close = difflib.get_close_matches(given, list(known), n=1)
    guess = f", did you mean {close[0]!r}?" if close else ""
    remedy = f"there are {', '.join(sorted(known))}" if known else "declare it in the template"
    return ConfigError(f"{message}{guess}", where=_where(name), remedy=remedy)


def _where(name: str) -> str:
    return f"containerImages.{name}"
