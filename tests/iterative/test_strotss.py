"""The term RelaxedTransport in transfer(), on random weights; its formula is in test_presets."""

import numpy as np
import pytest
from helpers import picture, random_weights

from neural_style import presets, read_record, transfer
from neural_style.iterative import RelaxedTransport
from neural_style.iterative.strotss import _grid

CONTENT, STYLE = picture(48, 64, 1), picture(60, 45, 2)
LAYERS = ("block1_conv1", "block2_conv1")
QUICK = {
    "weights": random_weights(),
    "size": 64,
    "steps": [(32, 4), (64, 4)],
    "content_weight": 0,
    "style_weight": 0,
    "precision": "float32",
    "progress": False,
}


def test_it_goes_down_from_size_to_size_and_into_the_record(tmp_path):
    result = transfer(CONTENT, STYLE, **QUICK, terms=[RelaxedTransport(layers=LAYERS)])
    losses = result.history["transport"]
    assert losses[3] < losses[0] and losses[7] < losses[4]
    result.save(tmp_path / "out.png")
    [term] = read_record(tmp_path / "out.png")["settings"]["terms"]
    assert term["class"].endswith("RelaxedTransport")


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    options = {**QUICK, "terms": [RelaxedTransport(layers=LAYERS)]}
    whole = transfer(CONTENT, STYLE, **options)

    def stop(here):
        if here.stage == 2 and here.step == 2:
            raise StopIteration

    kept = tmp_path / "run.npz"
    transfer(CONTENT, STYLE, **options, checkpoint=kept, callback=stop)
    result = transfer(CONTENT, STYLE, **options, checkpoint=kept)
    assert result.history["total"] == whole.history["total"]


@pytest.mark.parametrize("size", [(1, 1), (200, 300)])
def test_a_painting_of_one_color_and_of_any_size(size):
    painting = np.full((*size, 3), 90, "uint8")
    options = {**QUICK, "steps": [(64, 2)], "terms": [RelaxedTransport(layers=LAYERS)]}
    result = transfer(CONTENT, painting, **options)
    assert np.isfinite(result.history["total"]).all()


def test_the_grid_has_at_most_so_many_positions():
    photo = np.zeros((384, 512, 3), "uint8")
    assert _grid(photo, 1024) == (24, 32)
    assert _grid(photo, 4096) == (48, 64)
    assert _grid(photo, 10**6) == (96, 128)
    assert _grid(photo[:2, :3], 1024) == (1, 1)


@pytest.mark.parametrize(
    "change,message",
    [
        ({"tile": 64}, "'transport' needs the whole picture at once"),
        ({"terms": [RelaxedTransport(content=0)]}, "content must be"),
        ({"terms": [RelaxedTransport(positions=0)]}, "positions must be"),
        ({"style": [STYLE, CONTENT]}, "one painting, and no masks. Received:.*2 paintings"),
        ({"style": None}, "one painting"),
        ({"content": None}, "no content image"),
        ({"masks": [np.ones((48, 64))]}, "1 masks"),
    ],
)
def test_bad_input(change, message):
    options = {**QUICK, "terms": [RelaxedTransport()], **change}
    pictures = options.pop("content", CONTENT), options.pop("style", STYLE)
    with pytest.raises(ValueError, match=message):
        transfer(*pictures, **options)


def test_the_preset():
    assert presets.get("strotss") is presets.strotss
    assert presets.strotss["terms"] == [RelaxedTransport()]
