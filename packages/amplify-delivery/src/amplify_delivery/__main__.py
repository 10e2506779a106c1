"""`amplify-delivery`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python fails in the next import, with words of its own
    sys.exit(f"error: {sys.executable} is Python {sys.version.split()[0]}: 3.11 or newer is needed")

if __name__ == "__main__":
    try:
        from amplify_delivery.cli import main

        sys.exit(main())
    except KeyboardInterrupt:  # while that was imported
        sys.exit(130)
