"""`amplify-delivery`, and `python -m amplify_delivery`: where the command begins."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python fails in the next import, with words of its own
    sys.exit(f"error: {sys.executable} is Python {sys.version.split()[0]}: 3.11 or newer is needed")


def main() -> int:
    """The command line; its exit code. What is imported for it takes a moment, in which somebody may press Ctrl-C."""
    try:
        from amplify_delivery.cli import main as command  # noqa: PLC0415 - within the `try`

        return command()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
