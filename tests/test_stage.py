"""What components/stage.py declares, for each environment that has a stack file: without AWS, in seconds."""

import pytest

from amplify_delivery import testing

ENVIRONMENTS = testing.project().stacks("backend")
STACK = "aws:cloudformation/stack:Stack"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_one_backend_of_its_own_name(environment: str) -> None:
    made = testing.run(environment)
    name = testing.project().environment(environment).environment
    assert made.one(STACK).inputs["name"].split("-")[-2] == name
    assert made.exports["stackName"] == made.one(STACK).inputs["name"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_role_beside_the_backend_carries_the_accounts_boundary(environment: str) -> None:
    """An account that a pipeline delivers to denies the creation of roles without it; a personal stack has none."""
    made = testing.run(environment, {"helloService": "true"})
    boundary = made.one(STACK).inputs["parameters"].get("BackendPermissionsBoundary")
    roles = [r for r in made.beside_backend if r.type in ("aws-native:iam:Role", "aws:iam/role:Role")]
    assert roles
    assert {role.inputs.get("permissionsBoundary") for role in roles} == {boundary}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_is_made_with_credentials_that_lie_around(environment: str) -> None:
    """Without `environment.aws` or `aws_native` a resource may land in another account than the backend."""
    made = testing.run(environment, {"helloService": "true"})
    assert [resource.name for resource in made.beside_backend if not resource.provider] == []


@pytest.mark.parametrize("environment", ENVIRONMENTS[:1])
def test_the_hello_service_tells_its_address(environment: str) -> None:
    made = testing.run(environment, {"helloService": "true"})
    api = made.one("aws-native:apigatewayv2:Api")
    assert made.exports["helloUrl"] == f"{api.name}-apiEndpoint/"
    assert "helloUrl" not in testing.run(environment, {"helloService": "false"}).exports
