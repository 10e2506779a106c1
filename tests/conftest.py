"""Fixtures for every test that needs AWS.

- `local_aws`: one local AWS per test process, started when the first test asks for it;
- `developer`: an administrator of an account that no other test uses, so that tests don't meet.

Both need the set-up (`make setup`), and fail with what to do without it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rehearsal.local_aws import LocalAws, random_account
from tests.local_account import LocalAccount


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """A running local AWS. Its accounts are shared with all tests of this process: use a fresh one each."""
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def developer(local_aws: LocalAws) -> LocalAccount:
    """A fresh account with an administrator in it."""
    account = random_account()
    return LocalAccount(local_aws, account, local_aws.make_admin(account))
