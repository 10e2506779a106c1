"""The exports that are measured: small ones of the project, large ones from a folder of archives."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SMALL = PROJECT / "packages" / "amplify-delivery" / "tests" / "exports"
ARCHIVES = "AMPLIFY_DELIVERY_EXPORTS"
"""Environment variable: a folder with large.tar.gz, kitchen.tar.gz. They are too big for this repository."""


def small(name: str) -> Path:
    """One of the small exports, e.g. `todo` or `todo-series/v1`."""
    return next((SMALL / name).glob("amplify-export-*"))


def large(name: str, into: Path) -> Path | None:
    """The unpacked export of an archive, or None when there is no folder of archives."""
    folder = os.environ.get(ARCHIVES)
    archive = Path(folder, f"{name}.tar.gz") if folder else None
    if archive is None or not archive.is_file():
        return None
    target = into / name
    if not target.is_dir():
        with tarfile.open(archive) as tar:
            tar.extractall(into, filter="data")
    return next(target.glob("amplify-export-*"))


def with_functions(number: int, into: Path) -> Path:
    """The export `full` with `number` functions like its `helloFn`, each with code of its own."""
    source = small("full")
    export = into / source.name
    shutil.copytree(source, export)
    manifest, root, mapping = (
        export / name
        for name in ("amplify-export-manifest.json", "root-stack-template.json", "category-stack-mapping.json")
    )
    described, template, listed = (json.loads(file.read_text()) for file in (manifest, root, mapping))
    nested = described["props"]["loadNestedStacks"]
    model = "helloFn"
    for count in range(2, number + 1):
        name = f"fn{count:03d}"
        folder = export / "function" / name
        (folder / "amplify-builds").mkdir(parents=True)
        own = (export / "function" / model / f"{model}-cloudformation-template.json").read_text()
        # Of each function its own name and its own role's.
        own = own.replace(model, name).replace("fullappLambdaRole941c42ef", f"fullappLambdaRole{count:08x}")
        (folder / f"{name}-cloudformation-template.json").write_text(own)
        with zipfile.ZipFile(folder / "amplify-builds" / f"{name}-{count:020x}-build.zip", "w") as archive:
            archive.writestr("index.js", f"exports.handler = async () => ({{ number: {count} }});\n")
        nested[f"function{name}"] = json.loads(json.dumps(nested[f"function{model}"]).replace(model, name))
        template["Resources"][f"function{name}"] = template["Resources"][f"function{model}"]
        listed.append({"category": "function", "resourceName": name, "service": "Lambda"})
    for file, content in ((manifest, described), (root, template), (mapping, listed)):
        file.write_text(json.dumps(content))
    return export
