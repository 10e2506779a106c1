"""The assembly: what one export publishes, the same for every environment, and its form on disk.

`DIR/assembly.json` describes it, `DIR/objects/KEY` holds every object, `DIR/images` is an OCI image layout with its
container images, if it has some. The folder is a contract other tools build on; `FORMAT` changes when it does.
`assembly.json` holds its own digest, and every object is compared with the digest that stands there, so that nothing of
an altered folder is ever used.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export.images.layout import copy_images
from amplify_delivery.export.images.model import AssemblyImage
from amplify_delivery.export.model import AmplifyResource
from amplify_delivery.export.names import StackName
from amplify_delivery.export.templates.exported import Bound
from amplify_delivery.findings import Finding

FORMAT = 2
"""Version of an assembly's JSON form. A reader refuses any other."""

IMAGES = "images"
"""Where in an assembly's folder the OCI image layout of its container images is."""

_KEY = re.compile(r"[a-z]+/[0-9a-f]{64}(\.[A-Za-z0-9]{1,16})?")
"""An object's key: kind, digest, extension. Nothing else is ever joined to a path."""

ObjectKind = Literal["template", "vtl", "schema", "zip", "file"]

ValueSource = Literal[
    "literal", "object", "staging-bucket", "environment", "stack-name", "user-pool", "image", "secret"
]


@dataclass(frozen=True)
class Value:
    """Where a nested stack's parameter gets its value.

    | source         | `text`                          | value in an environment |
    |----------------|---------------------------------|-------------------------|
    | literal        | the value, as a string          | the text, unless overridden |
    | object         | key of a published object       | the key |
    | staging-bucket | empty                           | name of the environment's staging bucket |
    | environment    | empty                           | name of the environment |
    | stack-name     | what follows the stack's name   | `STACK` + text |
    | user-pool      | nested stack of the user pool   | a digest of what that pool is to be |
    | image          | name of a container image       | its address in the environment's repository, by digest |
    | secret         | empty                           | must come from a secret of the environment's configuration |
    """

    source: ValueSource
    text: str = ""

    def to_json(self) -> Any:
        """The text itself for a literal, else `{"from": SOURCE, "text": TEXT}`."""
        if self.source == "literal":
            return self.text
        return {"from": self.source, **({"text": self.text} if self.text else {})}

    @classmethod
    def from_json(cls, data: Any) -> Value:
        """What `to_json` wrote."""
        if isinstance(data, str):
            return cls("literal", data)
        return cls(data["from"], data.get("text", ""))


@dataclass(frozen=True)
class AssemblyObject:
    """One object of the staging bucket. `key` is made from what the object means (a zip's entries, the
    bytes of anything else); `sha256` is of the bytes that lie in `objects/KEY`; `size` is in bytes."""

    key: str
    kind: ObjectKind
    size: int
    sha256: str
    content_type: str = "application/octet-stream"

    @classmethod
    def of_template(cls, body: bytes) -> AssemblyObject:
        """A template."""
        sha256 = hashlib.sha256(body).hexdigest()
        return cls(f"templates/{sha256}.json", "template", len(body), sha256, "application/json")

    @property
    def digest(self) -> str:
        """The digest in its key, hex: of a zip's entries (`archives.entries_digest`), of the bytes of anything else."""
        return self.key.rpartition("/")[2].partition(".")[0]


@dataclass(frozen=True)
class NestedStack:
    """A nested stack: its template's key and the values of its parameters that do not come from the
    parent template's intrinsics. Below level 1 parents pass everything, so `parameters` is empty there."""

    logical_id: str
    template: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    nested: Mapping[str, NestedStack] = field(default_factory=dict)

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], NestedStack]]:
        """This stack and all below it, parents first, each with its path of logical ids."""
        yield path, self
        for name in sorted(self.nested):
            yield from self.nested[name].walk((*path, name))

    def to_json(self) -> dict[str, Any]:
        return {
            "logical_id": self.logical_id,
            "template": self.template,
            "parameters": {k: v.to_json() for k, v in self.parameters.items()},
            "nested": {k: v.to_json() for k, v in self.nested.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NestedStack:
        return cls(
            data["logical_id"],
            data["template"],
            {k: Value.from_json(v) for k, v in data["parameters"].items()},
            {k: cls.from_json(v) for k, v in data["nested"].items()},
        )


@dataclass(frozen=True)
class BucketFile:
    """A file that the exporter means for a bucket which a nested stack creates (Cognito's verification
    pages): it is uploaded after the stack is there. `bucket` is that bucket's name before `-ENV`."""

    nested_stack: str
    bucket: str
    path: str
    key: str
    content_type: str


@dataclass(frozen=True)
class Assembly:
    """Everything of an export that environments share.

    `root_template` is the root before an environment's values are put in (see `render_root`);
    `root` is its tree. `bound` is what is right in the exported environment only. `read(key)` gives an object's bytes.
    """

    stack_name: StackName
    root_template: Mapping[str, Any]
    root: NestedStack
    objects: tuple[AssemblyObject, ...]
    tags: tuple[tuple[str, str], ...]
    bucket_files: tuple[BucketFile, ...]
    findings: tuple[Finding, ...]
    bound: tuple[Bound, ...]
    reader: Callable[[str], bytes] = field(repr=False, compare=False)
    resources: tuple[AmplifyResource, ...] = ()
    """What Amplify calls the root's nested stacks, in the order of the export; unknown of an earlier assembly."""
    origin: Assembly | None = field(default=None, repr=False, compare=False)
    """The assembly that this one is a form of, for one environment (`production`): it is the same release."""
    images: tuple[AssemblyImage, ...] = ()
    """Container images, by name: what is published of them is pushed by digest."""
    layout: Path | None = field(default=None, repr=False, compare=False)
    """The OCI image layout with their bytes. None: they are not here, as of a release that was published before."""
    protects: bool = False
    """Whether what holds data in it is protected against deletion: also against that of a create that has failed."""

    @property
    def project(self) -> str:
        return self.stack_name.project

    def read(self, key: str) -> bytes:
        """The bytes of object `key`. Raises `AssemblyError` if they do not match the recorded digest."""
        known = self._index.get(key)
        if known is None:
            raise AssemblyError(
                f"no object {key!r} in this assembly", where=self.project, remedy="assemble the export again"
            )
        data = self.reader(key)
        if hashlib.sha256(data).hexdigest() != known.sha256 and not _same_entries(known, data):
            raise AssemblyError(
                f"object {key} is not what assembly.json says (size {len(data)}, expected {known.size})",
                where=self.project,
                remedy="assemble the export again",
            )
        return data

    def image(self, name: str) -> AssemblyImage:
        """The image with that name. Raises `AssemblyError`."""
        for image in self.images:
            if image.name == name:
                return image
        raise AssemblyError(f"no image {name!r} in this assembly", where=self.project, remedy="assemble again")

    def layout_of(self, image: AssemblyImage) -> Path:
        """Where the bytes of an image are. Raises `AssemblyError` if they are not here."""
        if self.layout is not None and image.built:
            return self.layout
        raise AssemblyError(
            "it is declared, but not built here" if not image.built else f"{image.digest} is not here",
            where=f"image {image.name}",
            remedy="run `amplify-delivery images`"
            if not image.built
            else "check out the commit of that release, and deliver it again: its image is not in the repository",
        )

    @cached_property
    def _index(self) -> Mapping[str, AssemblyObject]:
        return {o.key: o for o in self.objects}

    def to_json(self) -> dict[str, Any]:
        """All that an assembly says, but for its objects' bytes."""
        return {
            "format": FORMAT,
            "project": self.project,
            "stack_name": self.stack_name.to_json(),
            "tags": [{"key": k, "value": v} for k, v in self.tags],
            "root": self.root.to_json(),
            "root_template": self.root_template,
            "objects": [vars(o) for o in self.objects],
            "bucket_files": [vars(f) for f in self.bucket_files],
            "findings": [f.to_json() for f in self.findings],
            "bound": [b.to_json() for b in self.bound],
            # Absent in earlier assemblies: they stay what they were, and so do their digests.
            **({"resources": [vars(r) for r in self.resources]} if self.resources else {}),
            # Only where there are some: other assemblies keep their digests.
            **({"images": [vars(i) for i in self.images]} if self.images else {}),
        }

    def digest(self) -> str:
        """sha256 (hex) of `to_json`: one name for all that an assembly says, in whichever form."""
        if self.origin is not None:
            return self.origin.digest()
        return hashlib.sha256(canonical(self.to_json())).hexdigest()

    @classmethod
    def from_json(cls, data: Mapping[str, Any], reader: Callable[[str], bytes], layout: Path | None = None) -> Assembly:
        """What `to_json` made. Raises what Python raises for anything else."""
        return cls(
            stack_name=StackName.from_json(data["stack_name"]),
            root_template=data["root_template"],
            root=NestedStack.from_json(data["root"]),
            objects=tuple(AssemblyObject(**o) for o in data["objects"]),
            tags=tuple((t["key"], t["value"]) for t in data["tags"]),
            bucket_files=tuple(BucketFile(**f) for f in data["bucket_files"]),
            findings=tuple(Finding(**f) for f in data["findings"]),
            bound=tuple(Bound.from_json(b) for b in data["bound"]),
            reader=reader,
            resources=tuple(AmplifyResource(**r) for r in data.get("resources", ())),
            images=tuple(AssemblyImage(**i) for i in data.get("images", ())),
            layout=layout,
        )


def _same_entries(item: AssemblyObject, data: bytes) -> bool:
    """Whether a zip holds what its key says, in other bytes: of two exports the first one's bytes stay published."""
    from amplify_delivery.export.archives import ArchiveError, entries_digest  # noqa: PLC0415 - hardly ever asked

    try:
        return item.kind == "zip" and entries_digest(data) == item.digest
    except ArchiveError:
        return False


def canonical(data: Any) -> bytes:
    """The one JSON form of this project: sorted keys, no spaces, UTF-8. Equal data, equal bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write_assembly(assembly: Assembly, directory: Path) -> None:
    """Write the assembly's folder. It appears whole or not at all: written beside, then renamed.

    An assembly that is already there is replaced; any other folder with something in it is refused.
    Raises `AssemblyError`.
    """
    _check_target(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        try:
            _write(assembly, beside)
            _move_into_place(beside, directory)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise AssemblyError(
            f"cannot be written: {error.strerror}", where=str(directory), remedy="name a folder on a disk with space"
        ) from None


def _check_target(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise AssemblyError("is a file", where=str(directory), remedy="name a new or empty folder")
    if directory.exists() and not (directory / "assembly.json").is_file() and any(directory.iterdir()):
        raise AssemblyError(
            "the folder is not empty and holds no assembly", where=str(directory), remedy="name a new or empty folder"
        )


def _write(assembly: Assembly, directory: Path) -> None:
    made: set[str] = set()
    root = str(directory / "objects")
    for item in assembly.objects:
        path = f"{root}/{item.key}"
        folder = path.rpartition("/")[0]
        if folder not in made:
            Path(folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        with open(path, "wb", buffering=0) as file:  # noqa: PTH123 - hundreds of files: Path.open doubles the time
            file.write(assembly.read(item.key))
    copy_images(assembly.layout, assembly.images, directory / IMAGES)
    document = {**assembly.to_json(), "digest": assembly.digest()}
    text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False)
    (directory / "assembly.json").write_bytes(f"{text}\n".encode())
    directory.chmod(0o755)


def _move_into_place(beside: Path, directory: Path) -> None:
    if not directory.exists():
        beside.rename(directory)
        return
    old = beside.with_name(f"{beside.name}-old")
    directory.rename(old)
    try:
        beside.rename(directory)
    except OSError:
        old.rename(directory)
        raise
    shutil.rmtree(old)


def _says_what_it_is(item: AssemblyObject) -> bool:
    """Whether an object's key is one and fits its kind and bytes; what a zip holds is compared when it is published."""
    if not _KEY.fullmatch(item.key):
        return False
    return item.key.startswith("archives/") if item.kind == "zip" else item.digest == item.sha256


def load_assembly(directory: Path) -> Assembly:
    """Read an assembly's folder. Raises `AssemblyError` when it is none, or of another format.

    Objects are read, and compared with their digests, when they are asked for.
    """
    path = directory / "assembly.json"
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise AssemblyError(
            "no assembly.json here", where=str(directory), remedy="make one with `amplify-delivery assemble --out DIR`"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise AssemblyError(f"cannot be read: {error}", where=str(path), remedy="assemble the export again") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise AssemblyError(
            f"format {found!r}, this program reads {FORMAT}", where=str(path), remedy="assemble the export again"
        )
    objects = os.path.join(directory, "objects")  # noqa: PTH118

    def read(key: str) -> bytes:
        try:
            return Path(objects, key).read_bytes()
        except OSError as error:
            raise AssemblyError(
                f"object {key} cannot be read: {error.strerror}", where=str(directory), remedy="assemble again"
            ) from None

    recorded = data.pop("digest", None)
    try:
        images = directory / IMAGES
        assembly = Assembly.from_json(data, read, images if images.is_dir() else None)
        intact = data == assembly.to_json() and assembly.digest() == recorded
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        intact = False
    if not intact or not all(_says_what_it_is(o) for o in assembly.objects):
        raise AssemblyError(
            "is not what was written: its digest does not match", where=str(path), remedy="assemble the export again"
        )
    return assembly
