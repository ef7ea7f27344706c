"""The term Neighbors in transfer(), on random weights; with real ones in test_presets."""

import importlib

import numpy as np
import pytest
from helpers import picture, random_weights

from neural_style import presets, read_record, stylize_video, transfer, video
from neural_style.images.masks import Region
from neural_style.iterative import Neighbors
from neural_style.losses.nearest import hypercolumns
from neural_style.optimize.status import Status

plan = importlib.import_module("neural_style.iterative.plan")  # the module, not its function

CONTENT, STYLE = picture(48, 64, 1), picture(60, 45, 2)
LAYERS = ("block1_conv1", "block2_conv1")
QUICK = {
    "weights": random_weights(),
    "size": 64,
    "steps": [(32, 3), (64, 3), (64, 3)],
    "content_weight": 0,
    "style_weight": 0,
    "precision": "float32",
    "progress": False,
}


class Seen:
    """A term that keeps the stages it was asked about."""

    name, weight, layers = "seen", 1.0, LAYERS

    def __init__(self):
        self.stages = []

    def loss(self, stage):
        self.stages.append(stage)
        return Neighbors(layers=LAYERS, border=0).loss(stage)


def rows_of(stage, image):
    grid = tuple(side // 4 for side in image.shape[:2])
    return hypercolumns(stage.features(image, LAYERS), LAYERS, grid).reshape(-1, 64 + 128)


def among(rows, others):
    """Whether each of the rows is one of the others."""
    return np.array([np.isclose(others, row, atol=1e-6).all(axis=1).any() for row in rows])


def targets(loss):
    return np.concatenate([loss.maps[name][0] for name in LAYERS], -1).reshape(-1, 64 + 128)


@pytest.fixture(scope="module")
def stages():
    seen = Seen()
    transfer(CONTENT, STYLE, **QUICK, terms=[seen])
    return seen.stages


def test_each_target_is_a_place_of_the_painting(stages):
    for stage in stages:
        found = targets(Neighbors(layers=LAYERS, border=0).loss(stage))
        [(painting, _)] = stage.styles
        assert len(found) == (stage.shape[1] // 4) * (stage.shape[2] // 4)
        assert among(found, rows_of(stage, painting)).all()


def test_a_painting_that_is_turned_gives_more_places(stages):
    stage = stages[1]
    [(painting, _)] = stage.styles
    found = targets(Neighbors(layers=LAYERS, border=0, rotations=True).loss(stage))
    turned = [rows_of(stage, np.ascontiguousarray(np.rot90(painting, n))) for n in range(4)]
    assert among(found, np.concatenate(turned)).all()
    assert not among(found, turned[0]).all()


def test_the_content_is_its_own_neighbor():
    seen = Seen()
    transfer(CONTENT, CONTENT, **QUICK, init="content", terms=[seen])
    found = targets(Neighbors(layers=LAYERS, border=0).loss(seen.stages[0]))
    np.testing.assert_allclose(found, rows_of(seen.stages[0], seen.stages[0].content), atol=1e-6)


def test_only_the_last_stage_matches_layer_by_layer(stages):
    split, plain = (
        Neighbors(layers=LAYERS, border=0, split=True),
        Neighbors(layers=LAYERS, border=0),
    )
    for stage in stages[:-1]:
        np.testing.assert_array_equal(targets(split.loss(stage)), targets(plain.loss(stage)))
    last = stages[-1]
    found, [(painting, _)] = targets(split.loss(last)), last.styles
    there = rows_of(last, painting)
    assert among(found[:, :64], there[:, :64]).all() and among(found[:, 64:], there[:, 64:]).all()
    assert not among(found, there).all()


def test_what_looks_for_neighbors_can_be_the_result_so_far(stages):
    first, second = stages[:2]
    own, plain = (Neighbors(layers=LAYERS, border=0, own=share) for share in (0.5, 0.0))
    np.testing.assert_array_equal(targets(own.loss(first)), targets(plain.loss(first)))
    assert (targets(own.loss(second)) != targets(plain.loss(second))).any()


def test_a_region_looks_only_in_its_own_part_of_its_own_painting():
    left = np.zeros(CONTENT.shape[:2], "float32")
    left[:, :32] = 1
    top = np.zeros(STYLE.shape[:2], "float32")
    top[:30] = 1
    other = picture(50, 50, 9)
    seen = Seen()
    transfer(
        CONTENT,
        [STYLE, other],
        **{**QUICK, "steps": [(64, 2)]},
        masks=[Region(left, top), Region(1 - left, image=1)],
        terms=[seen],
    )
    [stage] = seen.stages
    found = targets(Neighbors(layers=LAYERS, border=0).loss(stage)).reshape(12, 16, -1)
    painting, second = (image for image, _ in stage.styles)
    upper = rows_of(stage, painting)[: (painting.shape[0] // 4 // 2) * (painting.shape[1] // 4)]
    assert among(found[:, :8].reshape(-1, 192), upper).all()
    assert among(found[:, 8:].reshape(-1, 192), rows_of(stage, second)).all()


def test_a_run_goes_on_from_its_checkpoint_with_the_same_targets(tmp_path):
    options = {**QUICK, "terms": [Neighbors(layers=LAYERS, own=0.5, split=True)]}
    whole = transfer(CONTENT, STYLE, **options)

    def stop(here):
        if here.step == 5:
            raise StopIteration

    path = tmp_path / "run.npz"
    half = transfer(CONTENT, STYLE, **options, checkpoint=path, callback=stop)
    assert half.status is Status.STOPPED
    again = transfer(CONTENT, STYLE, **options, checkpoint=path)
    np.testing.assert_array_equal(np.asarray(again.image), np.asarray(whole.image))
    assert again.history["total"] == pytest.approx(whole.history["total"], rel=1e-6)


def test_the_record_makes_the_picture_again(tmp_path):
    result = transfer(CONTENT, STYLE, **{**QUICK, "weights": None}, terms=[Neighbors(own=0.25)])
    result.save(tmp_path / "out.png")
    settings = read_record(tmp_path / "out.png")["settings"]
    assert settings["steps"] == [[32, 3], [64, 3], [64, 3]]
    assert settings["terms"][0]["class"].endswith("Neighbors")


@pytest.mark.parametrize(
    "change,message",
    [
        ({"tile": 64}, "'neighbors' needs the whole picture at once"),
        ({"terms": [Neighbors(own=2)]}, "own must be"),
        ({"terms": [Neighbors(sampling="cubic")]}, "sampling must be one of"),
        ({"terms": [Neighbors(border=-1)]}, "border must be"),
        ({"style": [(STYLE, 0.3), (CONTENT, 0.7)]}, "shares say nothing"),
        ({"style": None}, "needs a content and a style image"),
        ({"content": None}, "needs a content and a style image"),
    ],
)
def test_bad_input(change, message):
    options = {**QUICK, "terms": [Neighbors()], **change}
    pictures = options.pop("content", CONTENT), options.pop("style", STYLE)
    with pytest.raises(ValueError, match=message):
        transfer(*pictures, **options)


@pytest.mark.parametrize("size", [(1, 1), (200, 300)])
def test_a_painting_of_one_color_and_of_any_size(size):
    painting = np.full((*size, 3), 90, "uint8")
    options = {**QUICK, "steps": [(64, 2)], "terms": [Neighbors(layers=LAYERS)]}
    result = transfer(CONTENT, painting, **options)
    assert np.isfinite(result.history["total"]).all()


def test_a_schedule_may_have_a_size_twice():
    result = transfer(CONTENT, STYLE, **QUICK, terms=[Neighbors(layers=LAYERS)])
    assert len(result.history["total"]) == 9 and result.settings["steps"] == QUICK["steps"]
    for steps in ([(64, 3), (32, 3)], [(32, 3)], [(64,)], [], [3, 4], [(64, 0)]):
        with pytest.raises(ValueError, match="a schedule of steps must be"):
            transfer(CONTENT, STYLE, **{**QUICK, "steps": steps}, terms=[Neighbors()])


def test_the_preset():
    assert presets.get("nnst") is presets.nnst
    [term] = presets.nnst["terms"]
    assert term == Neighbors(own=0.25, rotations=True, split=True, sampling="bilinear", border=0)


@pytest.mark.slow
def test_films_are_painted_so_too(tmp_path):
    pytest.importorskip("av")
    frames = [CONTENT[:32, i : i + 48] for i in (0, 2)]
    video.write_video(frames, tmp_path / "film.mp4", 10)
    options = {**QUICK, "size": 48, "steps": [(48, 3)], "terms": [Neighbors(layers=LAYERS)]}
    film = tmp_path / "out.mp4"
    stylize_video(tmp_path / "film.mp4", STYLE, film, method="independent", **options)
    [first, second] = [frame for _, frame in video.read_frames(film)]
    alone = np.asarray(transfer(frames[0], STYLE, **options).image, float)
    plain = np.asarray(frames[0], float)
    assert np.abs(first - alone).mean() < 0.5 * np.abs(first - plain).mean()
    assert first.shape == second.shape == (32, 48, 3)


def test_too_large_a_picture_is_told_before_the_run(monkeypatch):
    monkeypatch.setattr(plan, "free_memory", lambda: 2e6)
    with pytest.raises(MemoryError, match="in one piece.*a longer side of about [1-9]"):
        transfer(CONTENT, STYLE, **{**QUICK, "steps": [(64, 2)]}, terms=[Neighbors()])


def test_films_refuse_shares_too(tmp_path):
    pytest.importorskip("av")
    video.write_video([CONTENT[:32, :48]], tmp_path / "film.mp4", 10)
    options = {**QUICK, "size": 48, "steps": [(48, 3)], "terms": [Neighbors(layers=LAYERS)]}
    with pytest.raises(ValueError, match="shares say nothing"):
        stylize_video(
            tmp_path / "film.mp4", [(STYLE, 0.3), (CONTENT, 0.7)], tmp_path / "out.mp4", **options
        )


def test_only_the_layers_that_count_ask_for_a_size():
    options = {**QUICK, "steps": [(64, 2)], "terms": [Neighbors(layers=LAYERS)]}
    result = transfer(picture(8, 64, 3), STYLE, **options)  # block5_conv1 would need 16
    assert result.image.size == (64, 8)
    with pytest.raises(ValueError, match="only 4 pixels on its shorter one.*need 8"):
        transfer(picture(4, 64, 3), STYLE, **{**options, "terms": [Neighbors()]})


@pytest.mark.parametrize("border", [1, 2])
def test_positions_at_the_edge_do_not_count(border):
    """The loss is the mean of the distances within the border, of the same targets."""
    seen = Seen()
    transfer(CONTENT, STYLE, **{**QUICK, "steps": [(64, 1)]}, terms=[seen])
    [stage] = seen.stages
    query = hypercolumns(stage.features(stage.content, LAYERS), LAYERS, (12, 16))
    target = targets(Neighbors(layers=LAYERS, border=0).loss(stage)).reshape(query.shape)
    norms = np.linalg.norm(query, axis=-1) * np.linalg.norm(target, axis=-1)
    distances = 1 - (query * target).sum(axis=-1) / norms
    loss = Neighbors(layers=LAYERS, border=border).loss(stage)
    found = float(loss(stage.features(stage.content, LAYERS)))
    assert found == pytest.approx(distances[border:-border, border:-border].mean(), rel=1e-4)


def test_a_grid_that_is_all_border_counts_whole():
    options = {**QUICK, "size": 8, "steps": [(8, 2)], "terms": [Neighbors(layers=LAYERS)]}
    assert transfer(picture(8, 8, 1), STYLE, **options).history["neighbors"][0] > 0
