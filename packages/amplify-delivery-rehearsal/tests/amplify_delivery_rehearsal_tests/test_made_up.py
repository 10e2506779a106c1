"""Secrets that nobody has given: social sign-in is rehearsed without asking anybody for one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from amplify_delivery.export import Export, assemble, read_export
from amplify_delivery_rehearsal.made_up import lacking, said
from unit.export.mutations import apply
from unit.places import EXPORTS

AUTH = "authfullappauth"
KEY = (AUTH, "hostedUIProviderCreds")


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """With sign-in by Google and Apple, whose secrets `amplify export` leaves out."""
    folder = shutil.copytree(EXPORTS / "full" / "amplify-export-fullapp", tmp_path / "amplify-export-fullapp")
    template = "auth/fullappauth/fullappauth-cloudformation-template.json"
    manifest, given = "amplify-export-manifest.json", f"/props/loadNestedStacks/{AUTH}/parameters"
    providers = '[{"ProviderName":"Google"},{"ProviderName":"SignInWithApple"}]'
    apply(
        folder,
        [
            ["set", template, "/Parameters/hostedUIProviderCreds", {"Type": "String", "NoEcho": True}],
            ["set", template, "/Parameters/hostedUIProviderMeta", {"Type": "String"}],
            ["set", manifest, f"{given}/hostedUIProviderCreds", "[]"],
            ["set", manifest, f"{given}/hostedUIProviderMeta", providers],
        ],
    )
    return read_export(folder)


def test_the_secrets_of_social_sign_in_are_made_up_in_the_form_that_is_asked_for(export: Export) -> None:
    ((key, text),) = lacking(export, assemble(export)).items()
    google, apple = json.loads(text)
    assert key == KEY
    assert (google.pop("ProviderName"), set(google)) == ("Google", {"client_id", "client_secret"})
    assert set(apple) == {"ProviderName", "client_id", "team_id", "key_id", "private_key"}
    assert google["client_secret"].startswith("rehearsed-")
    assert "authfullappauth.hostedUIProviderCreds" in said([key])


def test_those_that_are_given_are_not(export: Export) -> None:
    assert lacking(export, assemble(export, {KEY}), {KEY}) == {}
