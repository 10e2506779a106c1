"""Half of what each start of a built engine would cost, put off until somebody needs it.

A Go program works out its packages' variables as it starts, whatever it was started for. Of the 0.17 s of processor
time of a `pulumi` that does nothing, 0.08 s were the word lists with which `pulumi config set` tells whether a value
looks like a secret, and 0.02 s the schema of packages' schemas, the colours of 200 languages, and the like. So an
engine that is built here gets these packages with that left to the first question for it, and is otherwise the same.
Sources other than those known here are built as they are.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from aws_rehearsal.setup.run import answer

_Changes = Mapping[str, Mapping[str, str]]
"""What to put in place of what, by the file in the module."""

_WORD_LISTS: _Changes = {
    "frequency/frequency.go": {"func init() {": "// Load fills Lists.\nfunc Load() {"},
    "adjacency/adjcmartix.go": {
        'func init() {\n\tGraphMap["qwerty"] =': (
            'func init() {\n\tGraphMap["keypad"] = BuildKeypad()\n}\n\n'
            '// Load fills the rest of GraphMap.\nfunc Load() {\n\tGraphMap["qwerty"] ='
        ),
        '\n\tGraphMap["dvorak"] = BuildDvorak()\n\tGraphMap["keypad"] = BuildKeypad()\n': (
            '\n\tGraphMap["dvorak"] = BuildDvorak()\n'
        ),
    },
    "matching/matching.go": {
        "func init() {\n\tloadFrequencyList()\n}\n": "",
        "func loadFrequencyList() {\n": "func loadFrequencyList() {\n\tadjacency.Load()\n\tfrequency.Load()\n",
    },
}
_ENGINE: _Changes = {
    # Asked for where a package's schema is read.
    "codegen/schema/bind.go": {
        '\t"strings"\n\t"unicode"\n': '\t"strings"\n\t"sync"\n\t"unicode"\n',
        "var MetaSchema *jsonschema.Schema\n\nfunc init() {\n": (
            "var MetaSchema *jsonschema.Schema\n\nvar compiled sync.Once\n\nfunc compileMetaSchema() {\n"
        ),
        "\tif err = MetaSchema.Validate(raw)": (
            "\tcompiled.Do(compileMetaSchema)\n\tif err = MetaSchema.Validate(raw)"
        ),
    },
    # Asked for by tests of the engine alone.
    "resource/stack/deployment.go": {
        '\t"strings"\n\t"unicode/utf8"\n': '\t"strings"\n\t"sync"\n\t"unicode/utf8"\n',
        "\tpropertyValueSchema *jsonschema.Schema\n)\n\nfunc init() {\n": (
            "\tpropertyValueSchema *jsonschema.Schema\n)\n\nvar compiled sync.Once\n\nfunc compileSchemas() {\n"
        ),
        "\treturn deploymentSchema.Validate(raw)": (
            "\tcompiled.Do(compileSchemas)\n\treturn deploymentSchema.Validate(raw)"
        ),
    },
    # Asked for by calls of Pulumi Cloud.
    "backend/httpstate/client/api_endpoints.go": {
        '\t"path"\n': '\t"path"\n\t"sync"\n',
        "func init() {\n": "var routed sync.Once\n\nfunc addRoutes() {\n",
        "\tif !routes.Match(": "\trouted.Do(addRoutes)\n\tif !routes.Match(",
    },
}
_INFLECTOR: _Changes = {
    "inflector.go": {
        "func init() {\n": "var prepared sync.Once\n\nfunc prepareRules() {\n",
        "func getInflected(r Rule, s string) string {\n": (
            "func getInflected(r Rule, s string) string {\n\tprepared.Do(prepareRules)\n"
        ),
    },
}
_COLOURS: _Changes = {
    # A lexer that is written in Go was added to those of the files: it is, once these have been read.
    "lexers/lexers.go": {
        '\t"io/fs"\n': '\t"io/fs"\n\t"sync"\n',
        "// GlobalLexerRegistry is the global LexerRegistry of Lexers.\nvar GlobalLexerRegistry = func() ": (
            "type registry = chroma.LexerRegistry\n\nvar waiting []chroma.Lexer\n\nvar read bool\n\n"
            "var global = sync.OnceValue(func() "
        ),
        "\treturn reg\n}()\n": (
            "\tfor _, lexer := range waiting {\n\t\treg.Register(lexer)\n\t}\n"
            "\tanalyseDNS(reg)\n\tanalyseMySQL(reg)\n\tanalyseZed(reg)\n\tread = true\n\treturn reg\n})\n"
        ),
        "\treturn GlobalLexerRegistry.Names(": "\treturn global().Names(",
        "\treturn GlobalLexerRegistry.Get(": "\treturn global().Get(",
        "\treturn GlobalLexerRegistry.MatchMimeType(": "\treturn global().MatchMimeType(",
        "\treturn GlobalLexerRegistry.Match(": "\treturn global().Match(",
        "\treturn GlobalLexerRegistry.Analyse(": "\treturn global().Analyse(",
        "\treturn GlobalLexerRegistry.Register(lexer)": (
            "\tif read {\n\t\treturn global().Register(lexer)\n\t}\n\twaiting = append(waiting, lexer)\n\treturn lexer"
        ),
    },
    "lexers/dns.go": {
        'func init() { // nolint: gochecknoinits\n\tGet("dns")': (
            'func analyseDNS(known *registry) {\n\tknown.Get("dns")'
        ),
    },
    "lexers/mysql.go": {
        'func init() { // nolint: gochecknoinits\n\tGet("mysql")': (
            'func analyseMySQL(known *registry) {\n\tknown.Get("mysql")'
        ),
    },
    "lexers/zed.go": {
        'func init() { // nolint: gochecknoinits\n\tGet("Zed")': (
            'func analyseZed(known *registry) {\n\tknown.Get("Zed")'
        ),
    },
    "styles/api.go": {
        '\t"sort"\n': '\t"sort"\n\t"sync"\n',
        "// Registry of Styles.\nvar Registry = func() ": "var registry = sync.OnceValue(func() ",
        "\treturn registry\n}()\n": "\treturn registry\n})\n",
        'var Fallback = Registry["swapoff"]\n': "var Fallback *chroma.Style\n",
        "\tRegistry[style.Name] = style\n": "\tregistry()[style.Name] = style\n",
        "range Registry {": "range registry() {",
        "style, ok := Registry[name]": "style, ok := registry()[name]",
        "\treturn Fallback\n": ('\tif Fallback != nil {\n\t\treturn Fallback\n\t}\n\treturn registry()["swapoff"]\n'),
    },
    # Older names of the same, which nobody uses.
    "styles/compat.go": {"package styles\n": "//go:build ignore\n\npackage styles\n"},
}

CHANGES: Mapping[str, _Changes] = {
    "github.com/ccojocar/zxcvbn-go": _WORD_LISTS,
    "github.com/nbutton23/zxcvbn-go": _WORD_LISTS,
    "github.com/pulumi/pulumi/pkg/v3": _ENGINE,
    "github.com/pulumi/inflector": _INFLECTOR,
    "github.com/alecthomas/chroma/v2": _COLOURS,
}
"""By the module's path."""
NAME = hashlib.sha256(repr(CHANGES).encode()).hexdigest()[:8]
"""Of an engine with these changes: another one for others."""


def put_off(go: Path, module: Path, env: Mapping[str, str], folder: Path) -> Path:
    """The module to build instead of `module`, whose own packages have been fetched: a copy in `folder`, or itself
    where the sources are not as known. It names the changed packages by where they lie in it: a build's information
    holds such a path, and no two engines would be the same."""
    listed = answer(go, "-C", module, "list", "-m", "-f", "{{.Path}} {{.Dir}}", *CHANGES, env=env)
    found = dict(line.split(" ", 1) for line in (listed or "").splitlines() if " " in line)
    if found.keys() != CHANGES.keys():
        return module
    copies = {name: folder / str(number) for number, name in enumerate(CHANGES)}
    if not all(changed(name, Path(found[name]), copy) for name, copy in copies.items()):
        return module
    lines = [f"replace {name} => ./{copy.name}\n" for name, copy in copies.items()]
    (folder / "go.mod").write_text("\n".join([(module / "go.mod").read_text(encoding="utf-8"), *lines]), "utf-8")
    shutil.copyfile(module / "go.sum", folder / "go.sum")
    return folder


def changed(name: str, package: Path, copy: Path) -> bool:
    """Copy the module `name`, changed and without its tests; False where its sources are not as known."""
    texts = {}
    for place, changes in CHANGES[name].items():
        file = package / place
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        for old, new in changes.items():
            if text.count(old) != 1:
                return False
            text = text.replace(old, new)
        texts[place] = text
    # Modules that Go has fetched may not be written to, and neither may a copy that keeps their modes.
    shutil.copytree(package, copy, copy_function=shutil.copyfile, ignore=_tests)
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    for place, text in texts.items():
        (copy / place).write_text(text, encoding="utf-8")
    if not (copy / "go.mod").is_file():
        (copy / "go.mod").write_text(f"module {name}\n", encoding="utf-8")
    return True


def _tests(_: str, names: Iterable[str]) -> set[str]:
    """Of the engine's 17,000 files 16,000."""
    return {name for name in names if name == "testdata" or name.endswith("_test.go")}
