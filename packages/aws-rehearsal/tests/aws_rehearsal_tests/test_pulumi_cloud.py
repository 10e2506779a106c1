"""The stand-in of Pulumi Cloud refuses what that refuses: two updates at once, an ended lease, a stranger's secret."""

from __future__ import annotations

from typing import Any

import pytest

from aws_rehearsal_tests.pulumi_cloud import PulumiCloud, RefusedError

STACK = "/api/stacks/ann/shop/dev"


class Client:
    """Asks as the engine does."""

    def __init__(self) -> None:
        self.cloud = PulumiCloud()
        self.by_user("POST", "/api/stacks/ann/shop", stackName="dev")

    def by_user(self, method: str, path: str, query: str = "", **body: Any) -> Any:
        return self.cloud.answer(method, path, query, f"token {self.cloud.token}", body)

    def begin(self, kind: str = "update") -> tuple[str, str]:
        """The path of an update, and the token of its lease."""
        path = f"{STACK}/{kind}/{self.by_user('POST', f'{STACK}/{kind}')['updateID']}"
        return path, self.by_user("POST", path)["token"]

    def of_update(self, verb: str, path: str, token: str, **body: Any) -> Any:
        return self.cloud.answer("PATCH", f"{path}/{verb}", "", f"update-token {token}", body)


def refused(code: int, words: str, *asked: Any, **body: Any) -> None:
    ask, *rest = asked
    with pytest.raises(RefusedError, match=words) as caught:
        ask(*rest, **body)
    assert caught.value.code == code


def test_who_is_not_logged_in_gets_nothing() -> None:
    client = Client()
    for credentials in ("", "token pul-another", f"update-token {client.cloud.token}"):
        refused(401, "Unauthorized", client.cloud.answer, "GET", STACK, "", credentials, {})


def test_an_update_holds_its_stack_and_a_preview_does_not() -> None:
    client = Client()
    path, token = client.begin()
    client.begin("preview")
    assert client.by_user("GET", STACK)["currentOperation"]["kind"] == "update"
    refused(409, "Another update is currently in progress", client.begin)
    refused(409, "Another update is currently in progress", client.by_user, "POST", f"{STACK}/import", version=3)
    client.of_update("complete", path, token, status="succeeded")
    assert "currentOperation" not in client.by_user("GET", STACK)
    client.begin("destroy")


def test_who_has_lost_the_lease_writes_nothing_any_more() -> None:
    client = Client()
    path, token = client.begin()
    client.of_update("checkpoint", path, token, version=3, deployment={"resources": [{"urn": "a"}]})
    client.cloud.let_leases_end()
    other, theirs = client.begin()
    for lost in (token, theirs, ""):
        refused(403, "has expired", client.of_update, "checkpoint", path, lost, version=3, deployment={})
    client.by_user("POST", f"{other}/cancel")
    refused(403, "has expired", client.of_update, "checkpoint", other, theirs, version=3, deployment={})
    refused(409, "already completed", client.by_user, "POST", f"{other}/cancel")
    assert client.by_user("GET", f"{STACK}/export")["deployment"] == {"resources": [{"urn": "a"}]}


def test_a_secret_is_its_stacks_and_goes_with_it() -> None:
    client = Client()
    client.by_user("POST", "/api/stacks/ann/shop", stackName="prod")
    made = client.by_user("POST", f"{STACK}/encrypt", plaintext="aGVsbG8=")["ciphertext"]
    assert client.by_user("POST", f"{STACK}/decrypt", ciphertext=made) == {"plaintext": "aGVsbG8="}
    refused(400, "invalid ciphertext", client.by_user, "POST", "/api/stacks/ann/shop/prod/decrypt", ciphertext=made)
    client.by_user("DELETE", STACK)
    client.by_user("POST", "/api/stacks/ann/shop", stackName="dev")
    refused(400, "invalid ciphertext", client.by_user, "POST", f"{STACK}/decrypt", ciphertext=made)


def test_a_stack_that_holds_something_is_removed_by_force_only() -> None:
    client = Client()
    client.by_user("POST", f"{STACK}/import", version=3, deployment={"resources": [{"urn": "a"}]})
    refused(400, "Stack still contains resources", client.by_user, "DELETE", STACK)
    client.by_user("DELETE", STACK, "force=true")
    refused(404, "Not Found", client.by_user, "GET", STACK)
