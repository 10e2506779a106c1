"""What Amazon ECR's scan has found in images keeps a deployment back, where the stack file says so."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.environment import image_findings
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.images.model import UNBUILT, AssemblyImage
from amplify_delivery.publishing.aws_errors import told_as
from amplify_delivery.publishing.target import cli_options
from amplify_delivery.stacks.config.images import AcceptedFinding, ImageFindings
from unit.delivery.doctor.commands import check as check_command
from unit.delivery.doctor.commands import printed

NAMES = EnvironmentNames("todoapp", "333333333333", "eu-central-1", "prod")
ORDERS = AssemblyImage("orders", f"sha256:{64 * 'a'}", 9, "linux/amd64")
CRITICAL, HIGH, LOW = ("CRITICAL", "CVE-2026-1"), ("HIGH", "CVE-2026-2"), ("LOW", "CVE-2026-3")


def basic(status: str, *found: tuple[str, str]) -> dict[str, Any]:
    findings = [{"severity": severity, "name": name} for severity, name in found]
    return {"imageScanStatus": {"status": status}, "imageScanFindings": {"findings": findings}}


def inspected(*found: tuple[str, str, str]) -> dict[str, Any]:
    findings = [
        {"severity": severity, "status": status, "packageVulnerabilityDetails": {"vulnerabilityId": name}}
        for severity, name, status in found
    ]
    return {"imageScanStatus": {"status": "ACTIVE"}, "imageScanFindings": {"enhancedFindings": findings}}


class Ecr:
    """Answers one after the other, the last one for ever; a text is the code of a refusal."""

    def __init__(self, *answers: dict[str, Any] | str) -> None:
        self.answers, self.asked = list(answers), 0

    def get_paginator(self, operation: str) -> Ecr:
        assert operation == "describe_image_scan_findings"
        return self

    def paginate(self, **asked: Any) -> Any:
        assert asked == {
            "registryId": NAMES.account,
            "repositoryName": "todoapp/prod",
            "imageId": {"imageDigest": ORDERS.digest},
        }
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            raise ClientError({"Error": {"Code": answer, "Message": ""}}, "DescribeImageScanFindings")
        return [answer]


def check(ecr: Ecr, refuse: str | None = "high", accepted: Sequence[str] = (), running: Sequence[str] = ()) -> Any:
    account = SimpleNamespace(
        client=lambda _: ecr,
        asking=lambda what, remedies: told_as(RefusedError, what, "account", remedies),
        options=cli_options("eu-central-1", "ops"),
    )
    wanted = ImageFindings(
        refuse=refuse,  # type: ignore[arg-type]
        accepted=tuple(AcceptedFinding(id=id, reason="known") for id in accepted),
    )
    config = SimpleNamespace(image_findings=wanted, account=NAMES.account, environment="prod")
    images = (ORDERS, AssemblyImage("later", UNBUILT, 0, "linux/amd64"))
    target: Any = SimpleNamespace(account=account, config=config, names=NAMES, assembly=SimpleNamespace(images=images))
    return image_findings.check(target, running, pause=lambda _: None)


def refused(*arguments: Any, **more: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        check(*arguments, **more)
    for command in printed(caught.value.remedy):
        check_command(command, "eu-central-1", "ops")
    return f"{caught.value.message} {caught.value.remedy}"


def test_nobody_asks_unasked_nor_of_what_runs() -> None:
    ecr = Ecr(basic("COMPLETE", CRITICAL))
    assert check(ecr, refuse=None) == ()
    assert check(ecr, running=[ORDERS.digest]) == ()
    assert ecr.asked == 0


@pytest.mark.parametrize(
    ("refuse", "found"),
    [("critical", "1 finding: CVE-2026-1"), ("high", "2 findings"), ("medium", "2 findings"), ("low", "3 findings")],
)
def test_findings_as_grave_as_that_are_refused_the_gravest_first(refuse: str, found: str) -> None:
    said = refused(Ecr(basic("COMPLETE", LOW, HIGH, CRITICAL, ("UNDEFINED", "CVE-2026-4"))), refuse)
    assert f"image orders has {found}" in said
    assert said.index("CVE-2026-1 (CRITICAL)") < said.find("CVE-2026-2", 0) or refuse == "critical"
    assert "aws ecr describe-image-scan-findings --region eu-central-1 --profile ops --repository-name todoapp/" in said


def test_what_is_accepted_is_noted_with_its_reason() -> None:
    ecr = Ecr(basic("COMPLETE", HIGH, LOW))
    assert check(ecr, accepted=["CVE-2026-2"]) == ("CVE-2026-2 in image orders: known",)
    assert "1 finding: CVE-2026-1" in refused(Ecr(basic("COMPLETE", HIGH, CRITICAL)), accepted=["CVE-2026-2"])
    assert check(Ecr(basic("COMPLETE", LOW))) == ()


def test_inspectors_findings_count_as_long_as_they_are_active() -> None:
    assert check(Ecr(inspected(("CRITICAL", "CVE-2026-9", "CLOSED")))) == ()
    assert "1 finding: CVE-2026-9 (HIGH)" in refused(Ecr(inspected(("HIGH", "CVE-2026-9", "ACTIVE"))))


def test_a_scan_that_goes_on_is_waited_for_and_not_for_ever() -> None:
    assert check(Ecr(basic("IN_PROGRESS"), basic("PENDING"), basic("COMPLETE"))) == ()
    ecr = Ecr(basic("IN_PROGRESS"))
    assert "has not ended in 300 s" in refused(ecr)
    assert ecr.asked == 61


def test_without_a_scan_nothing_is_known() -> None:
    never = refused(Ecr("ScanNotFoundException"))
    assert "was never scanned" in never
    assert "enhanced scanning, none is started by hand" in never
    denied = refused(Ecr("AccessDeniedException"))
    assert "inspector2:ListCoverage and inspector2:ListFindings" in denied
    assert "its scan is UNSUPPORTED_IMAGE" in refused(Ecr(basic("UNSUPPORTED_IMAGE")))
    notes = check(Ecr(basic("UNSUPPORTED_IMAGE")), accepted=["UNSUPPORTED_IMAGE"])
    assert notes == ("the scan of image orders is UNSUPPORTED_IMAGE: known",)
    assert check(Ecr("ImageNotFoundException")) == (
        "image orders is not published yet: what its scan finds is not known",
    )
    assert "gives its projects the right" in refused(Ecr("AccessDeniedException"))
