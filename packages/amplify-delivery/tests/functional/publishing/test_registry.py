"""Images pushed into a real registry: two environments, by digest, with cuts, wrong bytes and a killed push."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from amplify_delivery.errors import AssemblyError, PublishError
from amplify_delivery.export.images.importing import keep_image
from amplify_delivery.export.images.layout import blob_path, read_manifest, write_index
from amplify_delivery.export.images.model import AssemblyImage
from amplify_delivery.publishing.registry import TRIES, Registry
from functional.publishing.registries import Cutting, big, crane, registry
from unit import image_files as files
from unit.places import TEST_ROOTS

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry") / "disk") as address:
        yield address


class Pushing:
    """An image in a layout, and the repository of an environment."""

    def __init__(self, folder: Path, text: str) -> None:
        self.layout = folder / "kept"
        files.oci_layout(folder / "layout", text)
        self.image: AssemblyImage = keep_image("orders", folder / "layout", "linux/amd64", self.layout)
        write_index(self.layout, [self.image])
        self.waited: list[float] = []

    def to(self, server: str, environment: str) -> Registry:
        return Registry(f"http://{server}", f"shop/{environment}", pause=self.waited.append)

    def push(self, registry: Registry) -> None:
        registry.push(self.layout, read_manifest(self.layout, self.image), self.image.tag)


def test_one_image_goes_by_digest_into_two_environments(server: str, tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, "hello")
    with registry(tmp_path / "other-account") as other:
        for environment, of_account in (("preprod", server), ("prod", other)):
            there = pushing.to(of_account, environment)
            pushing.push(there)
            assert there.sent == pushing.image.size - len(read_manifest(pushing.layout, pushing.image).body)
            _holds(pushing, f"{of_account}/shop/{environment}", tmp_path)


def _holds(pushing: Pushing, where: str, tmp_path: Path) -> None:
    """By another client than ours, which reads every byte."""
    crane("validate", "--insecure", "--remote", f"{where}@{pushing.image.digest}")
    assert crane("digest", "--insecure", f"{where}:{pushing.image.tag}") == pushing.image.digest
    crane("export", "--insecure", f"{where}@{pushing.image.digest}", str(tmp_path / "files.tar"))
    assert b"hello" in (tmp_path / "files.tar").read_bytes()


def test_what_is_there_is_not_sent_again(server: str, tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, "once")
    pushing.push(pushing.to(server, "again"))
    second = pushing.to(server, "again")
    pushing.push(second)
    assert second.sent == 0


def test_a_cut_upload_begins_anew(server: str, tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, big(3_000_000))
    way = Cutting(server, 1_000_000, TRIES - 1)
    there = pushing.to(way.address, "cut")
    pushing.push(there)
    way.close()
    assert way.cut == TRIES - 1
    assert pushing.waited == sorted(pushing.waited)
    assert len(pushing.waited) == TRIES - 1
    crane("validate", "--insecure", "--remote", f"{server}/shop/cut@{pushing.image.digest}")


def test_an_upload_that_is_always_cut_ends_with_what_to_do(server: str, tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, big(3_000_000))
    way = Cutting(server, 1_000_000, 99)
    with pytest.raises(PublishError, match=rf"(?s)was cut off {TRIES} times.*repeat the command"):
        pushing.push(pushing.to(way.address, "always-cut"))
    way.close()
    assert images(server, "always-cut") == []


def test_altered_bytes_are_refused_by_the_registry(server: str, tmp_path: Path) -> None:
    """Whatever happens between Build and here: a blob is what its digest says, or it is nowhere."""
    pushing = Pushing(tmp_path, "altered")
    (layer,) = read_manifest(pushing.layout, pushing.image).blobs[1:]
    path = blob_path(pushing.layout, layer.digest)
    path.write_bytes(bytes(reversed(path.read_bytes())))
    with pytest.raises(PublishError, match=r"HTTP 400.*digest"):
        pushing.push(pushing.to(server, "altered"))
    assert images(server, "altered") == []
    path = blob_path(pushing.layout, pushing.image.digest)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(AssemblyError, match="it was altered"):
        pushing.push(pushing.to(server, "altered"))


KILLED = """
import sys
from pathlib import Path
from amplify_delivery.export.images.layout import index_of, read_manifest
from amplify_delivery.publishing import registry

there = registry.Registry(f"http://{sys.argv[1]}", "shop/killed")
put = there._put
there._put = lambda *a: (print("all blobs sent", flush=True), __import__("time").sleep(60), put(*a))
(image,) = index_of(Path(sys.argv[2])).values()
there.push(Path(sys.argv[2]), read_manifest(Path(sys.argv[2]), image), image.tag)
"""


def test_a_killed_push_leaves_no_image_and_is_repeated(server: str, tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, "killed")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*TEST_ROOTS, *sys.path])}
    command = [sys.executable, "-c", KILLED, server, str(pushing.layout)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "all blobs sent\n"
        process.send_signal(signal.SIGKILL)
    assert images(server, "killed") == []
    there = pushing.to(server, "killed")
    pushing.push(there)
    assert there.sent == 0, "the blobs were there"
    assert images(server, "killed") == [pushing.image.tag]


def test_a_registry_that_is_not_there_is_said(tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, "nobody")
    with pytest.raises(PublishError, match=r"(?s)looking for sha256.*check the way to the registry"):
        pushing.push(pushing.to("127.0.0.1:9", "dev"))


def images(server: str, environment: str) -> list[str]:
    """The tags that a repository has; none where there is no repository yet."""
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://{server}/v2/shop/{environment}/tags/list") as answer:
            return list(json.load(answer).get("tags") or [])
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return []
