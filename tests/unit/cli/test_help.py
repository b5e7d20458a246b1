import shlex
from importlib import import_module

import pytest
import typer

from imgconv.cli import COMMANDS, main
from imgconv.cli.help import EXAMPLES, GroupedCommand


def options_of(name):
    """Return the options of a command by their longest name."""
    module, _, function = COMMANDS[name].partition(":")
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(cls=GroupedCommand)(getattr(import_module(module), function))
    command = typer.main.get_command(app)
    return {option.opts[0]: option for option in command.params if option.opts[0].startswith("-")}


def test_an_option_has_one_name_one_metavar_and_one_meaning_over_all_commands():
    own_words = {
        "--as",
        "--to",
        "--output",
        "--overwrite",
        "--quality",
        "--set",
    }  # of another thing each
    seen = {}
    for command in COMMANDS:
        for name, option in options_of(command).items():
            facts = (option.metavar, option.help, sorted(option.opts))
            if name not in own_words:
                assert seen.setdefault(name, facts) == facts, f"{command} {name}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained_and_names_its_value(command):
    for name, option in options_of(command).items():
        assert option.help, name
        assert option.is_flag or option.metavar or hasattr(option.type, "choices"), name


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_name_options_that_there_are(command):
    known = {text for option in options_of(command).values() for text in option.opts}
    assert EXAMPLES[command]
    for example in EXAMPLES[command]:
        words = shlex.split(example)
        assert words[:2] == ["imgconv", command]
        assert {word for word in words if word.startswith("-")} <= known


def test_help_groups_options_and_ends_with_examples(capsys):
    assert main(["convert", "--help"]) == 0
    text = capsys.readouterr().out
    places = [text.index(f"\n{name}:\n") for name in ("Options", "DICOM output", "Picture output")]
    assert places == sorted(places)
    assert text.index("\nBatch:\n") < text.index(
        "Examples:\n    imgconv convert scans/ -o volumes/\n"
    )
    assert "<int" not in text
