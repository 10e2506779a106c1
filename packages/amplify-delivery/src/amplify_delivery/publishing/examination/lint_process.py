"""A process that lints one pile of templates: JSON in on stdin, one JSON line per template out."""

from __future__ import annotations

import gc
import json
import os
import sys

from amplify_delivery.publishing.examination.linter import Linter


def main() -> None:
    """Lint `{KEY: [TEXT, REGIONS]}` of the standard input; a line `[KEY, {REGION: PROBLEMS}]` each, at once."""
    work = json.load(sys.stdin)
    linter = Linter()
    # Rules and schemas stay: looking through them for garbage again and again takes a tenth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    try:
        for key, (text, regions) in work.items():
            print(json.dumps([key, linter.lint(text, regions)]), flush=True)
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more; without a word, which an ordinary exit would have


if __name__ == "__main__":
    main()
