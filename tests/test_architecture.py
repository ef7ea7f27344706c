"""The house: imports run downward, heavy packages stay where they are the subject."""

import ast
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "neural_style"
FILES = sorted(PACKAGE.rglob("*.py"))

#: From the ground up: a room may import those before it, and itself.
FLOORS = (
    {"_shared", "_version"},
    {"images"},
    {"widgets"},
    {"plotting"},
    {"vgg"},
    {"provenance"},
    {"losses"},
    {"optimize"},
    {"universal"},
    {"iterative", "feedforward"},
    {"presets"},
    {"video", "atelier"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

#: Modules that may import TensorFlow, wherever in their text.
TENSORFLOW = {
    "_shared/devices.py",  # how many of the machine's threads TensorFlow was given
    "optimize/autodiff.py",
    "optimize/tracing.py",
    "feedforward/paint.py",  # one graph for all sizes
    "feedforward/crops.py",  # tf.data
    "feedforward/training_batches.py",  # tf.data
    "feedforward/training_optimizer.py",  # tf.distribute
    "iterative/many.py",  # the threads of a worker
    "cli/train.py",  # several devices: tf.distribute
}


def room(path):
    """The folder of a file in the package, or the name of a module at its top."""
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    return inside[0]


def imported(path):
    """[(absolute module, name or None, whether at the top of the file)] of all imports in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ("neural_style", *path.relative_to(PACKAGE).parts[:-1])
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield module, alias.name, id(node) in top


def own(path):
    """[(room, name)] of what a file imports from this package."""
    for module, name, _ in imported(path):
        parts = module.split(".")
        if parts[0] == "neural_style":
            yield (parts[1] if len(parts) > 1 else name), name


def ids(path):
    return str(path.relative_to(PACKAGE))


MODULES = [path for path in FILES if path.parent != PACKAGE or path.stem in FLOOR]


def test_each_room_has_its_floor():
    rooms = {room(path) for path in FILES} - {"__init__", "__main__"}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_imports_run_downward(path):
    here = room(path)
    for other, name in own(path):
        below = other == here or FLOOR.get(other, len(FLOORS)) < FLOOR[here]
        assert below, f"{ids(path)} imports {name} from {other}"


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_private_names_stay_in_their_folder(path):
    for other, name in own(path):
        private = name.startswith("_") and not name.startswith("__")
        assert not private or other == room(path) or other == name, f"{other}.{name}"


@pytest.mark.parametrize("folder", ["_shared", "images"])
def test_pictures_need_no_network(folder):
    for path in (PACKAGE / folder).glob("*.py"):
        for module, _, top in imported(path):
            heavy = module.split(".")[0] in ("keras", "tensorflow")
            assert not (heavy and top), f"{ids(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_tensorflow_is_imported_where_it_is_the_subject(path):
    found = any(module.split(".")[0] == "tensorflow" for module, _, _ in imported(path))
    assert not found or str(path.relative_to(PACKAGE)) in TENSORFLOW


def test_the_list_of_tensorflow_s_places_is_not_longer_than_needed():
    for name in TENSORFLOW:
        assert any(m.split(".")[0] == "tensorflow" for m, _, _ in imported(PACKAGE / name)), name


def test_every_module_is_imported_by_another_or_public():
    """No room is forgotten: each file is named in an import or in a stub of public names."""
    used = set()
    for path in FILES:
        package = ("neural_style", *path.relative_to(PACKAGE).parts[:-1])
        for module, name, _ in imported(path):
            used |= {module, f"{module}.{name}"}
        stub = path.with_suffix(".pyi")
        if stub.exists():
            for node in ast.walk(ast.parse(stub.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    used.add(".".join([*package, *([node.module] if node.module else [])]))
                    used |= {".".join([*package, alias.name]) for alias in node.names}
    for path in FILES:
        dotted = ".".join(["neural_style", *path.relative_to(PACKAGE).with_suffix("").parts])
        assert path.name in ("__init__.py", "__main__.py") or dotted in used, dotted


# ---- Shapes

LONG = {"transfer", "train_transform_net", "train_decoders", "stylize", "stylize_video"}


def functions(path):
    """[(name, node)] of all functions in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_functions_have_few_parameters_and_annotations(path):
    for name, node in functions(path):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if name not in LONG:
            assert len([a for a in arguments if a.arg != "self"]) <= 12, name
        bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
        assert not bare and node.returns is not None, f"{name}: {bare}"


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_files_are_short(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 250, f"{path.name} has {lines} lines, at most 250: one job a file, so split it"


def test_transfer_is_one_screen():
    [transfer] = [
        n for name, n in functions(PACKAGE / "iterative/transfer.py") if name == "transfer"
    ]
    body = transfer.body[1:]  # without the docstring
    assert body[-1].end_lineno - body[0].lineno + 1 <= 40
    assert not [
        n for n in ast.walk(transfer) if isinstance(n, ast.FunctionDef) and n is not transfer
    ]


def stub_names(folder):
    """{name: the module it comes from, or None for a module} of a package's stub."""
    stub = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


PACKAGES = [PACKAGE, *(path.parent for path in PACKAGE.glob("*/__init__.pyi"))]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_public_names_exist_and_hide_no_module(folder):
    """A function with its module's name would be hidden by the module, once that is imported."""
    package = ".".join(folder.relative_to(PACKAGE.parent).parts)
    for name, module in stub_names(folder).items():
        getattr(importlib.import_module(package), name)
        hidden = (folder / f"{name}.py").exists() and module is not None
        assert not hidden, f"{package}.{name}"
    assert set(dir(importlib.import_module(package))) >= set(stub_names(folder))
    assert not hasattr(importlib.import_module(package), "nothing")


def test_few_names_at_the_top():
    names = stub_names(PACKAGE)
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert len(set(names) - rooms) <= 25


def seconds_of(*arguments):
    """The least seconds of three processes of Python, and what the last one wrote."""
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        )
        seconds.append(time.monotonic() - started)
    assert done.returncode == 0, done.stderr
    return min(seconds), done.stdout


def test_the_package_loads_nothing_heavy():
    code = "import sys, neural_style; print([m for m in ('keras', 'numpy') if m in sys.modules])"
    assert seconds_of("-c", code)[1] == "[]\n"


@pytest.mark.timing
def test_the_package_and_its_help_are_there_at_once():
    empty, _ = seconds_of("-c", "pass")
    assert seconds_of("-c", "import neural_style")[0] - empty < 0.1
    assert seconds_of("-m", "neural_style", "--help")[0] < 1
