"""An assembly's manifest as an object of the staging bucket: by it an assembly is found again, and deployed again.

The object is the assembly's canonical JSON, so that its key holds the assembly's own digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator

from amplify_delivery.errors import AssemblyError
from amplify_delivery.export.assembling.store import FOLDERS
from amplify_delivery.export.assembly import FORMAT, Assembly, AssemblyObject, canonical
from amplify_delivery.export.images.model import digests_in

FOLDER = "assemblies"
"""What the keys of manifests begin with."""
ANNOUNCED = "published"
"""What the keys of announcements begin with: which of the objects that are there somebody counts on, and since when, by
the time of the announcement."""
CONTENT_FOLDERS = tuple(sorted([*FOLDERS.values(), FOLDER]))
"""What the keys of all that is published begin with."""
_KEY = re.compile(rf"(?:{'|'.join(CONTENT_FOLDERS)})/[0-9a-f]{{64}}(?:\.[A-Za-z0-9]{{1,16}})?")


def key_of(digest: str) -> str:
    """Where the manifest of the assembly with that digest lies."""
    return f"{FOLDER}/{digest}.json"


def is_content_key(key: str) -> bool:
    """Whether an object's key is one that publishing makes: of whatever else is in the bucket nothing is known."""
    return _KEY.fullmatch(key) is not None


def named_in(text: str) -> Iterator[str]:
    """The keys of published objects that a text names, a template's for instance."""
    yield from (found[0] for found in _KEY.finditer(text))


def manifest(assembly: Assembly) -> tuple[AssemblyObject, bytes]:
    """The manifest of an assembly, as an object and its bytes. A form of it has the manifest of what it is a form of:
    whoever goes back to the release makes the form that the environment has then."""
    body = canonical((assembly.origin or assembly).to_json())
    digest = assembly.digest()
    return AssemblyObject(key_of(digest), "file", len(body), digest, "application/json"), body


def announcement(names: Iterable[str]) -> tuple[str, bytes]:
    """Where announcements of these keys lie (a prefix), and what is in one: somebody counts on the keys, and on all
    that they name."""
    body = canonical(sorted(names))
    return f"{ANNOUNCED}/{hashlib.sha256(body).hexdigest()}/", body


def read_manifest(body: bytes, digest: str, reader: Callable[[str], bytes]) -> Assembly:
    """The assembly of a manifest; `reader` gives its objects' bytes. Raises `AssemblyError` for one that is not what
    `digest` says, or of another format."""
    where = key_of(digest)
    try:
        data = json.loads(body)
        found = data.get("format")
    except (ValueError, AttributeError, RecursionError):
        raise AssemblyError("is not an assembly", where=where, remedy="deliver that release from its commit") from None
    if found != FORMAT:
        raise AssemblyError(
            f"format {found!r}, this program reads {FORMAT}",
            where=where,
            remedy="deliver that release with the version of Amplify Delivery that it was made with",
        )
    try:
        assembly = Assembly.from_json(data, reader)
        intact = assembly.digest() == digest
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        intact = False
    if not intact:
        raise AssemblyError(
            "is not what its key says: it was altered",
            where=where,
            remedy="deliver that release from its commit, and find out who has changed the object",
        )
    return assembly


def runs(assembly: Assembly, root: str) -> bool:
    """Whether the text of a root template was rendered from `assembly`: it has the same nested stacks, and gives them
    the same container images."""
    templates, nested = f"{FOLDERS['template']}/", assembly.root.nested.values()
    if {n.template for n in nested} != {k for k in named_in(root) if k.startswith(templates)}:
        return False
    given = {v.text for n in nested for v in n.parameters.values() if v.source == "image"}
    return {assembly.image(name).digest for name in given} <= digests_in(root)
