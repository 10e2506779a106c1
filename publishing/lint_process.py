"""A process that lints one pile of templates: JSON in on stdin, one JSON line per template out."""

from __future__ import annotations

import json
import os
import sys

from publishing.linter import Linter


def main() -> None:
    work = json.load(sys.stdin)
    linter = Linter()
    try:
        for key, (text, regions) in work.items():
            print(json.dumps([key, linter.lint(text, regions)]), flush=True)
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more; without a word, which an ordinary exit would have


if __name__ == "__main__":
    main()
