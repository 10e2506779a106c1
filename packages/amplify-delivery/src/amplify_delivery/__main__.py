"""`amplify-delivery`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python fails in the next import, with words of its own
    sys.exit(f"error: {sys.executable} is Python {sys.version.split()[0]}: 3.11 or newer is needed")

from amplify_delivery.cli import main

if __name__ == "__main__":
    sys.exit(main())
