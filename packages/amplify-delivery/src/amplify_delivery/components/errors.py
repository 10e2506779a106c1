"""The border between our errors and Pulumi's: a `pulumi.RunError` is printed without a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import pulumi

from amplify_delivery import installed
from amplify_delivery.errors import DeliveryError


@contextmanager
def as_run_error() -> Iterator[None]:
    """Turn a `DeliveryError` into a `pulumi.RunError` with the same text.

    Component constructors and `__main__.py` work inside it: the user's own mistake reaches her as one
    sentence and a remedy, while a defect of ours keeps its traceback.
    """
    try:
        yield
    except DeliveryError as error:
        raise pulumi.RunError(str(error.of_stack(pulumi.get_stack()))) from None
    except ModuleNotFoundError as error:
        if not installed.is_missing(error):
            raise
        raise pulumi.RunError(str(installed.missing(error))) from None
