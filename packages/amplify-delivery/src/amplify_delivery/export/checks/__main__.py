"""`python -m amplify_delivery.export.checks > docs/checks.md`: the list of all checks, made from their classes."""

from __future__ import annotations

import sys

from amplify_delivery.export.checks import OTHER_IDS, all_checks

_HEAD = """\
# Checks

What is found out about an export before anything is sent. Made by `python -m amplify_delivery.export.checks`.

- **repaired**: put right while the export is assembled; nothing to do.
- **warning**: delivered as it is; worth a look.
- **refused**: CloudFormation would fail, a secret would leak, or something would silently be missing: nothing is
  published before it is put right. Every refusal says what to do.

AD1xx is about the form of the files, AD2xx about the structure, AD3xx parameters, AD4xx files and locations,
AD5xx quotas, AD6xx the exporter's noise. What `publishing/` finds in the rendered templates (cfn-lint, wiring,
schema) has the ids from AD700 on.

| id | severity | what it finds |
|---|---|---|
"""


def document() -> str:
    """The page, in Markdown."""
    rows = {check.id: (check.severity, check.__doc__ or "") for check in all_checks()} | dict(OTHER_IDS)
    return _HEAD + "".join(
        f"| {id} | {severity} | {' '.join(text.split())} |\n" for id, (severity, text) in sorted(rows.items())
    )


if __name__ == "__main__":
    sys.stdout.write(document())
