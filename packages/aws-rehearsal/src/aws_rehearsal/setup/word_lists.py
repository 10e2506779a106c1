"""Half of what each start of a built engine would cost, put off until somebody needs it.

`pulumi config set` asks how strong a value is, to tell whether it looks like a secret. The packages that estimate it
read their word lists as the program starts, whatever it was started for: 0.08 s of processor time of 0.17. Their own
code reads the lists too where it finds none. So an engine that is built here gets these packages with the reading
left to that, and is otherwise the same. Sources other than those known here are built as they are.
"""

from __future__ import annotations

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


def put_off(go: Path, module: Path, env: Mapping[str, str], folder: Path) -> Path:
    """The module to build instead of `module`, whose own packages have been fetched: a copy in `folder`, or itself
    where the sources are not as known. It names the changed packages by where they lie in it: a build's information
    holds such a path, and no two engines would be the same."""
    listed = answer(go, "-C", module, "list", "-m", "-f", "{{.Path}} {{.Dir}}", *PACKAGES, env=env)
    found = dict(line.split(" ", 1) for line in (listed or "").splitlines() if " " in line)
    copies = {
        name: changed(name, Path(found[name]), folder / str(number))
        for number, name in enumerate(PACKAGES)
        if name in found
    }
    if copies.keys() != set(PACKAGES) or not all(copies.values()):
        return module
    lines = [f"replace {name} => ./{number}\n" for number, name in enumerate(PACKAGES)]
    (folder / "go.mod").write_text("\n".join([(module / "go.mod").read_text(encoding="utf-8"), *lines]), "utf-8")
    shutil.copyfile(module / "go.sum", folder / "go.sum")
    return folder


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
