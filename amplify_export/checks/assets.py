"""Checks of the files that templates need beside themselves."""

from __future__ import annotations

from amplify_export.archives import ArchiveError
from amplify_export.assets import BUILDS_FOLDER
from amplify_export.checks.context import Context, Found
from amplify_export.findings import listed
from amplify_export.read import REEXPORT


def _folder(context: Context, name: str) -> str:
    resource = context.assets.resources[name]
    return f"{resource.category}/{resource.name}/{BUILDS_FOLDER}"


class NoArchive:
    """A function, layer or container API without its zip."""

    id = "AD401"
    severity = "refused"

    def find(self, context: Context) -> Found:
        for name, stack in context.export.root.nested.items():
            if context.assets.needs_archive(stack) and not context.assets.layer_files(stack):
                files = context.assets.builds(name)
                if not any(f.endswith(".zip") for f in files):
                    yield _folder(context, name), f"holds no zip for {name}", REEXPORT


class SeveralArchives:
    """Two files where one zip belongs: nobody can tell which one is meant."""

    id = "AD402"
    severity = "refused"

    def find(self, context: Context) -> Found:
        for name, stack in context.export.root.nested.items():
            if not context.assets.needs_archive(stack):
                continue
            files, named = context.assets.builds(name), context.assets.layer_files(stack)
            extra = [f for f in files if f not in named] if named else files
            if len(extra) > (0 if named else 1):
                yield (
                    _folder(context, name),
                    f"holds {len(files)} files where {len(named) or 1} belong: {listed(files)}",
                    "delete what does not belong to this export, or export again",
                )


class BrokenArchive:
    """A zip that is none, is cut off, leaves its folder, or grows over Lambda's 250 MB when unzipped."""

    id = "AD403"
    severity = "refused"

    def find(self, context: Context) -> Found:
        for stack in context.export.root.nested.values():
            named = context.assets.layer_files(stack)
            files = named or tuple(filter(None, (context.assets.archive(stack),)))
            for file in files:
                if file not in context.export.files:
                    continue  # AD406 says it
                try:
                    context.archive_digest(file)
                except ArchiveError as error:
                    yield file, str(error), REEXPORT


class NoAppSyncFiles:
    """A GraphQL API without its schema and resolvers."""

    id = "AD405"
    severity = "refused"

    def find(self, context: Context) -> Found:
        for stack in context.export.root.nested.values():
            folder = context.assets.appsync_folder(stack)
            if folder and not context.assets.has_appsync_files(stack):
                yield folder, f"holds no files, {stack.file} needs them", REEXPORT
