"""What Build reads from Secrets Manager, and where in a VPC steps run."""

from __future__ import annotations

from collections.abc import Iterable

from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.components.documents.naming import CHECK
from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents
from amplify_delivery.components.documents.statements import Network, RoleDocument, Statement
from unit.components.documents import world as w

NETWORK = Network("vpc-1", ("subnet-1", "subnet-2"), ("sg-1",))


def test_only_build_reads_its_secrets() -> None:
    secrets = {"NPM_TOKEN": "registries:npm", "PIP_TOKEN": "registries:pip", "OTHER": "team/other"}
    documents = pipeline_documents(w.pipeline_model(), secrets=secrets)
    build, update = documents.projects
    assert (build.secrets, update.secrets) == (secrets, {})
    arns = [w.pipeline.arn("secretsmanager", f"secret:{name}-??????") for name in ("registries", "team/other")]
    (statement,) = [s for s in _statements(documents.roles, build.role_arn) if s["Sid"] == "Secrets"]
    assert (statement["Action"], statement["Resource"]) == ("secretsmanager:GetSecretValue", arns)
    assert "Secrets" not in {s["Sid"] for s in _statements(documents.roles, update.role_arn)}
    assert "Secrets" not in {s["Sid"] for s in _statements(w.tooling().roles, build.role_arn)}


def test_only_steps_run_in_the_vpc() -> None:
    names = w.ENVIRONMENTS[0]
    documents = account_documents(w.access(names, step_network=NETWORK))
    assert [p.name for p in documents.projects if p.network] == [names.project(CHECK)]
    for project in documents.projects:
        sids = {s["Sid"] for s in _statements(documents.roles, project.role_arn)}
        assert ({"Network", "OwnNetwork"} <= sids) is (project.network is not None)
    (own,) = [s for s in _statements(documents.roles, names.project_role_arn(CHECK)) if s["Sid"] == "OwnNetwork"]
    assert own["Condition"] == {
        "ArnEquals": {"ec2:Subnet": [names.arn("ec2", f"subnet/subnet-{n}") for n in (1, 2)]},
        "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
    }


def _statements(roles: Iterable[RoleDocument], arn: str) -> list[Statement]:
    role = next(role for role in roles if role.arn == arn)
    return [statement for policy in role.policies.values() for statement in policy["Statement"]]
