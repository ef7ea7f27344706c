import csv
import json
import os
import signal
import struct
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from conftest import IMAGES
from helpers import PATHS, picture, trained
from helpers import QUICK_TRAINING as QUICK
from keras import ops
from odd_pictures import damaged_exif

from neural_style import feature_extractor, load_image, preprocess, save_image, train_transform_net
from neural_style.feedforward import (
    Crops,
    Preview,
    StyleTrainer,
    blend,
    build_transform_net,
    load_transform_net,
    training,
    training_batches,
    training_run,
)
from neural_style.feedforward import crops as photos_module
from neural_style.losses import style_loss
from neural_style.losses.regularizers import grid_loss
from neural_style.vgg.preprocessing import IMAGENET_MEAN_BGR


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number in range(8):
        save_image(
            picture(40 + 3 * number, 60, number),
            folder / ("more" if number % 2 else "") / f"{number}.png",
        )
    return folder


def gram(f):
    flat = f.reshape(-1, f.shape[-1])
    return flat.T @ flat / len(flat)


def test_the_loss_is_its_numpy_transcription(tiny):
    """Johnson et al.'s loss with relative errors: for each picture of the batch, then the mean."""
    net, painting = build_transform_net(2, 1), picture(20, 24, 9)
    trainer = StyleTrainer(
        net,
        painting,
        tiny.model,
        content_layers=["conv2"],
        style_layers={"conv1": 0.3, "conv2": 0.7},
        loss_weights={"content": 2.0, "style": 5.0, "tv": 0.01, "grid": 0.2},
    )
    batch = np.stack([picture(24, 24, seed) for seed in (1, 2)]).astype("float32")
    painted = ops.convert_to_numpy(net(batch)).astype("float64")

    def features(image):
        return tiny.numpy(image[None, :, :, ::-1] - IMAGENET_MEAN_BGR.astype("float64"))

    expected = []
    target = {name: gram(features(painting.astype("float64"))[name]) for name in tiny.layers}
    for x, y in zip(batch.astype("float64"), painted):
        before, after = features(x), features(y)
        content = ((after["conv2"] - before["conv2"]) ** 2).sum() / (before["conv2"] ** 2).sum()
        style = sum(
            w * ((gram(after[name]) - target[name]) ** 2).sum() / (target[name] ** 2).sum()
            for name, w in {"conv1": 0.3, "conv2": 0.7}.items()
        )
        corner = y[:-1, :-1]
        variation = (((y[1:, :-1] - corner) ** 2 + (y[:-1, 1:] - corner) ** 2) ** 1.25).mean()
        pattern = np.array([[y[i::4, j::4].mean((0, 1)) for j in range(4)] for i in range(4)])
        expected.append(
            2 * content + 5 * style + 0.01 * variation + 0.2 * pattern.var((0, 1)).mean()
        )
    loss = trainer.compute_loss(x=batch, y_pred=net(batch))
    assert ops.convert_to_numpy(loss) == pytest.approx(np.mean(expected), rel=1e-4)


@pytest.mark.slow
def test_the_style_at_several_scales_is_their_mean(tiny):
    """Each scale's loss is that of pictures which were made smaller beforehand, by means of 2 x 2
    pixels.
    """

    def smaller(x):
        return (
            x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
            .reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, 3)
            .mean((2, 4))
        )

    def loss(painting, batch, scales):
        trainer = StyleTrainer(
            build_transform_net(2, 1),
            painting,
            tiny.model,
            content_layers=["conv2"],
            style_layers={"conv1": 0.3, "conv2": 0.7},
            loss_weights={"content": 0.0, "tv": 0.0, "grid": 0.0},
            style_scales=scales,
        )
        return float(trainer.compute_loss(x=batch, y_pred=batch))

    paintings, batches = (
        [picture(38, 30, 9).astype("float64")],
        [np.stack([picture(40, 34, seed) for seed in (1, 2)]).astype("float64")],
    )
    for _ in range(2):
        paintings.append(smaller(paintings[-1][None])[0])
        batches.append(smaller(batches[-1]))
    each = [
        loss(painting, batch.astype("float32"), 1) for painting, batch in zip(paintings, batches)
    ]
    assert abs(each[0] / each[1] - 1) > 0.1
    for scales in (1, 2, 3):
        assert loss(paintings[0], batches[0].astype("float32"), scales) == pytest.approx(
            np.mean(each[:scales]), rel=1e-4
        )


@pytest.mark.slow
def test_training_lowers_the_loss_and_leaves_the_features_alone(photos, tmp_path):
    net = train_transform_net(
        picture(48, 48, 3),
        photos,
        tmp_path / "net.keras",
        **{**QUICK, "steps": 150, "learning_rate": 5e-3},
        checkpoint=tmp_path / "checkpoint",
        name="mosaic",
        license="CC0",
    )
    losses = [float(row["loss"]) for row in rows(tmp_path / "checkpoint" / "log.csv")]
    style = [float(row["style"]) for row in rows(tmp_path / "checkpoint" / "log.csv")]
    assert len(style) == 3 and style[-1] < 0.7 * style[0]
    loaded = load_transform_net(tmp_path / "net.keras")
    assert loaded.record == json.loads(json.dumps(net.record))
    assert (
        loaded.record["style"] == "mosaic"
        and loaded.record["license"] == "CC0"
        and loaded.record["photos"] == 8
    )
    assert loaded.record["settings"]["steps"] == loaded.record["steps"] == 150
    assert loaded.record["losses"]["loss"] == pytest.approx(losses[-1])


@pytest.mark.slow
def test_the_feature_network_is_not_trained(photos, tiny):
    before = [w.copy() for w in tiny.model.get_weights()]
    trainer = StyleTrainer(
        build_transform_net(2, 1),
        picture(20, 24, 9),
        tiny.model,
        content_layers=["conv2"],
        style_layers=["conv1", "conv2"],
    )
    assert {id(v) for v in trainer.trainable_variables} == {
        id(v) for v in trainer.joint.trainable_variables
    }
    trainer.compile("sgd")
    trainer.fit(
        np.stack([picture(24, 24, seed) for seed in range(4)]).astype("float32"),
        batch_size=2,
        verbose=0,
    )
    assert all(np.array_equal(a, b) for a, b in zip(before, tiny.model.get_weights(), strict=True))


@pytest.mark.slow
def test_same_seed_same_curve(photos):
    curves = []
    for seed in (0, 0, 1):
        log = photos.parent / f"{len(curves)}.csv"
        train_transform_net(
            picture(48, 48, 3),
            photos,
            **{**QUICK, "steps": 30},
            seed=seed,
            callbacks=[keras.callbacks.CSVLogger(log)],
        )
        curves.append(log.read_text())
    assert curves[0] == curves[1] != curves[2]


SCRIPT = """
import sys
from neural_style import train_transform_net
from helpers import picture
if __name__ == "__main__":
    train_transform_net(picture(48, 48, 3), sys.argv[1], sys.argv[3], checkpoint=sys.argv[2], **{quick!r})
"""


def rows(path):
    with open(path) as file:
        return [*csv.DictReader(file)]


def start(script, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS, **environment},
    )


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


@pytest.mark.slow
def test_a_killed_training_goes_on_where_it_stood(photos, tmp_path):
    script = SCRIPT.format(quick={**QUICK, "steps": 200})
    train_transform_net(
        picture(48, 48, 3),
        str(photos),
        tmp_path / "whole.keras",
        checkpoint=tmp_path / "whole",
        **{**QUICK, "steps": 200},
    )
    killed = start(script, photos, tmp_path / "checkpoint", tmp_path / "net.keras")
    while not (tmp_path / "checkpoint" / "latest.weights.h5").exists() and killed.poll() is None:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "net.keras").exists()
    finish(start(script, photos, tmp_path / "checkpoint", tmp_path / "net.keras"))
    whole, resumed = (
        [(row["epoch"], float(row["loss"])) for row in rows(folder / "log.csv")]
        for folder in (tmp_path / "whole", tmp_path / "checkpoint")
    )
    assert [epoch for epoch, _ in whole] == ["0", "1", "2", "3"] and set(resumed) == set(whole)
    for a, b in zip(
        *(
            load_transform_net(tmp_path / name).get_weights()
            for name in ("whole.keras", "net.keras")
        )
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_three_styles_interrupted_go_on_where_they_stood(photos, tmp_path):
    """Whose turn it is is part of the checkpoint: 50 steps are no multiple of three."""
    paintings = {name: picture(48, 48, seed) for seed, name in enumerate(("one", "other", "third"))}
    whole = train_transform_net(
        paintings, photos, **{**QUICK, "steps": 100}, checkpoint=tmp_path / "whole"
    )
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", True)
    )
    train_transform_net(
        paintings,
        photos,
        **{**QUICK, "steps": 100},
        checkpoint=tmp_path / "checkpoint",
        callbacks=[stop],
    )
    with pytest.raises(ValueError, match="another paintings, styles"):
        train_transform_net(
            dict(reversed(paintings.items())),
            photos,
            **{**QUICK, "steps": 100},
            checkpoint=tmp_path / "checkpoint",
        )
    resumed = train_transform_net(
        paintings, photos, **{**QUICK, "steps": 100}, checkpoint=tmp_path / "checkpoint"
    )
    for name in paintings:
        for a, b in zip(whole[name].get_weights(), resumed[name].get_weights()):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_checkpoint_of_another_training_is_refused(photos, tmp_path):
    """And one with nothing in it is anyone's: what failed before its first steps stands in nobody's
    way.
    """

    painting = picture(48, 48, 3)

    def train(style=painting, photos=photos, **changes):
        return train_transform_net(
            style, photos, checkpoint=tmp_path / "checkpoint", **{**QUICK, "steps": 2, **changes}
        )

    with pytest.raises(ValueError, match="smaller than the crop"):
        train(crop=128)
    known = train()
    (tmp_path / "others").mkdir()
    save_image(picture(50, 60), tmp_path / "others" / "a.png")
    for changes, what in (
        ({"steps": 3}, "steps"),
        ({"style": picture(48, 48, 4)}, "paintings"),
        ({"photos": tmp_path / "others"}, "photos"),
        ({"start": known}, "start"),
        ({"seed": 1}, "seed"),
        ({"network": "vgg19"}, "network, weights"),
    ):
        with pytest.raises(ValueError, match=f"training with another {what}; remove it"):
            train(**changes)


@pytest.mark.slow
def test_resume_false_starts_the_same_training_anew(photos, tmp_path, monkeypatch):
    """It makes all of its steps, its log has each epoch once, and another training is refused."""
    monkeypatch.setattr(training_run, "EPOCH", 2)
    steps, weights = [], []
    count_steps = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: steps.append(batch)
    )

    def train(**changes):
        return train_transform_net(
            picture(48, 48, 3),
            photos,
            checkpoint=tmp_path / "checkpoint",
            **{**QUICK, "steps": 4, "callbacks": [count_steps], **changes},
        )

    for resume, made in ((True, 4), (True, 0), (False, 4)):
        steps.clear()
        net = train(resume=resume)
        weights.append(net.get_weights())
        assert len(steps) == made and net.record["steps"] == 4
        assert [row["epoch"] for row in rows(tmp_path / "checkpoint" / "log.csv")] == ["0", "1"]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[2]))
    state = (tmp_path / "checkpoint" / "latest.weights.h5").read_bytes()
    with pytest.raises(ValueError, match="checkpoint of a training with another seed; remove it"):
        train(resume=False, seed=5)
    assert (tmp_path / "checkpoint" / "latest.weights.h5").read_bytes() == state


@pytest.mark.slow
def test_a_training_that_is_done_stays_as_it_was(photos, tmp_path):
    """Asked for once more, it makes no step, and its network and record are the same."""
    first, again = (
        train_transform_net(
            picture(48, 48, 3),
            photos,
            tmp_path / "net.keras",
            checkpoint=tmp_path / "checkpoint",
            **{**QUICK, "steps": np.int64(4)},
        )
        for _ in range(2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), again.get_weights()))
    assert (
        again.record["losses"] == pytest.approx(first.record["losses"])
        and again.record["steps"] == 4
    )
    assert set(again.record["losses"]) == {"content", "grid", "loss", "style", "tv"}


@pytest.mark.slow
def test_steps_are_as_many_as_asked_for(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(training_run, "EPOCH", 4)
    net = train_transform_net(
        picture(48, 48, 3), photos, checkpoint=tmp_path / "checkpoint", **{**QUICK, "steps": 6}
    )
    assert net.record["steps"] == 6 and len(rows(tmp_path / "checkpoint" / "log.csv")) == 2


@pytest.mark.slow
def test_an_interrupt_keeps_the_network_so_far(photos, tmp_path, caplog):
    def interrupt(batch, logs):
        if batch == 4:
            raise KeyboardInterrupt

    net = train_transform_net(
        picture(48, 48, 3),
        photos,
        tmp_path / "net.keras",
        **QUICK,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)],
    )
    assert net.record["steps"] == 5 and "after 5 of 50 steps" in caplog.text
    five = train_transform_net(
        picture(48, 48, 3), photos, **QUICK, callbacks=[training_run.StopAfter(5)]
    )
    saved = load_transform_net(tmp_path / "net.keras")
    assert all(
        np.array_equal(a, b) and np.array_equal(a, c)
        for a, b, c in zip(*(n.get_weights() for n in (net, five, saved)))
    )


@pytest.mark.slow
def test_a_training_that_diverges_leaves_what_was_there(photos, tmp_path):
    train_transform_net(picture(48, 48, 3), photos, tmp_path / "net.keras", **{**QUICK, "steps": 1})
    before = (tmp_path / "net.keras").read_bytes()
    with pytest.raises(
        FloatingPointError, match="diverged.* not finite in epoch 1.*lower learning_rate"
    ):
        train_transform_net(
            picture(48, 48, 3),
            photos,
            tmp_path / "net.keras",
            checkpoint=tmp_path / "checkpoint",
            **{**QUICK, "steps": 5, "learning_rate": 1e30},
        )
    assert (tmp_path / "net.keras").read_bytes() == before and not (
        tmp_path / "checkpoint" / "latest.weights.h5"
    ).exists()


@pytest.mark.slow
def test_keras_own_callbacks(photos, tmp_path):
    train_transform_net(
        picture(48, 48, 3),
        photos,
        **{**QUICK, "steps": 4},
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                tmp_path / "best.keras", monitor="loss", save_best_only=True
            ),
            keras.callbacks.TensorBoard(tmp_path / "logs"),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
            Preview(
                [picture(40, 30), picture(30, 40), picture(35, 35)],
                tmp_path / "preview",
                steps=2,
                size=40,
            ),
        ],
    )
    assert load_transform_net(tmp_path / "best.keras").record["settings"]["steps"] == 4
    assert list((tmp_path / "logs" / "train").iterdir())
    assert set(rows(tmp_path / "log.csv")[0]) >= {"epoch", "loss", "content", "style", "tv", "grid"}
    assert sorted(path.name for path in (tmp_path / "preview").iterdir()) == [
        "00002.png",
        "00004.png",
    ]
    assert load_image(tmp_path / "preview" / "00004.png").shape == (80, 30 + 40 + 40 + 12, 3)


@pytest.mark.slow
def test_broken_files_are_left_out_and_counted(photos, tmp_path, caplog):
    (photos / "broken.jpg").write_text("not a picture")
    save_image(picture(20, 90), photos / "low.png")
    (photos / "huge.bmp").write_bytes(
        b"BM"
        + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, 20_000, 20_000, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    train_transform_net(picture(48, 48, 3), photos, **{**QUICK, "steps": 20})
    assert "3 of 11 files could not be used" in caplog.text


def test_crops(photos):
    crops = Crops(photos, 32, seed=4)
    assert len(crops.paths) == 8
    assert crops[5].shape == (32, 32, 3) and crops[5].dtype == np.uint8
    assert np.array_equal(crops[5], Crops(photos, 32, seed=4)[5]) and not np.array_equal(
        crops[5], Crops(photos, 32, seed=5)[5]
    )
    whole = Crops(photos, 40)  # one photo is 40 pixels high: its crops are its height
    assert (
        {crops._path(index) for index in range(8)}
        == {crops._path(index) for index in range(8, 16)}
        == set(crops.paths)
    )
    assert [crops._path(index) for index in range(8)] != [
        crops._path(index) for index in range(8, 16)
    ]
    assert whole[0].shape == (40, 40, 3)
    batches = crops.batches(3, 2, 5)
    if isinstance(batches, keras.utils.PyDataset):
        batches = [batches[number] for number in range(batches.num_batches)]
    batches = [ops.convert_to_numpy(batch) for batch in batches]
    assert [len(batch) for batch in batches] == [3, 3, 3]
    assert all(
        np.array_equal(image, crops[6 + number])
        for number, image in enumerate(np.concatenate(batches))
    )


def test_no_crop_comes_twice_for_pictures_that_cannot_be_used(photos):
    for number in range(8):
        save_image(picture(20, 20, number), photos / f"small{number}.png")
    crops = Crops(photos, 32)
    assert len({crops[index].tobytes() for index in range(64)}) == 64
    assert all(
        np.array_equal(crops[index], Crops(photos, 32)[index]) for index in (3, 40)
    )  # whatever else was loaded before


def test_crops_come_at_several_scales_and_mirrored(tmp_path):
    ramp = np.repeat(
        np.arange(256, dtype="uint8")[None], 128, axis=0
    )  # a gray ramp: its slope tells the scale, its sign the mirror
    save_image(ramp, tmp_path / "ramp.png")
    slopes = [
        float(np.mean(np.diff(Crops(tmp_path, 32)[index][16, :, 0].astype(float))))
        for index in range(40)
    ]
    assert min(slopes) < -3 and max(slopes) > 3 and min(map(abs, slopes)) < 1.3
    assert 8 <= sum(slope < 0 for slope in slopes) <= 32


def test_folders_without_photos(photos, tmp_path):
    for folder, kind, message in (
        (tmp_path / "none", FileNotFoundError, "no folder"),
        (tmp_path / "empty", ValueError, "has no pictures"),
    ):
        if kind is ValueError:
            folder.mkdir()
        with pytest.raises(kind, match=message):
            train_transform_net(picture(48, 48), folder, **QUICK)
    with pytest.raises(ValueError, match="none of the 8 pictures .* smaller than the crop of 128"):
        train_transform_net(picture(48, 48), photos, **{**QUICK, "crop": 128})


@pytest.mark.parametrize(
    "name,value",
    [
        ("crop", 8),
        ("batch_size", 0),
        ("steps", 1.5),
        ("style_weight", -1.0),
        ("grid_weight", -0.1),
        ("style_scales", 0),
        ("style_scales", 1.5),
        ("style_scales", 9),
        ("learning_rate", float("nan")),
        ("width", 0),
        ("style_layers", ["conv9_9"]),
        ("output", "net.h5"),
        ("output", "nowhere/net.keras"),
        ("start", "starry_night"),
        ("network", "resnet"),
        ("precision", "int8"),
        ("seed", -1),
        ("style_size", 1),
        ("output", "."),
    ],
)
def test_bad_arguments(photos, name, value):
    expected = {"style_layers": "conv9_9", "output": "keras|nowhere"}.get(name, name)
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=expected):
        train_transform_net(picture(48, 48), photos, **{**QUICK, name: value})


def test_grid_loss_knows_a_pattern_of_four_pixels():
    pattern = np.random.default_rng(0).normal(0, 5, (4, 4, 3)).astype("float32")
    gridded = 100 + np.tile(pattern, (16, 15, 1))[None]
    for y in (
        gridded,
        gridded[:, :63, :59],
        np.roll(gridded, 2, axis=1),
    ):  # what is left over at the border does not count
        assert float(grid_loss(y)) == pytest.approx(pattern.var((0, 1)).mean(), rel=1e-4)
    assert float(grid_loss(np.concatenate([gridded, np.full_like(gridded, 7)]))) == pytest.approx(
        pattern.var((0, 1)).mean() / 2, rel=1e-4
    )
    assert (
        float(grid_loss(load_image(os.path.join(IMAGES, "dog.jpg"), 256)[None].astype("float32")))
        < 0.1
    )  # a photo has none


@pytest.mark.slow
def test_a_new_network_learns_photos_first(photos, tiny, monkeypatch):
    """The style loss comes in by and by, over the first half of the steps; where a network knows
    another style already, it counts at once.
    """
    net, batch = build_transform_net(2, 1), picture(24, 24)[None].astype("float32")
    shares = {}
    for ramp in (0, 4):
        trainer = StyleTrainer(
            net,
            picture(20, 24, 9),
            tiny.model,
            content_layers=["conv2"],
            style_layers=["conv1"],
            loss_weights={"content": 0.0, "tv": 0.0, "grid": 0.0},
            ramp=ramp,
        )
        shares[ramp] = np.array(
            [float(trainer.compute_loss(x=batch, y_pred=net(batch))) for _ in range(6)]
        )
    np.testing.assert_allclose(
        shares[4] / shares[0], [0.05, 0.2875, 0.525, 0.7625, 1, 1], rtol=1e-5
    )
    ramps = []
    monkeypatch.setattr(
        training_run,
        "StyleTrainer",
        lambda *args, ramp, **options: (
            ramps.append(ramp) or StyleTrainer(*args, ramp=ramp, **options)
        ),
    )
    for start in (None, net):
        train_transform_net(picture(48, 48, 3), photos, **{**QUICK, "steps": 8}, start=start)
    assert ramps == [4, 0]


@pytest.mark.slow
def test_start_goes_on_from_a_network(photos):
    first = train_transform_net(picture(48, 48, 3), photos, **{**QUICK, "steps": 5}, name="mosaic")
    second = train_transform_net(
        picture(48, 48, 3), photos, **{**QUICK, "steps": 1, "learning_rate": 0.0}, start=first
    )
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights()))
    assert second.record["started_from"] == "mosaic"


class Stripes(keras.utils.PyDataset):
    """Three batches; and those that were asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.asked.append(index)
        return np.random.default_rng(index).uniform(0, 255, (2, 32, 32, 3)).astype("float32")


@pytest.mark.slow
def test_keras_loaders(photos, tmp_path):
    """A folder by image_dataset_from_directory, and a PyDataset, in place of our own crops: taken
    round and round; resumed, from where it was.
    """

    def train(batches, **changes):
        return train_transform_net(picture(48, 48, 3), batches, **{**QUICK, "steps": 10, **changes})

    dataset = keras.utils.image_dataset_from_directory(
        photos, labels=None, image_size=(32, 32), batch_size=2, shuffle=False, verbose=False
    )
    stripes = Stripes()
    for batches in (dataset, stripes):
        net = train(batches)
        assert (
            net.record["steps"] == 10
            and np.isfinite(net.record["losses"]["loss"])
            and net.record["photos"] is None
        )
        folder = tmp_path / type(batches).__name__
        train(batches, checkpoint=folder, callbacks=[training_run.StopAfter(4)])
        for a, b in zip(net.get_weights(), train(batches, checkpoint=folder).get_weights()):
            np.testing.assert_array_equal(a, b)
    assert {*stripes.asked} == {0, 1, 2}
    with pytest.raises(TypeError, match="photos must be a folder.*Received: list"):
        train([np.zeros((2, 32, 32, 3), "float32")])


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is TensorFlow's own")
def test_a_step_is_traced_once(photos, monkeypatch):
    """TensorFlow traces a step again that made variables, such as the optimizer's."""
    calls, compute_loss = [], StyleTrainer.compute_loss

    def counted(trainer, *arguments, **options):
        calls.append(1)
        return compute_loss(trainer, *arguments, **options)

    monkeypatch.setattr(StyleTrainer, "compute_loss", counted)
    train_transform_net(picture(48, 48, 3), photos, **{**QUICK, "steps": 3})
    assert len(calls) == 1


@pytest.mark.slow
def test_bfloat16(photos):
    net = train_transform_net(
        picture(48, 48, 3), photos, **{**QUICK, "steps": 2}, precision="bfloat16"
    )
    assert net.precision == "bfloat16" and np.isfinite(net.record["losses"]["loss"])


DEVICES = """
import sys
import tensorflow as tf
from neural_style import train_transform_net
from helpers import picture, trained
if __name__ == "__main__":
    kind = sys.argv[2]
    if kind == "mirrored":
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    else:
        strategy = tf.distribute.MultiWorkerMirroredStrategy() if kind == "workers" else None
    if strategy:
        assert strategy.num_replicas_in_sync == 2
    print("trained", *trained(sys.argv[1], strategy))
"""


def results_of(process):
    return [float(number) for number in finish(process).split("trained")[-1].split()]


@pytest.mark.slow
def test_two_devices_learn_what_one_does(photos):
    assert results_of(start(DEVICES, photos, "mirrored")) == pytest.approx(
        trained(photos), rel=1e-3
    )


@pytest.mark.slow
def test_two_workers_learn_what_one_does(photos):
    import socket

    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            ports.append(probe.getsockname()[1])
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    workers = [
        start(
            DEVICES,
            photos,
            "workers",
            TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
        )
        for index in range(2)
    ]
    alone = trained(photos)
    for worker in workers:
        assert results_of(worker) == pytest.approx(alone, rel=1e-3)


@pytest.mark.slow
def test_the_same_training_on_jax(photos):
    assert results_of(start(DEVICES, photos, "one", KERAS_BACKEND="jax")) == pytest.approx(
        trained(photos), rel=1e-2
    )


@pytest.mark.slow
def test_several_styles_at_once(photos, tmp_path):
    """Each network's loss is its own painting's; together they share all but their normalizations,
    and go on from there.
    """
    paintings = {
        "mosaic": picture(48, 48, 3),
        "stripes": np.repeat(np.tile(np.uint8([255, 0] * 24), (48, 1))[:, :, None], 3, axis=2),
    }
    settings = {**QUICK, "steps": 100, "learning_rate": 5e-3}
    nets = train_transform_net(
        paintings,
        photos,
        tmp_path / "nets",
        **settings,
        license="CC0",
        callbacks=[
            keras.callbacks.ModelCheckpoint(tmp_path / "best.keras"),
            Preview([picture(40, 30)], tmp_path / "preview", steps=100, size=40),
        ],
    )
    assert sorted(path.name for path in (tmp_path / "nets").iterdir()) == [
        "mosaic.keras",
        "stripes.keras",
    ]
    assert load_image(tmp_path / "preview" / "00100.png").shape == (120, 34, 3)
    for name, net in nets.items():
        saved, best = (
            load_transform_net(path)
            for path in (tmp_path / "nets" / f"{name}.keras", tmp_path / f"best-{name}.keras")
        )
        assert all(
            np.array_equal(a, b) and np.array_equal(a, c)
            for a, b, c in zip(*(n.get_weights() for n in (net, saved, best)))
        )
        assert saved.record["style"] == name and saved.record["together_with"] == [
            other for other in nets if other != name
        ]
    for variable, one, other in zip(
        nets["mosaic"].weights, *(net.get_weights() for net in nets.values())
    ):
        assert np.array_equal(one, other) != (variable.name in ("gamma", "beta"))
    extractor = feature_extractor(["conv1_2", "conv2_1"], weights=None, normalize=False)
    losses = {}
    for name, painting in paintings.items():
        loss = style_loss(extractor(preprocess(painting)), QUICK["style_layers"])
        losses[name] = [
            float(
                loss(
                    extractor(
                        preprocess(np.uint8(net(picture(48, 48, 7)[None].astype("float32"))[0]))
                    )
                )
            )
            for net in nets.values()
        ]
    assert losses["mosaic"][0] < losses["mosaic"][1] and losses["stripes"][1] < losses["stripes"][0]
    again = train_transform_net(
        paintings, photos, **{**settings, "steps": 1, "learning_rate": 0.0}, start=nets
    )
    assert all(
        np.array_equal(a, b)
        for name in nets
        for a, b in zip(nets[name].get_weights(), again[name].get_weights())
    )
    with pytest.raises(ValueError, match="stripes"):
        train_transform_net(paintings, photos, **settings, start={"mosaic": nets["mosaic"]})
    with pytest.raises(ValueError, match="mosaic"):
        train_transform_net(
            paintings, photos, **settings, start={"mosaic": nets["mosaic"], "stripes": None}
        )
    with pytest.raises(ValueError, match="empty dict"):
        train_transform_net({}, photos, **settings)
    with pytest.raises(ValueError, match="same convolutions"):
        train_transform_net(
            paintings,
            photos,
            **settings,
            start={"mosaic": nets["mosaic"], "stripes": build_transform_net(2, 1, seed=5)},
        )


def test_networks_joined_are_the_networks():
    nets = [build_transform_net(2, 1) for _ in range(2)]
    rng = np.random.default_rng(0)
    for net in nets:
        net.set_weights(
            [
                w + rng.normal(size=w.shape) if v.name in ("gamma", "beta") else w
                for v, w in zip(net.weights, net.get_weights())
            ]
        )
    trainer, photo = (
        StyleTrainer(
            nets,
            [picture(20, 24, 9)] * 2,
            feature_extractor(["conv1_1"], weights=None),
            content_layers=["conv1_1"],
            style_layers=["conv1_1"],
        ),
        picture(21, 30)[None].astype("float32"),
    )
    for net, apart, painted in zip(nets, trainer.nets(), ops.convert_to_numpy(trainer(photo))):
        expected = ops.convert_to_numpy(net(photo)[0])
        np.testing.assert_allclose(painted, expected, atol=1e-2)
        np.testing.assert_array_equal(ops.convert_to_numpy(apart(photo)[0]), expected)
    halves = ops.convert_to_numpy(trainer.joint([photo, np.float32([[0.5, 0.5]])])[0])
    np.testing.assert_allclose(
        halves, ops.convert_to_numpy(blend([(net, 1) for net in nets])(photo)[0]), atol=1e-2
    )


# ---- What may go wrong
# ------------------------------------------------------------------------------------------------


def test_no_picture_ends_a_training(photos, monkeypatch):
    """Damaged EXIF is a picture still; what is none, or needs a missing package or more memory than
    there is, is .unusable.
    """
    (photos / "exif.jpg").write_bytes(damaged_exif())
    for name in ("script.jpg", "phone.heic", "huge.png"):
        (photos / name).write_text(
            "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 40\n%%EndComments\n"
        )
    known = photos_module.image_size

    def size(path):
        if path.name in ("phone.heic", "huge.png"):
            raise {"phone.heic": ImportError("HEIC needs pillow-heif"), "huge.png": MemoryError()}[
                path.name
            ]
        return known(path)

    monkeypatch.setattr(photos_module, "image_size", size)
    crops = Crops(photos, 10)
    assert all(crops[index].shape == (10, 10, 3) for index in range(24))
    assert {path.name for path in crops.unusable} == {"script.jpg", "phone.heic", "huge.png"}
    assert (
        crops.unusable[photos / "phone.heic"] == "HEIC needs pillow-heif"
        and crops.unusable[photos / "huge.png"] == "MemoryError"
    )


def test_photos_that_vanish_are_told_and_not_waited_for(photos):
    crops = Crops(photos, 32)
    for path in crops.paths:
        path.unlink()
    with pytest.raises(ValueError, match="none of the 8 pictures can be used any more"):
        crops[3]


@pytest.mark.slow
def test_a_checkpoint_is_one_training_s_at_a_time(photos, tmp_path):
    said = []

    def another(batch, logs):
        if batch == 1:
            with pytest.raises(
                RuntimeError, match="another run is working on '.*checkpoint'"
            ) as caught:
                train_transform_net(
                    picture(48, 48, 3),
                    photos,
                    checkpoint=tmp_path / "checkpoint",
                    **{**QUICK, "steps": 3},
                )
            said.append(caught)

    train_transform_net(
        picture(48, 48, 3),
        photos,
        checkpoint=tmp_path / "checkpoint",
        **{**QUICK, "steps": 3},
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=another)],
    )
    assert len(said) == 1 and not (tmp_path / "checkpoint" / ".lock").exists()


FULL = """
import resource, sys
import keras
from neural_style import train_transform_net
from neural_style.feedforward import Preview, training_run
from helpers import picture

class Full(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        limit = {limit} if epoch in {epochs} else resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

training_run.EPOCH = 2
net = train_transform_net(picture(48, 48, 3), sys.argv[1], checkpoint=sys.argv[2], **{quick!r},
                          callbacks=[Full(), Preview([picture(40, 40)], sys.argv[2] + "-previews", steps=2, size=40)])
print("made", net.record["steps"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit,epochs", [(0, [0]), (0, [1, 2]), (3000, [0, 1, 2]), (3000, [2])])
def test_a_full_disk_does_not_end_a_training(photos, tmp_path, limit, epochs):
    """Log, checkpoint and preview warn, each time; what could be written is whole, and the training
    goes on from it.
    """
    quick = {**QUICK, "steps": 6, "width": 4}
    process = start(
        FULL.format(limit=limit, epochs=epochs, quick=quick), photos, tmp_path / "checkpoint"
    )
    out, said = process.communicate()
    assert process.returncode == 0 and "made 6" in out, said
    assert (
        said.count("the checkpoint in")
        == said.count("the training goes on") / (3 if limit == 0 else 2)
        == len(epochs)
    )
    last = max({0, 1, 2} - {*epochs}, default=-1)  # epoch whose state was written
    with open(tmp_path / "checkpoint" / "training.json") as file:
        assert json.load(file)["steps"] == 6
    steps = []
    count_steps = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: steps.append(batch)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "EPOCH", 2)
        net = train_transform_net(
            picture(48, 48, 3),
            str(photos),
            checkpoint=tmp_path / "checkpoint",
            **quick,
            callbacks=[count_steps],
        )
        whole = train_transform_net(picture(48, 48, 3), str(photos), **quick)
    assert len(steps) == 6 - 2 * (last + 1)
    assert all(np.array_equal(a, b) for a, b in zip(net.get_weights(), whole.get_weights()))


@pytest.mark.slow
@pytest.mark.parametrize("several", [False, True])
def test_what_ends_a_training_carries_the_networks_so_far(photos, several):
    def fail(batch, logs):
        if batch == 4:
            raise SystemExit(143)

    style = (
        {"one": picture(48, 48, 3), "other": picture(48, 48, 4)} if several else picture(48, 48, 3)
    )
    with pytest.raises(SystemExit) as caught:
        train_transform_net(
            style,
            photos,
            **QUICK,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=fail)],
        )
    five = train_transform_net(style, photos, **QUICK, callbacks=[training_run.StopAfter(5)])
    for so_far, net in zip(
        *([*nets.values()] if several else [nets] for nets in (caught.value.result, five))
    ):
        assert so_far.record["steps"] == 5 and so_far.record["settings"] == net.record["settings"]
        assert all(np.array_equal(a, b) for a, b in zip(so_far.get_weights(), net.get_weights()))


def test_what_comes_before_the_first_step_carries_nothing(photos):
    def fail(logs):
        raise RuntimeError("not today")

    with pytest.raises(RuntimeError, match="not today") as caught:
        train_transform_net(
            picture(48, 48, 3),
            photos,
            **QUICK,
            callbacks=[keras.callbacks.LambdaCallback(on_train_begin=fail)],
        )
    assert not hasattr(caught.value, "result")


@pytest.mark.slow
def test_a_training_that_diverges_late_carries_the_networks_before(photos, monkeypatch):
    monkeypatch.setattr(training_run, "EPOCH", 3)

    def spoil(epoch, logs):
        if epoch == 2:
            spoiler.model.joint.set_weights([np.nan * w for w in spoiler.model.joint.get_weights()])

    spoiler = keras.callbacks.LambdaCallback(on_epoch_begin=spoil)
    with pytest.raises(FloatingPointError, match="diverged") as caught:
        train_transform_net(
            picture(48, 48, 3), photos, **{**QUICK, "steps": 12}, callbacks=[spoiler]
        )
    six = train_transform_net(
        picture(48, 48, 3), photos, **{**QUICK, "steps": 12}, callbacks=[training_run.StopAfter(6)]
    )
    assert caught.value.result.record["steps"] == 6 and np.isfinite(
        caught.value.result.record["losses"]["loss"]
    )
    assert all(
        np.array_equal(a, b) for a, b in zip(caught.value.result.get_weights(), six.get_weights())
    )


@pytest.mark.slow
def test_a_network_that_cannot_be_saved_at_the_end_is_not_lost(photos, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training_run, "save_transform_net", full)
    with pytest.raises(OSError, match="No space") as caught:
        train_transform_net(
            picture(48, 48, 3), photos, tmp_path / "net.keras", **{**QUICK, "steps": 2}
        )
    assert caught.value.result.record["steps"] == 2


@pytest.mark.slow
def test_numbers_of_numpy(photos):
    """They train what Python's numbers train, and their record is ready for JSON."""
    numbers = {
        "width": np.int8(2),
        "residual_blocks": np.uint8(1),
        "crop": np.int16(32),
        "batch_size": np.int8(2),
        "steps": np.int16(3),
        "style_size": np.int64(48),
        "seed": np.uint64(1),
        "style_scales": np.int32(1),
        "content_weight": np.float64(2),
        "style_weight": np.float32(5),
        "tv_weight": np.int64(0),
        "grid_weight": np.float16(0.5),
        "learning_rate": np.float64(0.01),
        "normalize": np.bool_(False),
    }
    nets = [
        train_transform_net(picture(48, 48, 3), photos, **{**QUICK, **values})
        for values in (numbers, {name: value.item() for name, value in numbers.items()})
    ]
    assert json.loads(json.dumps(nets[0].record)) == nets[1].record
    assert all(np.array_equal(a, b) for a, b in zip(*(net.get_weights() for net in nets)))


@pytest.mark.parametrize(
    "name,value",
    [
        ("callbacks", 3),
        ("callbacks", [3]),
        ("callbacks", [keras.callbacks.Callback]),
        ("callbacks", "log"),
        ("strategy", "mirrored"),
        ("strategy", 2),
        ("learning_rate", "fast"),
        ("learning_rate", True),
        ("learning_rate", 10**400),
        ("style_weight", None),
        ("content_weight", float("inf")),
        ("steps", 10**400),
        ("steps", True),
        ("crop", 10**6),
        ("batch_size", 10**9),
        ("style_scales", 10**9),
        ("width", 129),
        ("residual_blocks", 33),
        ("width", "16"),
        ("seed", 1.5),
        ("seed", None),
        ("normalize", "no"),
        ("progress", 1),
        ("output", 5),
        ("output", b"net.keras"),
        ("checkpoint", 5),
        ("resume", 1),
        ("resume", None),
        ("name", 5),
        ("license", None),
        ("network", ["vgg16"]),
        ("pooling", ["avg"]),
        ("precision", ["float32"]),
        ("content_layers", None),
        ("style_layers", 3),
        ("style_layers", {"conv1_1": float("nan")}),
        ("start", 3),
    ],
)
def test_odd_arguments_are_refused_by_name_before_any_work(photos, monkeypatch, name, value):
    monkeypatch.setattr(training, "vgg_weights", None)
    monkeypatch.setattr(training_batches, "Crops", None)
    with pytest.raises((ValueError, TypeError), match=name) as caught:
        train_transform_net(picture(48, 48), photos, **{**QUICK, name: value})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["../up", "a/b", "..", "", "a\\b", "c:", 5])
@pytest.mark.parametrize("output", [None, "nets"])
def test_a_style_s_name_stays_in_its_folder(photos, tmp_path, monkeypatch, name, output):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="the name of a style must be a plain file name"):
        train_transform_net(
            {"good": picture(48, 48), name: picture(48, 48)}, photos, output, **QUICK
        )
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.slow
def test_training_does_not_depend_on_keras_settings(photos, tmp_path):
    """~/.keras/keras.json may say that pictures are C x H x W. (The feature network is one of one
    layer, made here.)
    """
    (tmp_path / "keras.json").write_text(
        json.dumps(
            {
                "image_data_format": "channels_first",
                "floatx": "float32",
                "backend": "tensorflow",
                "epsilon": 1e-7,
            }
        )
    )
    code = (
        "import keras, numpy as np\nfrom helpers import picture\nfrom neural_style.feedforward"
        " import StyleTrainer, build_transform_net\ninputs = keras.Input((None, None, 3))\nfeatures ="
        " keras.layers.Conv2D(4, 3, data_format='channels_last',"
        " kernel_initializer=keras.initializers.GlorotUniform(0))(inputs)\nextractor ="
        " keras.Model(inputs, {'conv1': features, 'image': inputs})\ntrainer ="
        " StyleTrainer(build_transform_net(2, 1), picture(24, 24), extractor,"
        " content_layers=['conv1'], style_layers=['conv1'], style_scales=2)\nbatch ="
        " np.stack([picture(24, 24, 1)]).astype('float32')\nprint(keras.config.image_data_format(),"
        " float(trainer.compute_loss(x=batch, y_pred=trainer(batch, training=True))))"
    )
    (format_, loss), (other, expected) = (
        finish(start(code, **environment)).split()
        for environment in ({"KERAS_HOME": str(tmp_path)}, {})
    )
    assert (format_, other) == ("channels_first", "channels_last") and float(loss) == pytest.approx(
        float(expected), rel=1e-5
    )
