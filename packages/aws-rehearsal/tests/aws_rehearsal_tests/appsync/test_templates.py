"""Velocity as AppSync's mapping templates are written: AWS's own examples, and what Amplify's resolvers lean on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws.appsync.errors import ResolverError, TemplateError, UnsupportedError
from aws_rehearsal.local_aws.appsync.evaluation import Rendered, Returned, evaluate
from aws_rehearsal.local_aws.appsync.parser import parse
from aws_rehearsal.local_aws.appsync.utilities import Surroundings, utilities
from unit.export.conftest import app_export as app_export  # noqa: PLC0414 - the fixture, for this folder too
from unit.export.conftest import large_export as large_export  # noqa: PLC0414
from unit.places import EXPORTS

NOW = 1_700_000_000.25


def rendered(template: str, **context: Any) -> str:
    around = Surroundings("Query", "getPost", "API Key Authorization", lambda: NOW, lambda: "new-id")
    ctx = {"args": {}, "stash": {}, **context}
    outcome = evaluate(template, {"ctx": ctx, "context": ctx, "util": utilities(around)})
    assert isinstance(outcome, Rendered)
    return outcome.text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        # AppSync Developer Guide, "Resolver mapping template programming guide".
        ('#set( $x = "World" )\nHello, $x', "Hello, World"),
        ("#set($a = [1, 2])#foreach($i in $a)$i.#end", "1.2."),
        ("#foreach($i in [1..3])$i#if($foreach.hasNext),#end#end", "1,2,3"),
        ('#set( $m = {"k": "v"} )$m.k $m.get("k") $m["k"]', "v v v"),
        ("#if(!$ctx.args.nothing)none#else some#end", "none"),
        ("#if($ctx.args.n > 2 && $ctx.args.n <= 3)in#elseif(true)out#end", "in"),
        ("$foo $!foo ${foo} $!{foo}.", "$foo  ${foo} ."),
        ("## a comment\nleft#* all\nof it *# right", "left right"),
        # A name in an expression of DynamoDB is no directive.
        ('#set( $e = "#name = :name" )$e', "#name = :name"),
        ('#set( $e = "keyCondition$velocityCount" )$e', "keyCondition$velocityCount"),
        ('#foreach($x in ["a"])"keyCondition$velocityCount"#end', '"keyCondition1"'),
        # Java's text, and what a null is.
        ('$ctx.args.list ${ctx.args.map.keySet()}"$ctx.args.map"', '[a, 1, true, null] [k]"{k=v}"'),
        ('#set( $d = {"a": $nothing} )$util.toJson($d)', '{"a":null}'),
        ("#set( $n = 3 )#set( $n = null )$util.isNull($n)", "true"),
        ("#if([] && '' && 0)true#end", "true"),
        ('#if("1" == 1 && $ctx.args.n == 3.0 && !("a" == "b"))equal#end', "equal"),
        ("#set( $q = 7 / 2 )#set( $r = -7 % 2 )#set( $s = 1 + 2 * 3 )$q $r $s", "3 -1 7"),
        ('#set( $both = "a" + 1 )$both', "a1"),
        ('#set( $q = "say ""hi""" )$q', 'say "hi"'),
        # Methods of Java's.
        ("#set( $t = 'a::b::' )#set( $p = $t.split('::') )$p.size() $p[0]", "2 a"),
        ("#set( $s = 'x.y' )$s.replaceAll('[.]', '-') $s.contains('.') $s.length()", "x-y true 3"),
        ("#set( $l = ['a'] )$util.qr($l.add('b'))$util.qr($l.addAll(['c']))$l.contains('b') $l", "true [a, b, c]"),
        ("#foreach( $e in $ctx.args.map.entrySet() )$e.key=$e.value#end", "k=v"),
        ("#foreach( $n in [1..9] )#if( $n == 3 )#break#end$n#end", "12"),
        ("#macro( twice $x )$x$x#end#twice('ab')", "abab"),
        # AppSync Developer Guide, "Utility helpers in $util".
        ("$util.defaultIfNullOrBlank('  ', 'd') $util.defaultIfNull(null, 'n') $util.isNullOrEmpty([])", "d n true"),
        ("$util.matches('a*b', 'aaaaab') $util.typeOf({}) $util.isString('')", "true Map true"),
        ("$util.base64Encode('hello') $util.urlEncode('a b&c') $util.autoId()", "aGVsbG8= a+b%26c new-id"),
        ("$util.time.nowISO8601() $util.time.nowEpochSeconds()", "2023-11-14T22:13:20.250Z 1700000000"),
        ("$util.authType()", "API Key Authorization"),
        # As Amplify asks whether a claim holds a list.
        ("$util.isList($util.parseJson('sub::ann')) $util.isList($util.parseJson('[1]'))", "false true"),
        ("$util.dynamodb.toDynamoDBJson('foo')", '{"S":"foo"}'),
        (
            "$util.dynamodb.toDynamoDBJson({'foo': 'bar', 'baz': 1234, 'beep': ['boop']})",
            '{"M":{"foo":{"S":"bar"},"baz":{"N":"1234"},"beep":{"L":[{"S":"boop"}]}}}',
        ),
        ("$util.dynamodb.toStringSetJson(['foo', 'bar'])", '{"SS":["foo","bar"]}'),
        (
            "$util.toJson($util.map.copyAndRetainAllKeys({'a': 1, 'b': 2}, ['b'])) "
            "$util.toJson($util.list.copyAndRemoveAll([1, 2, 3], [2]))",
            '{"b":2} [1,3]',
        ),
    ],
)
def test_a_template_writes(template: str, text: str) -> None:
    args = {"n": 3, "list": ["a", 1, True, None], "map": {"k": "v"}}
    assert rendered(template, args=args) == text


def test_a_return_ends_the_template_with_its_value() -> None:
    assert evaluate("#if(true)#return({'items': []})#end never", {}) == Returned({"items": []})
    assert evaluate("#return", {}) == Returned(None)


@pytest.mark.parametrize(
    ("template", "message", "kind", "data"),
    [
        ("$util.error('no', 'Refused', {'id': 1})", "no", "Refused", {"id": 1}),
        ("$util.unauthorized()", "Not Authorized to access getPost on type Query", "Unauthorized", None),
        ("$util.validate(false, 'bad')", "bad", "CustomTemplateException", None),
    ],
)
def test_a_template_refuses(template: str, message: str, kind: str, data: Any) -> None:
    with pytest.raises(ResolverError) as refused:
        rendered(template)
    assert (refused.value.message, refused.value.error_type, refused.value.data) == (message, kind, data)


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("$util.rds.toJsonString($x)", "$util.rds"),
        ("$util.time.nowFormatted('yyyy')", "$util.time.nowFormatted()"),
        ("$ctx.args.stream()", "the method stream of a dict"),
        ("#parse('other.vm')", "#parse"),
    ],
)
def test_what_is_not_played_is_refused_by_name(template: str, named: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        rendered(template)
    assert named in refused.value.message


def test_a_loop_and_a_range_end_where_appsync_ends_a_loop() -> None:
    """AppSync's quotas, "Iterations in a foreach loop in mapping templates"."""
    loop = "#foreach($i in $ctx.args.list)$i#if($i == 1000 && $ctx.args.leave)#break#end#end"
    assert rendered(loop, args={"list": [1] * 1000}) == "1" * 1000
    assert rendered(loop, args={"list": [1000] * 1001, "leave": True}) == "1000"
    with pytest.raises(TemplateError, match="#foreach has more than 1000 iterations"):
        rendered(loop, args={"list": [1] * 1001})
    ranged = "#set($all = [$ctx.args.first..$ctx.args.last])$all.size()"
    for first, last in ((1, 1000), (1000, 1)):
        assert rendered(ranged, args={"first": first, "last": last}) == "1000"
    # Refused before it is built, as a larger one would fill the memory.
    for first, last in ((0, 1000), (1000, 0), (1, 2_000_000)):
        with pytest.raises(TemplateError, match="A range has more than 1000 numbers"):
            rendered(ranged, args={"first": first, "last": last})


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("one\n#if( $x )", "line 2, column 10: #end is missing"),
        ("#set( $x = )", "line 1, column 12: an expression is missing before ')'"),
        ("#end", "line 1, column 1: #end without a directive that it ends"),
        ('$util.qr("open)', "column 10: the string does not end"),
    ],
)
def test_a_broken_template_is_told_with_its_place(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as refused:
        rendered(template)
    assert reason in refused.value.message


def templates(folder: Path) -> set[str]:
    """All mapping templates of an export: its files, and those that stand in its stacks."""
    found = {file.read_text() for file in folder.rglob("*.vtl")}
    for file in folder.rglob("*.json"):
        found |= set(_inline(json.loads(file.read_text())))
    return found


def _inline(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _inline(one)]
    if not isinstance(value, dict):
        return []
    texts = [value[n] for n in ("RequestMappingTemplate", "ResponseMappingTemplate") if n in value]
    joined = [t["Fn::Join"][1] if isinstance(t, dict) and "Fn::Join" in t else [t] for t in texts]
    whole = ["".join(part if isinstance(part, str) else "joined" for part in parts) for parts in joined]
    return whole + [text for one in value.values() for text in _inline(one)]


def test_every_template_of_the_exports_can_be_parsed() -> None:
    found = templates(EXPORTS)
    assert len(found) > 100
    assert all(parse(template) for template in found)


def test_every_template_of_a_large_export_can_be_parsed(large_export: Callable[[str], Path]) -> None:
    found = templates(large_export("large"))
    assert len(found) > 100
    assert all(parse(template) for template in found)


@pytest.mark.parametrize("name", ["product-catalog", "discussions", "fitness-tracker", "media-vault"])
def test_every_template_of_a_real_app_can_be_parsed(name: str, app_export: Callable[[str, str], Path]) -> None:
    found = templates(app_export(name, "recompiled"))
    assert len(found) > 40
    assert all(parse(template) for template in found)
