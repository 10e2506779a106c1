"""What a user of the plain `pulumi up` sees of her Python program."""

from __future__ import annotations

import pytest

from tests.rehearsal.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine


@pytest.fixture
def small(project: PulumiProject) -> PulumiProject:
    return project.init()


def test_prints_outputs_and_configuration(small: PulumiProject) -> None:
    small.succeed("config", "set", "greeting", "hello")
    small.succeed("config", "set", "--secret", "password", "hush")
    small.program("""
        import helper
        config = pulumi.Config()
        print("printed", helper.WHAT)
        pulumi.log.info("logged")
        pulumi.export("greeting", config.require("greeting"))
        pulumi.export("password", config.require_secret("password"))
        pulumi.export("where", [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])
        pulumi.export("main", __name__)
    """)
    (small.folder / "helper.py").write_text("WHAT = 'by the program'\n")
    said = small.up()
    assert "printed by the program" in said
    assert "logged" in said
    assert small.outputs() == {
        "greeting": "hello",
        "password": "[secret]",
        "where": ["small", "dev", "organization"],
        "main": "__main__",
    }
    assert "hush" not in small.state()


def test_preview_and_update_each_start_afresh(small: PulumiProject) -> None:
    (small.folder / "counter.py").write_text("count = 0\n")
    small.program("""
        import counter
        counter.count += 1
        os.environ["SEEN"] = os.environ.get("SEEN", "") + "x"
        pulumi.export("count", [counter.count, os.environ["SEEN"], pulumi.runtime.is_dry_run()])
    """)
    small.succeed("up", "--yes")
    assert small.outputs()["count"] == [1, "x", False]


def test_a_run_error_is_shown_without_a_traceback(small: PulumiProject) -> None:
    small.program('raise pulumi.RunError("the account is missing")')
    done = small.pulumi("preview")
    assert done.returncode
    assert "error: the account is missing" in done.stdout
    assert "Traceback" not in done.stdout


def test_another_exception_is_shown_with_the_user_s_own_frames(small: PulumiProject) -> None:
    small.program("""
        def deep():
            raise ValueError("no such thing")
        deep()
    """)
    done = small.pulumi("preview")
    assert done.returncode
    assert "Program failed with an unhandled exception" in done.stdout
    assert "__main__.py" in done.stdout
    assert "ValueError: no such thing" in done.stdout
    assert "runner.py" not in done.stdout
    assert "runpy" not in done.stdout


def test_an_exception_in_an_apply_is_shown(small: PulumiProject) -> None:
    small.program("pulumi.Output.from_input(1).apply(lambda _: 1 / 0)")
    assert "ZeroDivisionError" in small.pulumi("preview").stdout


def test_a_program_that_ends_itself(small: PulumiProject) -> None:
    small.program("import sys; sys.exit(3)")
    assert "non-zero exit code: 3" in small.pulumi("preview").stdout


def test_a_missing_program(small: PulumiProject) -> None:
    (small.folder / "__main__.py").unlink()
    assert "unable to find main python program `__main__.py`" in small.pulumi("preview").stdout


def test_a_main_elsewhere(small: PulumiProject) -> None:
    small.settings("main: infra/\n")
    (small.folder / "infra").mkdir()
    (small.folder / "infra" / "__main__.py").write_text("import pulumi, beside\npulumi.export('found', beside.FOUND)\n")
    (small.folder / "infra" / "beside.py").write_text("FOUND = True\n")
    small.up()
    assert small.outputs() == {"found": True}


def test_after_a_failed_update_nothing_is_added(small: PulumiProject) -> None:
    """The engine interrupts the program, which is still waiting for a resource that will not come."""
    small.program("""
        bad = aws.s3.Bucket("bad", bucket="Not A Name")
        good = aws.s3.Bucket("good", bucket=bad.id.apply(lambda name: name + "-two"))
        pulumi.export("name", good.bucket)
    """)
    said = small.fail()
    assert "KeyboardInterrupt" not in said
    assert "exited with non-zero" not in said


def test_about(small: PulumiProject) -> None:
    said = small.succeed("about")
    assert "This project is written in python: executable=" in said
    assert "pulumi_aws" in said or "pulumi-aws" in said
