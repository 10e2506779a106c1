"""What a user of the plain `pulumi up` sees of her Python program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_homes import cold_home
from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine


@pytest.fixture(scope="session")
def cold(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a home without a server."""
    return cold_home(tmp_path_factory.mktemp("pulumi") / "cold")


@pytest.fixture(params=["warm", "cold"])
def small(
    request: pytest.FixtureRequest,
    pulumi_home: dict[str, str],
    cold: dict[str, str],
    developer: LocalAccount,
    tmp_path: Path,
) -> PulumiProject:
    """A project whose program is run by a host that starts warm, or cold."""
    return PulumiProject.make(tmp_path, pulumi_home if request.param == "warm" else cold, developer).init()


@pytest.fixture
def quick(pulumi_home: dict[str, str], developer: LocalAccount, tmp_path: Path) -> PulumiProject:
    """A project whose host starts warm: for what is told of a program, which is the same once it runs."""
    return PulumiProject.make(tmp_path, pulumi_home, developer).init()


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


def test_a_run_error_is_shown_without_a_traceback(quick: PulumiProject) -> None:
    quick.program('raise pulumi.RunError("the account is missing")')
    done = quick.pulumi("preview")
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


def test_an_exception_in_an_apply_is_shown(quick: PulumiProject) -> None:
    quick.program("pulumi.Output.from_input(1).apply(lambda _: 1 / 0)")
    assert "ZeroDivisionError" in quick.pulumi("preview").stdout


def test_a_program_that_ends_itself(quick: PulumiProject) -> None:
    quick.program("import sys; sys.exit(3)")
    assert "non-zero exit code: 3" in quick.pulumi("preview").stdout


def test_a_missing_program(quick: PulumiProject) -> None:
    (quick.folder / "__main__.py").unlink()
    assert "unable to find main python program `__main__.py`" in quick.pulumi("preview").stdout


def test_a_virtualenv_of_another_python(quick: PulumiProject) -> None:
    """Its compiled packages cannot be loaded: said in a sentence, not in the traceback of whichever comes first."""
    (quick.folder / "Pulumi.yaml").write_text("name: small\nruntime: {name: python, options: {virtualenv: other}}\n")
    (quick.folder / "other" / "lib" / "python3.99" / "site-packages").mkdir(parents=True)
    done = quick.pulumi("preview")
    assert "other: its packages are of Python 3.99, and the rehearsal runs 3." in done.stdout
    assert "Traceback" not in done.stdout


def test_a_main_elsewhere(quick: PulumiProject) -> None:
    quick.settings("main: infra/\n")
    (quick.folder / "infra").mkdir()
    (quick.folder / "infra" / "__main__.py").write_text("import pulumi, beside\npulumi.export('found', beside.FOUND)\n")
    (quick.folder / "infra" / "beside.py").write_text("FOUND = True\n")
    quick.up()
    assert quick.outputs() == {"found": True}


def test_after_a_failed_update_nothing_is_added(quick: PulumiProject) -> None:
    """The engine interrupts the program, which is still waiting for a resource that will not come."""
    quick.program("""
        bad = aws.s3.Bucket("bad", bucket="Not A Name")
        good = aws.s3.Bucket("good", bucket=bad.id.apply(lambda name: name + "-two"))
        pulumi.export("name", good.bucket)
    """)
    said = quick.fail()
    assert "KeyboardInterrupt" not in said
    assert "exited with non-zero" not in said


PACKAGES = ("amplify_delivery", "aws_rehearsal")


def test_a_program_has_its_own_packages_and_not_the_host_s(small: PulumiProject) -> None:
    """As an artifact's folder may have: other versions under the same names. The host's own place is on no path."""
    for name in PACKAGES:
        (small.folder / name).mkdir()
        (small.folder / name / "__init__.py").write_text(f"OWN = '{name} of the artifact'\n")
    (small.folder / "amplify_delivery" / "errors.py").write_text("OWN = 'errors of the artifact'\n")
    small.program(f"""
        import importlib, sys
        import amplify_delivery.errors
        found = [importlib.import_module(name).OWN for name in {PACKAGES}] + [amplify_delivery.errors.OWN]
        pulumi.export("found", found)
        pulumi.export("files", [m.__file__ for n, m in sys.modules.items() if n.startswith({PACKAGES})])
        pulumi.export("path", sys.path)
    """)
    small.up()
    outputs = small.outputs()
    assert outputs["found"] == [*(f"{name} of the artifact" for name in PACKAGES), "errors of the artifact"]
    assert len(outputs["files"]) == len(PACKAGES) + 1
    assert all(file.startswith(str(small.folder)) for file in outputs["files"])
    assert not [place for place in outputs["path"] if place.startswith(small.home["PULUMI_HOME"])]


def test_a_program_s_modules_go_before_the_installed_ones(small: PulumiProject) -> None:
    """Also before those that the host has loaded ahead; a place that the program itself adds goes before its folder."""
    for folder in ("", "more"):
        (small.folder / folder).mkdir(exist_ok=True)
        (small.folder / folder / "secrets.py").write_text("OWN = True\n")
    (small.folder / "more" / "cfnlint").mkdir()
    (small.folder / "more" / "cfnlint" / "__init__.py").write_text("OWN = True\n")
    small.program("""
        import secrets, sys
        sys.path.insert(0, os.path.abspath("more"))
        import cfnlint, boto3
        installed = os.path.dirname(os.path.dirname(pulumi.__file__))
        try:
            from cfnlint import runner
        except ImportError:
            runner = None
        found = [secrets.OWN, cfnlint.OWN, not runner, boto3.__file__.startswith(installed), "botocore" in sys.modules]
        pulumi.export("found", found)
    """)
    small.up()
    assert small.outputs()["found"] == [True] * 5


def test_what_is_installed_is_whole(small: PulumiProject) -> None:
    """Whether a module was loaded ahead is not to be seen in it."""
    small.program("""
        import importlib, importlib.util, inspect, pkgutil, sys
        import boto3.session, botocore, cfnlint.runner, pydantic, s3transfer
        before = importlib.util.find_spec("pydantic")
        class Model(pydantic.BaseModel):
            name: str
        modules = [boto3, botocore, boto3.session, cfnlint, pydantic, s3transfer, aws, aws.s3, native]
        pulumi.export("specs", [type(m.__spec__.loader).__module__.split(".")[0] for m in modules])
        pulumi.export("same", [m.__spec__.origin == m.__file__ and sys.modules[m.__name__] is m for m in modules])
        pulumi.export("source", "class BaseModel" in inspect.getsource(pydantic.BaseModel))
        pulumi.export("data", len(pkgutil.get_data("botocore", "data/endpoints.json")) > 1000)
        pulumi.export("name", Model(name="a").name)
        del sys.modules["s3transfer"]
        pulumi.export("again", importlib.import_module("s3transfer") is not s3transfer)
        pulumi.export("reloaded", importlib.reload(boto3).__name__)
    """)
    small.up()
    outputs = small.outputs()
    assert set(outputs.pop("same")) == {True}
    assert not {name for name in outputs.pop("specs") if name.startswith("rehearsal")}
    assert outputs == {"source": True, "data": True, "name": "a", "again": True, "reloaded": "boto3"}


def test_a_program_begins_with_the_same_modules_warm_or_cold(
    pulumi_home: dict[str, str], cold: dict[str, str], developer: LocalAccount, tmp_path: Path
) -> None:
    found = []
    for name, home in (("warm", pulumi_home), ("cold", cold)):
        (tmp_path / name).mkdir()
        project = PulumiProject.make(tmp_path / name, home, developer).init()
        (project.folder / "__main__.py").write_text(
            "import sys\nnames = {name.split('.')[0] for name in sys.modules}\n"
            "import json, os, pulumi\npulumi.export('names', sorted(names))\n"
            "pulumi.export('rest', json.dumps([sys.path[1:], sys.argv, os.getcwd() == sys.path[0]]))\n"
        )
        project.up()
        outputs = project.outputs()
        found.append((outputs["names"], json.loads(outputs["rest"])))
    assert found[0] == found[1]
    assert "pulumi" in found[0][0]


def test_pulumi_about_names_python_and_what_is_installed(quick: PulumiProject) -> None:
    said = quick.succeed("about")
    assert "This project is written in python: executable=" in said
    assert "\namplify-delivery" in said  # what is installed for others is not listed
