"""Container images in an export's templates: which parameter gets which image's address."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.images.model import Images
from amplify_delivery.export.model import ExportedStack

NO_IMAGES = Images()


def image_parameters(images: Images, root: ExportedStack) -> dict[tuple[str, str], str]:
    """Which (nested stack, parameter) gets which image. Raises `ConfigError` for a stack or a parameter that the export
    does not have, for one that another stack gives, or that two images are meant for."""
    found: dict[tuple[str, str], str] = {}
    for given in images.given:
        name = given.image.name
        for stack, parameter in given.parameters:
            if stack not in root.nested:
                raise _unknown(name, f"there is no nested stack {stack!r}", stack, root.nested)
            declared = root.nested[stack].declared
            if parameter not in declared:
                raise _unknown(name, f"{stack} has no parameter {parameter!r}", parameter, declared)
            if (stack, parameter) in found or parameter in root.wired(stack):
                other = found.get((stack, parameter))
                raise ConfigError(
                    f"{stack}.{parameter} gets its value from {f'image {other}' if other else 'the root'} already",
                    where=_where(name),
                    remedy="name another parameter",
                )
            found[stack, parameter] = name
    return found


def _unknown(name: str, message: str, given: str, known: Collection[str]) -> ConfigError:
    close = difflib.get_close_matches(given, list(known), n=1)
    guess = f", did you mean {close[0]!r}?" if close else ""
    remedy = f"there are {', '.join(sorted(known))}" if known else "declare it in the template"
    return ConfigError(f"{message}{guess}", where=_where(name), remedy=remedy)


def _where(name: str) -> str:
    return f"containerImages.{name}"
