"""Imports go one way, as docs/architecture.md says."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from amplify_delivery.publishing.examination.lint import SOURCES as SOURCES_OF_LINTING
from unit.sources import parsed, walk

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {path.name: path for path in ROOT.glob("packages/*/src/*") if (path / "__init__.py").is_file()}
"""The distributions' import roots."""
DISTRIBUTIONS = ("amplify_delivery_rehearsal", "aws_rehearsal", "amplify_delivery")
"""The rehearsal stands beside the product; only the story knows both."""
MAY_IMPORT = {
    "amplify_delivery_rehearsal": {"amplify_delivery", "aws_rehearsal"},
    "aws_rehearsal": set[str](),
    "amplify_delivery": set[str](),
}
ORDER = (
    "reference", "cli", "commands", "delivery", "testing", "stacks", "components", "changes", "publishing",
    "client_config", "export", "installed", "errors", "findings",
)  # fmt: skip
"""Packages of the product, top first: one may import those that follow it."""
APART = (
    "amplify_delivery.components",
    "amplify_delivery.delivery.engine",
    "amplify_delivery.delivery.scaffold",
    "aws_rehearsal.local_aws",
    "aws_rehearsal.providers",
)
"""Folders whose rooms know nothing of each other."""
PURE = ("client_config", "export", "components/documents")
ACTING = {
    "pulumi",
    "pulumi_aws",
    "pulumi_aws_native",
    "boto3",
    "botocore",
    "subprocess",
    "socket",
    "random",
    "requests",
}


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """Imports, functions and calls, wherever in a module."""
    wanted = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.Call)
    return tuple(node for node in walk(parsed(file)) if isinstance(node, wanted))


@cache
def imported(file: Path) -> tuple[str, ...]:
    """The full names of everything that a module imports, wherever in it."""
    found: list[str] = []
    for node in nodes(file):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and (name := loaded(node)):
            found.append(name)
    return tuple(found)


def loaded(call: ast.Call) -> str | None:
    """The module that a call of `import_module` names as it stands."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if called == "import_module" and call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def top(name: str) -> str:
    return name.partition(".")[0]


@cache
def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_distribution_imports_only_those_it_may(distribution: str) -> None:
    others = set(DISTRIBUTIONS) - MAY_IMPORT[distribution] - {distribution}
    wrong = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in modules(SOURCES[distribution])
        for name in imported(file)
        if top(name) in others
    }
    assert modules(SOURCES[distribution])
    assert wrong == set()


def test_every_distribution_is_known() -> None:
    assert set(SOURCES) == set(DISTRIBUTIONS)


@pytest.mark.parametrize("package", ORDER)
def test_no_package_imports_one_above_it(package: str) -> None:
    above = {f"amplify_delivery.{name}" for name in ORDER[: ORDER.index(package)]}
    files = modules(SOURCES["amplify_delivery"] / package)
    upward = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in imported(file)
        if ".".join(name.split(".")[:2]) in above
    }
    assert files
    assert upward == set()


def test_every_package_of_the_product_has_its_place() -> None:
    found = {path.stem for path in SOURCES["amplify_delivery"].glob("[a-z]*") if path.name != "py.typed"}
    assert found == set(ORDER)


@pytest.mark.parametrize("package", PURE)
def test_what_decides_does_not_act(package: str) -> None:
    files = modules(SOURCES["amplify_delivery"] / package)
    acting = {f"{file.relative_to(ROOT)}: {name}" for file in files for name in imported(file) if top(name) in ACTING}
    assert files
    assert acting == set()


def test_the_program_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 30


def test_the_providers_services_that_are_used_are_type_checked() -> None:
    """mypy skips all others of the 4,000 modules (pyproject.toml): one that is missing there would be `Any`."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    read = {module for o in overrides if o.get("follow_imports") == "normal" for module in o["module"]}
    product = SOURCES["amplify_delivery"]
    sources = [*modules(product / "components"), *modules(product / "stacks"), *(ROOT / "components").rglob("*.py")]
    text = "\n".join(source.read_text() for source in sources)
    used = {
        f"{package}.{service}.*"
        for package, name in (("pulumi_aws", "aws"), ("pulumi_aws_native", "native"))
        for service in re.findall(rf"\b{name}\.(\w+)\.[A-Z]", text)
    }
    assert {"pulumi_aws.s3.*", "pulumi_aws_native.codepipeline.*"} <= used
    assert used <= read


def folders() -> list[Path]:
    return sorted({file.parent for root in SOURCES.values() for file in root.rglob("*.py")})


@cache
def names(distribution: str = "amplify_delivery") -> dict[str, Path]:
    """Every module of a distribution by its full name; a package by its own."""
    root = SOURCES[distribution]
    found = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@cache
def arrows(distribution: str = "amplify_delivery") -> dict[str, set[str]]:
    """For each module of a distribution those of it that it imports."""
    known = names(distribution)
    return {
        module: {n if n in known else n.rpartition(".")[0] for n in imported(file)} & known.keys() - {module}
        for module, file in known.items()
    }


def test_what_the_linter_works_with_is_part_of_its_version() -> None:
    """What was linted is linted again when one of them has changed; errors and what an export is decide nothing."""
    apart = {f"amplify_delivery.{name}" for name in ("errors", "findings", "export.model")}
    pending, seen = ["amplify_delivery.publishing.examination.linter"], set[str]()
    while pending:
        module = pending.pop()
        if module not in seen | apart:
            seen.add(module)
            pending += arrows()[module]
    assert {f"amplify_delivery.{name}" for name in SOURCES_OF_LINTING} == seen


def circle(graph: dict[str, set[str]]) -> list[str]:
    """What is left of a graph when everything that imports nothing of the rest has been taken away, again and again,
    and then everything that nothing of the rest imports."""
    left = {node: set(to) & graph.keys() for node, to in graph.items()}
    while gone := {n for n, to in left.items() if not to} | {
        n for n in left if not any(n in to for to in left.values())
    }:
        left = {node: to - gone for node, to in left.items() if node not in gone}
    return sorted(left)


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == ["b", "c"]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_no_module_imports_itself_over_others(distribution: str) -> None:
    """Nor for its types alone."""
    graph = arrows(distribution)
    assert len(graph) > 30
    assert circle(graph) == []


def with_rooms() -> list[str]:
    """Folders with several rooms."""
    return [
        ".".join(folder.relative_to(root.parent).parts)
        for root in SOURCES.values()
        for folder in folders()
        if folder.is_relative_to(root)
        and len([inner for inner in folder.iterdir() if (inner / "__init__.py").is_file()]) > 1
    ]


@pytest.mark.parametrize("house", with_rooms())
def test_rooms_have_no_circle(house: str) -> None:
    """A room is a folder beside others."""
    distribution, prefix = top(house), f"{house}."
    folder = SOURCES[distribution].parent.joinpath(*house.split("."))
    rooms = {inner.name for inner in folder.iterdir() if (inner / "__init__.py").is_file()}

    def room(module: str) -> str:
        return module.removeprefix(prefix).partition(".")[0] if module.startswith(prefix) else ""

    graph: dict[str, set[str]] = {name: set() for name in rooms}
    for module, to in arrows(distribution).items():
        if room(module) in rooms:
            graph[room(module)] |= ({room(other) for other in to} & rooms) - {room(module)}
    assert (sum(map(len, graph.values())) == 0) is (house in APART)
    assert circle(graph) == []


@pytest.mark.parametrize("house", with_rooms())
def test_rooms_and_what_lies_beside_them_have_no_circle(house: str) -> None:
    """A room is one thing here: what it needs of a module beside it may not need the room."""
    distribution, prefix = top(house), f"{house}."

    def beside(module: str) -> str:
        return module.removeprefix(prefix).partition(".")[0] if module.startswith(prefix) else ""

    graph: dict[str, set[str]] = {}
    for module, to in arrows(distribution).items():
        if own := beside(module):
            graph.setdefault(own, set()).update({beside(other) for other in to} - {own, ""})
    assert len(graph) > 1
    assert circle(graph) == []


def test_the_page_has_the_rooms_of_the_delivery_in_their_order() -> None:
    """Its table is what a newcomer reads: a room imports from lines below its own."""
    section = (
        (ROOT / "docs" / "architecture.md").read_text().partition("## The rooms of `delivery/`")[2].split("\n## ")[0]
    )
    lines = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in section.splitlines() if line.startswith("| `")]
    level = {room: number for number, rooms in enumerate(lines) for room in rooms}
    house = SOURCES["amplify_delivery"] / "delivery"
    assert set(level) == {path.name for path in house.iterdir() if (path / "__init__.py").is_file()}
    shared = re.findall(r"`(\w+)`", section.partition("`delivery/` itself has")[2].partition("\n\n")[0])
    assert sorted(shared) == sorted(path.stem for path in house.glob("[a-z]*.py"))
    prefix = "amplify_delivery.delivery."
    upward = {
        f"{file.relative_to(house)}: {name}"
        for room, own in level.items()
        for file in modules(house / room)
        for name in imported(file)
        if name.startswith(prefix)
        and (other := name.removeprefix(prefix).partition(".")[0]) != room
        and level.get(other, len(lines)) <= own
    }
    assert upward == set()


def test_the_page_has_every_room() -> None:
    """Those inside of rooms too, and none that is not there."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    others, delivery = (
        page.partition(f"## The rooms of {name}")[2].split("\n## ")[0] for name in ("the other packages", "`delivery/`")
    )
    rooms = {folder.relative_to(root).as_posix() for root in SOURCES.values() for folder in below(root)} - {*ORDER}
    inside = {name for name in rooms if name.startswith("delivery/")}
    rows = "\n".join(line for line in others.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z_/]+)`", rows)) == rooms - inside
    deeper = {name.split("/")[2] for name in inside if name.count("/") > 1}
    assert set(re.findall(r"`(\w+)/`", delivery)) - {"delivery"} == deeper


def below(root: Path) -> list[Path]:
    """The packages inside of a distribution's."""
    return sorted(file.parent for file in root.rglob("__init__.py") if file.parent != root)


def test_a_command_is_no_library_for_another() -> None:
    commands = modules(SOURCES["amplify_delivery"] / "commands")
    wrong = {
        f"{file.name}: {name}"
        for file in commands
        for name in imported(file)
        if name.startswith("amplify_delivery.commands")
    }
    assert len(commands) > 10
    assert wrong == set()


def test_tests_of_the_delivery_lie_where_what_they_test_does() -> None:
    """In a folder of the same name; beside the rooms only those of what lies beside the rooms."""
    house = SOURCES["amplify_delivery"] / "delivery"
    tests = ROOT / "packages" / "amplify-delivery" / "tests" / "unit" / "delivery"
    rooms = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")}
    assert len(rooms) > 20
    assert [str(room) for room in sorted(rooms) if not (house / room).is_dir()] == []
    alone = {file.stem.removeprefix("test_") for file in tests.glob("test_*.py")}
    assert sorted(alone - {file.stem for file in house.glob("*.py")}) == []


MOST_MODULES = 16
REGISTRIES = {
    "amplify_delivery/commands": "one module for each command, found by its name",
    "aws_rehearsal/local_aws/patches": "one for each divergence, by what it is about",
    "aws_rehearsal/providers/classic": "one for each type of resource",
}
"""Folders that may have more: a reader looks one entry up, and needs none of the others."""


@pytest.mark.parametrize("folder", folders(), ids=lambda f: str(f.relative_to(ROOT / "packages")))
def test_a_folder_can_be_overlooked(folder: Path) -> None:
    name = folder.relative_to(next(root.parent for root in SOURCES.values() if folder.is_relative_to(root))).as_posix()
    assert len(in_folder(folder)) <= MOST_MODULES or name in REGISTRIES


def test_so_can_a_folder_of_tests() -> None:
    found = {folder for root in ROOT.glob("packages/*/tests") for folder in (root, *root.rglob("*/"))}
    sizes = {str(folder.relative_to(ROOT / "packages")): len(in_folder(folder)) for folder in found}
    assert len(sizes) > 60
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


def in_folder(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*.py") if file.name != "__init__.py"]


def test_everything_is_type_checked() -> None:
    """Tests, benchmarks and tools included: errors hide where nobody looks."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    checked = {*settings["packages"], *settings["modules"]}
    roots = [ROOT / path for path in settings["mypy_path"]]
    for file in modules(ROOT):
        if {".venv", "build"} & set(file.relative_to(ROOT).parts):
            continue
        root = max((root for root in roots if file.is_relative_to(root)), key=lambda path: len(path.parts))
        name = ".".join(file.relative_to(root).with_suffix("").parts)
        assert {name, top(name)} & checked, f"{file.relative_to(ROOT)}: name its package in pyproject.toml's mypy"


@pytest.mark.parametrize(
    ("fact", "place"),
    [
        ("aws:cloudformation/stack:Stack", "components/documents/rights/pulumi_types.py"),
        ("AWS::CloudFormation::Stack", "export/model.py"),
        ("[a-z][a-z0-9]{1,9}", "export/names.py"),
        ("requirements.lock", "components/documents/pipeline/buildspecs.py"),
    ],
)
def test_a_fact_stands_once(fact: str, place: str) -> None:
    """The root stack's types stood nine times."""
    files = [file for file in modules(SOURCES["amplify_delivery"]) if f'"{fact}"' in file.read_text()]
    assert [file.relative_to(SOURCES["amplify_delivery"]).as_posix() for file in files] == [place]


_DAYS = re.compile(r"(?:deletion_window_in_days=|PendingWindowInDays\"?[=:]) *(\w+)")
_REGIONAL = re.compile(r"-\{[\w.]*region\}-an\b")


def test_how_long_a_key_waits_stands_once() -> None:
    texts = [file.read_text() for file in modules(SOURCES["amplify_delivery"])]
    said = [days for text in texts for days in _DAYS.findall(text)]
    assert len(said) > 3
    assert set(said) == {"KEY_DAYS"}
    assert sum(text.count("\nKEY_DAYS = ") for text in texts) == 1


def test_the_name_of_a_regional_bucket_is_made_in_one_place() -> None:
    product = SOURCES["amplify_delivery"]
    making = [f.relative_to(product).as_posix() for f in modules(product) if _REGIONAL.search(f.read_text())]
    assert making == ["components/names.py"]


def fields_of(file: Path) -> dict[str, frozenset[str]]:
    """The annotated fields of each class of a module."""
    return {
        node.name: frozenset(
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        )
        for node in parsed(file).body
        if isinstance(node, ast.ClassDef)
    }


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= 4 and len(one & other) >= 0.75 * min(len(one), len(other))


def test_the_pipeline_is_modelled_once() -> None:
    """Eight classes stood twice, and ranges were checked twice. `stacks/packaged` gives the same to other languages,
    held to the models by `test_packaged.py`."""
    product = SOURCES["amplify_delivery"]
    models = [product / "components/documents/pipeline" / f"{name}_models.py" for name in ("source", "stage")]
    own = {name: fields for file in models for name, fields in fields_of(file).items()}
    others = [f for f in modules(product) if f not in models and not f.is_relative_to(product / "stacks/packaged")]
    again = {
        f"{file.relative_to(product)}: {other} is {name}"
        for file in others
        for other, fields in fields_of(file).items()
        for name, known in own.items()
        if alike(fields, known)
    }
    assert {"Step", "Stage", "Approval", "ConnectionSource"} <= own.keys()
    assert again == set()


EVALUATORS = {
    "Fn::And": {"conditions", "backend"},
    "Fn::Equals": {"resolve", "exported", "backend"},
    "Fn::FindInMap": {"resolve", "exported"},
    "Fn::Not": {"conditions"},
    "Fn::Or": {"conditions"},
    "Fn::Sub": {"expressions", "resolve", "exported", "account_template", "successors"},
}
"""The modules that ask for a function of CloudFormation's, and so know what it does. `exported` looks for literals in
what stands there, `successors` for a name, `account_template` for what it has written itself, `backend` (of the front
end's configuration) for a constant that the Amplify CLI writes into a condition."""


def asked_for(file: Path) -> set[str]:
    """The functions of CloudFormation's that a module looks for in what it is given: compared with, got by or taken out
    by name. What writes one says it as a key."""
    asking: list[ast.expr] = []
    for node in walk(parsed(file)):
        if isinstance(node, ast.Compare):
            asking += [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop"):
            asking += node.args[:1]
        elif isinstance(node, ast.Subscript):
            asking.append(node.slice)
    said = [part for node in asking for part in (getattr(node, "elts", None) or [node])]
    return {part.value for part in said if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def test_expressions_of_cloudformation_are_evaluated_in_one_place() -> None:
    """Three evaluators of conditions stood in the product, each with gaps of its own."""
    found: dict[str, set[str]] = {function: set() for function in EVALUATORS}
    for file in modules(SOURCES["amplify_delivery"]):
        for function in asked_for(file) & EVALUATORS.keys():
            found[function].add(file.stem)
    assert found == EVALUATORS


AWS_ERRORS = "publishing/aws_errors.py"


def test_one_module_knows_botocores_errors() -> None:
    product = SOURCES["amplify_delivery"]
    found = {
        file.relative_to(product).as_posix()
        for file in modules(product)
        for name in imported(file)
        if name.startswith(("botocore.exceptions", "boto3.exceptions"))
    }
    assert found == {AWS_ERRORS}


def handlers(file: Path) -> set[str]:
    """What a module does with errors of AWS by itself: the tuple of them, or those that a client makes
    (`client.exceptions.NoSuchBucket`), wherever they stand."""
    return {
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in walk(parsed(file))
        if (isinstance(node, ast.Name) and node.id == "AWS_ERRORS")
        or (isinstance(node, ast.alias) and node.name == "AWS_ERRORS")
        or (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "exceptions"
        )
    }


def test_what_aws_refuses_is_handled_in_one_place() -> None:
    """By its context managers: 91 handlers stood beside them, each with a decision of its own."""
    product = SOURCES["amplify_delivery"]
    found = {file.relative_to(product).as_posix(): handlers(file) for file in modules(product)}
    assert {name: what for name, what in found.items() if what}.keys() == {AWS_ERRORS}


def test_a_handler_beside_it_is_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "try:\n    f()\nexcept s3.exceptions.NoSuchKey:\n    pass\nexcept (*AWS_ERRORS, OSError):\n    pass\n"
    )
    assert handlers(file) == {"line 3: s3.exceptions.NoSuchKey", "line 5: AWS_ERRORS"}


def test_every_error_of_a_deployment_says_whether_something_was_changed() -> None:
    """`DeployError` itself is for whoever catches: what is raised is refused or has failed."""
    raised = {
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for distribution in ("amplify_delivery", "amplify_delivery_rehearsal")
        for file in modules(SOURCES[distribution])
        for node in nodes(file)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "DeployError"
    }
    assert raised == set()


def test_a_long_function_says_why() -> None:
    """Of 60 lines at most, or with `Long:` and the reason in its docstring. How it branches, ruff counts (C901)."""
    long = set()
    tests = [ROOT / "tests", *ROOT.glob("packages/*/tests"), ROOT / "packages" / "tests"]
    roots = (*SOURCES.values(), ROOT / "components", ROOT / "benchmarks", *tests)
    for file in [f for root in roots for f in modules(root)]:
        for node in nodes(file):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > 60 and "Long: " not in (ast.get_docstring(node) or ""):
                    long.add(f"{file.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert long == set()


AROUND = {
    "cli.py": "the edge: makes the context that commands pass down",
    "testing.py": "an edge of its own: called by a team's tests",
    "delivery/scaffold/__main__.py": "an edge of its own: `python -m`",
    "stacks/backend.py": "the program: the environment is all that the engine gives it",
    "stacks/programs.py": "likewise: what the engine was started for",
    "stacks/packaged/inputs.py": "the engine starts a package's process in the program's folder",
    "stacks/inputs.py": "read by the program and by commands, which must not disagree about what is deployed",
    "delivery/engine/pulumi_command.py": "the engine inherits the environment of whoever calls",
    "delivery/project/shell.py": "a step's shell does as well",
    "publishing/examination/lint.py": "cfn-lint's process does as well",
    "publishing/examination/cache.py": "where a machine keeps what can be made again: no result hangs on it",
}
"""Modules that read the working directory or the environment themselves, and why."""
_AROUND = re.compile(r"\bos\.environ\b|\bos\.getenv\b|\bos\.getcwd\b|\bPath\.cwd\(\)|\bPath\(\)|\bPath\(\"\.\"\)")


def test_what_is_around_a_command_is_read_at_the_edge() -> None:
    product = SOURCES["amplify_delivery"]
    reading = {file.relative_to(product).as_posix() for file in modules(product) if _AROUND.search(file.read_text())}
    assert reading == set(AROUND)


SAME_NAME = {
    "engine": "the class that the room is about",
    "plan": "what the command `plan` prints",
    "packing": "wheels, and policies: nobody imports both",
}


def test_rooms_of_the_delivery_have_no_two_modules_of_one_name() -> None:
    """Nor one that is called as a command, a room, or what the documents have: a reader trips over it."""
    product = SOURCES["amplify_delivery"]
    inside = [file for file in modules(product / "delivery") if not file.stem.startswith("__")]
    rooms = {path.name for path in (product / "delivery").iterdir() if path.is_dir()}
    commands = {file.stem for file in modules(product / "commands")}
    documents = {file.stem for file in modules(product / "components" / "documents")}
    stems = [file.stem for file in inside]
    assert {stem for stem in stems if stems.count(stem) > 1} == set()
    assert set(stems) & (rooms | commands | documents) - SAME_NAME.keys() == set()


def test_what_is_public_says_what_it_is() -> None:
    """Functions and classes of the product, but for what every command has: its arguments and its run."""
    silent = {
        f"{file.relative_to(ROOT)}: {node.name}"
        for file in modules(SOURCES["amplify_delivery"])
        for node in parsed(file).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not (file.parent.name == "commands" and node.name in ("add_arguments", "run"))
    }
    assert silent == set()


_PARTS = re.compile(r"^(?:async )?(?:def|class) ", re.MULTILINE)
"""Where a function or a class of a module begins."""


def test_a_test_is_about_one_thing() -> None:
    """Where one has twenty assertions, it is about five: its name says one of them."""
    files = [file for folder in ROOT.glob("packages/*/tests") for file in modules(folder)]
    long = {
        node.name
        for file in files
        if any(part.count("assert") >= 20 for part in _PARTS.split(file.read_text()))  # the others need not be parsed
        for node in nodes(file)
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and sum(isinstance(inner, ast.Assert) for inner in walk(node)) >= 20
    }
    assert long == set()


_MODULES = r"(?:[\w.]+\.)?(?:time|subprocess)"
_OF_ALL_THREADS = re.compile(rf"""(?:setattr|patch|object)\(\s*(?:{_MODULES}(?:\.\w+)*\s*,|"{_MODULES}\.[\w.]+"\s*,)""")
"""What replaces a name of these modules."""
ITS_OWN = {
    "test_setup.py": "the fast tier's watch refuses a process of the test's own thread there",
    "test_wrong_files.py": "whoever reaches out from any thread fails",
}
"""Tests of the fast tier that replace what starts a process, and why."""


def test_what_other_threads_use_is_not_replaced() -> None:
    """`time.sleep` is that of a service of another test as well, whose threads go on in the same process:
    `aws_rehearsal_tests.clock` replaces it for the modules that a test is about."""
    files = [file for folder in ROOT.glob("packages/*/tests") for file in modules(folder)]
    replacing = {file.name for file in files if file != Path(__file__) and _OF_ALL_THREADS.search(file.read_text())}
    assert replacing == set(ITS_OWN)


@pytest.mark.parametrize(
    ("call", "refused"),
    [
        ('monkeypatch.setattr("time.sleep", slept.append)', True),
        ('monkeypatch.setattr(time, "sleep", slept.append)', True),
        ('monkeypatch.setattr("amplify_delivery.delivery.bootstrap.progress.time.monotonic", clock)', True),
        ('mock.patch.object(subprocess.Popen, "wait", over)', True),
        ('monkeypatch.setattr(module, "time", clock)', False),
        ('monkeypatch.setattr("amplify_delivery.delivery.pipeline.late_rights.time", clock)', False),
        ('monkeypatch.setattr(waiting, "sleep", slept.append)', False),
    ],
)
def test_a_replacement_is_found(call: str, refused: bool) -> None:
    assert bool(_OF_ALL_THREADS.search(call)) == refused
