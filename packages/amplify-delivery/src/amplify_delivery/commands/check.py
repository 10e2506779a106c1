"""`amplify-delivery check [EXPORT]`: every finding about an export; and what findings there are at all."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.printing import exports
from amplify_delivery.delivery.project import sources, stack_files
from amplify_delivery.errors import REFUSED, ConfigError
from amplify_delivery.export import Export, ExportRefused, Finding, assemble, check, read_export
from amplify_delivery.export.assembling.images import NO_IMAGES
from amplify_delivery.export.images.model import Images
from amplify_delivery.export.values.bindings import told

ABOUT = About(
    needs="files",
    text="""
Prints each finding with its id, the file, what is wrong and what to do. What can be repaired, `assemble` repairs and
reports; what cannot is refused, with exit code 3.

An export with a plain-text client secret is refused unless each of the environments overrides it by a secret of its
own. For the project's export, the environments are by default those that its pipelines deliver, else all of them;
they must name the same export.

`--list` prints everything that can be found. `--explain` says what an id stands for, what AWS would answer, what to
do, whether and how it can be overruled, and where that is written: of the id that is given, else of everything that
is found in the export. An id is understood as AD305, as 305, or as a rule of cfn-lint (E3012); an unknown one is
refused with the nearest.
""",
    examples=(
        ("amplify-delivery check", "the project's export"),
        ("amplify-delivery check amplify-export-app --explain", "what is found in this export, explained"),
        ("amplify-delivery check --explain AD305", "one finding, explained"),
    ),
    pages=(
        "building",
        "checks",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    stack_files.add_export(parser)
    stack_files.add_environment(parser, several=True)
    reading = parser.add_mutually_exclusive_group()
    reading.add_argument(
        "--list", action="store_true", help="list everything that can be found, by id; reads no export"
    )
    reading.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="ID",
        help="say what an id is, why, and what to do (AD305, or E3012); without ID, of all that is found in the export",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    if args.list:
        return _list(args)
    _tell_apart(args)
    if args.explain and args.export is None and not args.environment:
        return _explain_id(args)
    folder, secrets = sources.named(context.folder, args.export, args.environment)
    export = read_export(folder)
    images = sources.named_images(context.folder, args.export, args.environment)
    built = image_notes(args, context, images)
    findings = worth_telling(export, secrets, args.environment, context.folder, images)
    if args.explain is not None:
        return _explain_found(args, export, findings)
    if not args.json:
        code = exports.findings(export, findings)
        for note in [] if code else [*built, *boundary_notes(export, secrets, args.environment, context, images)]:
            print(f"note: {note}")
        return code
    if any(f.severity == "refused" for f in findings):
        raise ExportRefused(findings)
    notes = [*built, *boundary_notes(export, secrets, args.environment, context, images)]
    output.document({"export": str(folder), "findings": [f.to_json() for f in findings], "notes": notes})
    return 0


def image_notes(args: argparse.Namespace, context: Context, images: Images) -> list[str]:
    """What is to be said of a builder for the images. Raises `ConfigError` where the pipeline's Build may use none."""
    if not images.given:
        return []
    from amplify_delivery.delivery.project.images import building  # noqa: PLC0415 - as below

    declared = sources.declared_images(context.folder, args.environment or sources.delivered(context.folder))
    return building.notes(declared, context.project)


def _list(args: argparse.Namespace) -> int:
    """What stands in the catalogue: of no export."""
    from amplify_delivery.changes import catalogue  # noqa: PLC0415 - all that examines, which a check does without
    from amplify_delivery.delivery.printing import rules  # noqa: PLC0415

    for name, given in (("EXPORT", args.export), ("--environment", args.environment)):
        if given:
            raise ConfigError(
                "--list takes no export",
                where=name,
                remedy="leave it out; `check EXPORT --explain` explains what is found in an export",
            )
    rules.listed(catalogue.all_rules(), as_json=args.json)
    return 0


def _tell_apart(args: argparse.Namespace) -> None:
    """`--explain FOLDER`: the folder is what is checked, not an id."""
    if args.explain and args.export is None and Path(args.explain).is_dir():
        args.export, args.explain = Path(args.explain), ""


def _explain_id(args: argparse.Namespace) -> int:
    """One id, of no export."""
    from amplify_delivery.changes import catalogue  # noqa: PLC0415
    from amplify_delivery.delivery.printing import rules  # noqa: PLC0415

    rules.explained(catalogue.explain(args.explain), as_json=args.json)
    return 0


def _explain_found(args: argparse.Namespace, export: Export, findings: Sequence[Finding]) -> int:
    """What is found in the export, by id, each explained; with an id that one alone. The exit code is the check's."""
    from amplify_delivery.changes import catalogue  # noqa: PLC0415
    from amplify_delivery.delivery.printing import rules  # noqa: PLC0415

    wanted = catalogue.explain(args.explain) if args.explain else None
    explained = [wanted] if wanted else [catalogue.explain(id) for id in dict.fromkeys(f.id for f in findings)]
    rules.explained_in(str(export.path), explained, findings, as_json=args.json)
    return REFUSED if any(f.severity == "refused" for f in findings) else 0


def worth_telling(
    export: Export,
    secrets: Collection[tuple[str, str]],
    environments: Sequence[str],
    folder: Path,
    images: Images = NO_IMAGES,
) -> tuple[Finding, ...]:
    """Every finding, but those about literals that all of these environments take (`keptLiterals`)."""
    findings = check(export, secrets, images)
    kept = stack_files.kept_literals(folder, environments)
    if not kept or any(f.severity == "refused" for f in findings):
        return findings
    return told(assemble(export, secrets, images), kept)


def boundary_notes(
    export: Export,
    secrets: Collection[tuple[str, str]],
    environments: Sequence[str],
    context: Context,
    images: Images = NO_IMAGES,
) -> list[str]:
    """What bootstrapped ones of these environments will deny to the export's roles, by their accounts' files.

    The export has nothing that is refused. Raises `ConfigError` for a file that is wrong.
    """
    if not environments:
        return []
    from amplify_delivery.delivery.environment import boundary_check  # noqa: PLC0415 - pydantic and PyYAML, which a check of an export does without

    assembly = assemble(export, secrets, images)
    return [note for name in environments for note in boundary_check.notes(assembly, name, context.project)]
