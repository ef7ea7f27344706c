"""Where bfloat16 is chosen: by the processor's flags, and by a trial."""

import pytest

from neural_style.vgg import precision


@pytest.fixture(autouse=True)
def on_a_processor(monkeypatch):
    monkeypatch.setattr(precision, "has_gpu", lambda: False)
    precision._wins.cache_clear()
    yield
    precision._wins.cache_clear()


def machine(monkeypatch, flags, float32=1.0, bfloat16=0.5):
    """A processor with these flags, and the seconds of its products."""
    text = f"processor\t: 0\n{flags}\n"
    monkeypatch.setattr(precision.pathlib.Path, "read_text", lambda path: text)
    seconds = {"float32": float32, "bfloat16": bfloat16}
    monkeypatch.setattr(precision, "_seconds", lambda: seconds)


@pytest.mark.parametrize(
    "flags,fast",
    [
        ("flags\t\t: fpu avx512f avx512vl avx512_bf16", True),
        ("flags\t\t: fpu avx512f amx_tile amx_bf16", True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni", False),
        ("Features\t: fp asimd bf16", True),
    ],
)
def test_a_processor_without_the_instructions_is_not_tried(flags, fast, monkeypatch):
    machine(monkeypatch, flags)
    if not fast:
        monkeypatch.setattr(precision, "_seconds", lambda: pytest.fail("tried"))
    assert precision.fast_bfloat16() == fast
    assert precision.best_precision() == ("bfloat16" if fast else "float32")


@pytest.mark.parametrize("ratio,fast", [(2.0, True), (1.1, False), (0.5, False)])
def test_instructions_alone_do_not_win(ratio, fast, monkeypatch):
    """AVX512-BF16 takes twice as long as float32 on a processor whose AMX is hidden."""
    machine(monkeypatch, "flags\t\t: fpu avx512_bf16", float32=ratio, bfloat16=1.0)
    assert precision.fast_bfloat16() == fast
    assert precision.best_precision() == ("bfloat16" if fast else "float32")


def test_the_trial_is_made_once(monkeypatch):
    machine(monkeypatch, "flags\t\t: fpu avx512_bf16")
    assert precision.fast_bfloat16()
    monkeypatch.setattr(precision, "_seconds", lambda: pytest.fail("tried again"))
    assert precision.fast_bfloat16()


def test_a_trial_takes_seconds_of_both_kinds():
    seconds = precision._seconds()
    assert 0 < seconds["float32"] < 5 and 0 < seconds["bfloat16"] < 60


def test_where_nothing_is_known_bfloat16_is_neither_chosen_nor_called_slow(monkeypatch):
    def unknown(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(precision.pathlib.Path, "read_text", unknown)
    assert precision.fast_bfloat16() and precision.best_precision() == "float32"
    monkeypatch.setattr(precision, "has_gpu", lambda: True)
    assert precision.best_precision() == "bfloat16"
