"""Options made from signatures: how values are written, and that no parameter is missed."""

import argparse
import importlib
import inspect

import pytest

from neural_style.cli import matte, signatures, stylize, train, transfer, video, weights
from neural_style.cli.forms import Form, forms_of
from neural_style.cli.main import command_parser
from neural_style.cli.options import add_options

#: Command -> the functions that it calls.
COMMANDS = {
    "transfer": [("iterative.transfer", "transfer")],
    "train": [("feedforward.training", "train_transform_net")],
    "stylize": [("feedforward.stylize", "stylize")],
    "video": [("video.film", "stylize_video"), ("video.camera", "stylize_camera")],
    "matte": [("images.matting", "trimap_from_mask"), ("images.matting", "estimate_alpha")],
    "weights": [("vgg.weights", "vgg_weights")],
}
MODULES = {
    "transfer": transfer,
    "train": train,
    "stylize": stylize,
    "video": video,
    "matte": matte,
    "weights": weights,
}


def options_of(command):
    """{parameter: its action} of a command's parser, without --help."""
    actions = command_parser()[1].choices[command]._actions
    return {action.dest: action for action in actions if action.dest != "help"}


def known_to_python(command):
    """The names of the parameters of all functions of a command."""
    return {
        name
        for module, function in COMMANDS[command]
        for name, parameter in inspect.signature(
            getattr(importlib.import_module(f"neural_style.{module}"), function)
        ).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_each_parameter_is_an_option_or_left_out_for_a_reason(command):
    """Python's own signatures are the oracle, so a new parameter needs a decision."""
    left_out = getattr(MODULES[command], "LEFT_OUT", {})
    options, known = options_of(command), known_to_python(command) - {*left_out}
    assert known <= {*options} and all(left_out.values())
    made = [options[name] for name in known]
    assert all(action.default is argparse.SUPPRESS for action in made)
    assert all(action.option_strings[0] == f"--{action.dest.replace('_', '-')}" for action in made)


def test_a_film_takes_the_options_of_transfer_that_it_can():
    from neural_style.video.frames import OPTIONS

    taken = {*OPTIONS} - {*transfer.LEFT_OUT}
    assert {*video.film_options()} == taken <= {*options_of("video")}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_tables_of_a_command_say_nothing_that_the_signatures_tell(command):
    """Whatever can be read from the functions is not typed a second time."""
    module = MODULES[command]
    tables = [getattr(module, name, {}) for name in ("LEFT_OUT", "TYPES", "FORMS", "TEXTS")]
    also = {*video.film_options()} if command == "video" else set()
    assert {name for table in tables for name in table} <= known_to_python(command) | also
    for function in COMMANDS[command]:
        for name, parameter in signatures.parameters(*function).items():
            if name in getattr(module, "TYPES", {}) and parameter.annotation is not None:
                assert not forms_of(parameter.annotation, parameter.file), name
                assert getattr(parameter.annotation, "id", "") != "bool", name


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_is_described(command):
    for name, action in options_of(command).items():
        assert action.help and not action.help.startswith("(default"), name


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_shown_in_any_width(command, monkeypatch):
    """argparse fails on some metavars where the usage has several lines, and on a bare %."""
    for width in ("20", "80", "500"):
        monkeypatch.setenv("COLUMNS", width)
        assert command_parser()[1].choices[command].format_help()


#: A text that does not fit.
ERROR = object()

VALUES = [
    ("int", "7", 7),
    ("int", "1.5", ERROR),
    ("float", "1e-5", 1e-5),
    ("str", "none", "none"),
    ("int | None", "none", None),
    ("int | None", "None", None),
    ("int | None", "64", 64),
    ("int | None", "auto", ERROR),
    ("int | Literal['auto'] | None", "auto", "auto"),
    ("int | Literal['auto'] | None", "none", None),
    ("int | Literal['auto'] | None", "x", ERROR),
    ("Literal['avg', 'max']", "max", "max"),
    ("Literal['avg', 'max']", "sum", ERROR),
    ("Literal[8, 16]", "16", 16),
    ("Layers", "conv1_1,conv2_1", ["conv1_1", "conv2_1"]),
    ("Layers", "conv1_1,conv2_1=0.5", {"conv1_1": 1.0, "conv2_1": 0.5}),
    ("Layers", "conv1_1=x", ERROR),
    ("float | Sequence[float]", "0.5", 0.5),
    ("float | collections.abc.Sequence[float]", "0,1", [0.0, 1.0]),
    ("float | Sequence[float]", "0,x", ERROR),
    ("tuple[int, ...]", "1,2,4", (1, 2, 4)),
    ("str | Mapping[str, str]", "paper", "paper"),
    ("str | Mapping[str, str]", "content=mean,style=sum", {"content": "mean", "style": "sum"}),
    ("int | Mapping[int, int] | None", "50", 50),
    ("int | Mapping[int, int] | None", "128=200,512=50", {128: 200, 512: 50}),
    ("int | Mapping[int, int] | None", "128=x", ERROR),
    ("int | Mapping[int, int] | None", "128=200,512", ERROR),
    ("Mapping | None", "exponent=1.5,reduction=mean", {"exponent": 1.5, "reduction": "mean"}),
    ("dict[str, Any] | None", "separate=true,a=2", {"separate": True, "a": 2}),
    ("Mapping[str, object]", "separate=false", {"separate": False}),
    ("str | keras.Model", "vgg19", "vgg19"),
    ("'str | keras.Model'", "vgg19", "vgg19"),
    ("str | os.PathLike[str] | Weights | None", "a,b=c.h5", "a,b=c.h5"),
    ("Picture | None", "a,b=c.png", "a,b=c.png"),
]


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that makes a parser of a function's source text."""

    def forget():
        signatures.parameters.cache_clear()
        signatures._statements.cache_clear()

    def parser(source, **options):
        forget()
        (tmp_path / "room.py").write_text(source)
        parser = argparse.ArgumentParser(prog="paint")
        add_options(parser, "room", "paint", **options)
        return parser

    monkeypatch.setattr(signatures, "PACKAGE", tmp_path)
    yield parser
    forget()


@pytest.mark.parametrize("annotation,text,value", VALUES)
def test_values_are_written_by_their_annotation(written, annotation, text, value):
    """In the table, ERROR stands for a text that does not fit."""
    parser = written(f"def paint(it: {annotation}): ...")
    assert vars(parser.parse_args([])) == {}
    if value is ERROR:
        with pytest.raises(SystemExit) as stop:
            parser.parse_args(["--it", text])
        assert stop.value.code == 2
        return
    found = vars(parser.parse_args(["--it", text]))["it"]
    assert found == value and type(found) is type(value)


def test_an_error_says_what_was_expected(written, capsys):
    parser = written("def paint(tile: int | Literal['auto'] | None, x: Mapping[int, float]): ...")
    for arguments, line in [
        (["--tile", "x"], "--tile: expected an integer, auto or none. Received: 'x'"),
        (["--x", "1"], "--x: expected N=X with commas between. Received: '1'"),
    ]:
        with pytest.raises(SystemExit):
            parser.parse_args(arguments)
        assert capsys.readouterr().err.endswith(f"paint: error: argument {line}\n")
    assert "--tile N|auto|none" in parser.format_usage()


def test_a_bool_is_an_option_with_its_opposite(written):
    parser = written("def paint(keep_color: bool = True): ...")
    assert parser.parse_args(["--keep-color"]).keep_color is True
    assert parser.parse_args(["--no-keep-color"]).keep_color is False
    assert vars(parser.parse_args([])) == {}


def test_an_alias_means_what_the_package_assigns_to_it(written, tmp_path):
    (tmp_path / "types.py").write_text("Side: TypeAlias = int | None\n")
    parser = written("from .types import Side\ndef paint(side: Side = 3): ...")
    assert parser.parse_args(["--side", "none"]).side is None
    assert parser.parse_args(["--side", "5"]).side == 5


def test_a_type_that_no_text_can_give_needs_one_from_the_command(written):
    source = "def paint(it: keras.Model | None = None, callback=None): ..."
    with pytest.raises(TypeError, match="type a text can give. Received: it in .*room.py"):
        written(source, leave_out=["callback"])
    with pytest.raises(TypeError, match="Received: callback"):
        written(source, types={"it": "int"})
    parser = written(source, leave_out=["callback"], types={"it": "int"})
    assert parser.parse_args(["--it", "3"]).it == 3
    own = {"it": Form(0, "a word", "WORD", str.upper)}
    parser = written(source, leave_out=["callback"], forms=own)
    assert parser.parse_args(["--it", "word"]).it == "WORD" and "--it WORD" in parser.format_usage()


def test_help_is_the_docstrings_and_the_default(written):
    source = """
SIDES = {"a": 1.0, "b": 0.5}
def paint(size: int = 512, share: float = 1e-5, sides: Layers = SIDES, keep: bool = False,
          name: str | None = None, other: str = "x", whole: int = 3, long: int = 0):
    '''Paint.

    Args:
        size: longer side, at most 100 % of the
            picture's, in `pixels`.
        share: First. Second.
        sides: Layers.
        keep: Keep it. False: throw it away.
        name: None: the file's.
        other: PNG's.
        long: {one} {two}
    '''
"""
    one, two = "One" + 400 * "." + ".", "Two" + 400 * "." + "."
    source = source.replace("{one} {two}", f"{one} {two}")
    parser = written(source, texts={"whole": "Whole: 100 %"})
    helps = {action.dest: action.help for action in parser._actions[1:]}
    assert helps == {
        "size": "Longer side, at most 100 %% of the picture's, in pixels (default: 512)",
        "share": "First. Second (default: 1e-05)",
        "sides": "Layers (default: a=1, b=0.5)",
        "keep": "Keep it. --no-keep: throw it away (default: no)",
        "name": "None: the file's",
        "other": "PNG's (default: x)",
        "whole": "Whole: 100 %%",
        "long": f"{one.removesuffix('.')} (default: 0)",
    }
    assert "at most 100 % of" in " ".join(parser.format_help().split())
