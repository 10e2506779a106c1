"""`python -m amplify_delivery.delivery.scaffold`, in this repository's root: the example's files become the templates.

The example is what `init` writes, so each of these files is written once, there.
"""

from pathlib import Path

from amplify_delivery.delivery.scaffold.templates import of_example

FOLDER = Path(__file__).parent / "templates"

for old in FOLDER.rglob("*.txt"):
    old.unlink()
for name, text in of_example(Path()).items():
    file = FOLDER / f"{name}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
