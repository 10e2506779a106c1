"""Half of what each start of a built engine would cost, put off until somebody needs it.

`pulumi config set` asks how strong a value is, to tell whether it looks like a secret. The packages that estimate it
read their word lists as the program starts, whatever it was started for: 0.08 s of processor time of 0.17. Their own
code reads the lists too where it finds none. So an engine that is built here gets these packages with the reading
left to that, and is otherwise the same. Sources other than those known here are built as they are.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from aws_rehearsal.setup.run import answer

PACKAGES = ("github.com/ccojocar/zxcvbn-go", "github.com/nbutton23/zxcvbn-go")
_CHANGES = {
    "frequency/frequency.go": {"func init() {": "// Load fills Lists.\nfunc Load() {"},
    "matching/matching.go": {
        "func init() {\n\tloadFrequencyList()\n}\n": "",
        "func loadFrequencyList() {\n": "func loadFrequencyList() {\n\tfrequency.Load()\n",
    },
}


def put_off(go: Path, module: Path, env: Mapping[str, str], folder: Path) -> list[str]:
    """Options of `go build` in the folder `module`, whose own packages have been fetched; what they name is written to
    `folder`. None where the sources are not as known."""
    listed = answer(go, "-C", module, "list", "-m", "-f", "{{.Path}} {{.Dir}}", *PACKAGES, env=env)
    found = dict(line.split(" ", 1) for line in (listed or "").splitlines() if " " in line)
    copies = {
        name: changed(name, Path(place), folder / str(number)) for number, (name, place) in enumerate(found.items())
    }
    if copies.keys() != set(PACKAGES) or not all(copies.values()):
        return []
    lines = [f"replace {name} => {json.dumps(str(folder / str(number)))}\n" for number, name in enumerate(copies)]
    (folder / "go.mod").write_text("\n".join([(module / "go.mod").read_text(encoding="utf-8"), *lines]), "utf-8")
    shutil.copy(module / "go.sum", folder / "go.sum")
    return [f"-modfile={folder / 'go.mod'}"]


def changed(name: str, package: Path, copy: Path) -> bool:
    """Copy the package `name`, changed; False where its sources are not as known."""
    texts = {}
    for place, changes in _CHANGES.items():
        file = package / place
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        for old, new in changes.items():
            if text.count(old) != 1:
                return False
            text = text.replace(old, new)
        texts[place] = text
    # Modules that Go has fetched may not be written to, and neither may a copy that keeps their modes.
    shutil.copytree(package, copy, copy_function=shutil.copyfile)
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    for place, text in texts.items():
        (copy / place).write_text(text, encoding="utf-8")
    if not (copy / "go.mod").is_file():
        (copy / "go.mod").write_text(f"module {name}\n", encoding="utf-8")
    return True
