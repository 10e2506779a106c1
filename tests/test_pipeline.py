"""What the stack files say of each other: told here, before a push finds it out."""

import pytest

from amplify_delivery import testing

PROJECT = testing.project()
DELIVERED = [
    (pipeline, environment)
    for pipeline in PROJECT.stacks("pipeline")
    for environment in PROJECT.pipeline(pipeline).environments
]


@pytest.mark.parametrize(("pipeline", "environment"), DELIVERED)
def test_the_pipeline_delivers_environments_that_exist(pipeline: str, environment: str) -> None:
    assert environment in PROJECT.stacks("backend"), f"{PROJECT.file(pipeline).name} names it"


@pytest.mark.parametrize(("pipeline", "environment"), DELIVERED)
def test_what_a_step_asks_for_is_exported(pipeline: str, environment: str) -> None:
    steps = PROJECT.pipeline(pipeline).steps_of(environment)
    wanted = {output.partition(".")[0] for step in steps for output in step.env_from_outputs.values()}
    exports = testing.run(environment).exports
    assert wanted <= exports.keys() | exports["rootOutputs"].keys()


@pytest.mark.parametrize(("pipeline", "environment"), DELIVERED)
def test_the_account_allows_what_the_stage_adds(pipeline: str, environment: str) -> None:
    """Else `plan` refuses, and an administrator has to run the account's stack first."""
    accounts = [PROJECT.account(stack) for stack in PROJECT.stacks("account")]
    allowed = {t for account in accounts if environment in account.environments for t in account.program_types}
    assert testing.run(environment).program_types <= allowed
