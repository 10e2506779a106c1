"""The files: their names, and a form that their readers take."""

from __future__ import annotations

from amplify_delivery.client_config import FILES, PLATFORMS, files
from unit.client_config.backends import REGION, backend, data, everything, resource


def test_every_platform_has_its_files() -> None:
    for platform in PLATFORMS:
        assert tuple(files(everything(), platform)) == FILES[platform]


def test_both_files_of_a_web_app_say_the_same() -> None:
    module, document = files(everything(), "javascript").items()
    assert data(*module) == data(*document)
    assert module[1].startswith("/* eslint-disable */\n// Made by amplify-delivery")


def test_dart_reads_no_dollar_and_no_backslash_in_it() -> None:
    """`$LATEST` in a plain text of Dart is a variable: it would not compile."""
    plain = files(backend(), "flutter")["amplifyconfiguration.dart"]
    assert plain.startswith("const amplifyconfig = '''{")
    bot = backend(
        resource("interactions/bot", "Lex", {"BotName": "it's '''", "Region": REGION}),
        resource("auth/a", "Cognito", {}),
    )
    text = files(bot, "flutter")["amplifyconfiguration.dart"]
    assert text.startswith("const amplifyconfig = r'''{")
    assert text.count("'''") == 2
    assert "it's '''" in data("x.dart", text)["auth"]["plugins"]["awsCognitoAuthPlugin"]["Lex"]


def test_flutter_reads_gen_2s_outputs_as_a_constant() -> None:
    text = files(everything(), "outputs-dart")["amplify_outputs.dart"]
    assert text.startswith("const amplifyConfig = ")
    assert data("amplify_outputs.dart", text) == data("x.json", files(everything(), "outputs")["amplify_outputs.json"])
