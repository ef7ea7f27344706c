"""train_decoders(): the loss, what is learned, going on from a checkpoint or a file, bad input."""

import csv

import keras
import numpy as np
import pytest
from helpers import picture, random_weights
from keras import ops

from neural_style import preprocess
from neural_style.feedforward.decoder_trainer import DecoderTrainer, transported
from neural_style.feedforward.decoder_training import train_decoders
from neural_style.images.save import save_image
from neural_style.universal.decoder import DECODERS, ENCODER
from neural_style.universal.encoder import build_encoder
from neural_style.universal.transport import sums_of, transport_map
from neural_style.vgg.architecture import conv_layers

QUICK = dict(crop=16, batch_size=1, weights=None, progress=False)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        save_image(picture(20 + number, 24, number), folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def encoder():
    means = {name: np.full(conv_layers("vgg16")[name][-1], 0.5, "float32") for name in ENCODER}
    return build_encoder(tuple(DECODERS), random_weights(), means)


def test_the_loss_is_the_mean_squared_difference_of_each_layer_s_picture(encoder):
    trainer = DecoderTrainer(encoder, tuple(DECODERS), seed=2)
    batch = np.stack([picture(16, 24, seed) for seed in (1, 2)])
    x = np.concatenate([preprocess(image) for image in batch])
    features = encoder(x)
    expected = {
        level: float(np.square(ops.convert_to_numpy(decoder(features[level])) - x).mean() / 255**2)
        for level, decoder in trainer.decoders.items()
    }
    images = ops.convert_to_tensor(batch.astype("float32"))
    total = trainer.compute_loss(images, y_pred=trainer(images), training=False)
    assert float(ops.stop_gradient(total)) == pytest.approx(sum(expected.values()), rel=1e-4)
    for level, tracker in trainer._trackers.items():
        assert float(tracker.result()) == pytest.approx(expected[level], rel=1e-4)


def test_decoders_in_bfloat16_learn_the_same_from_float32_weights(encoder):
    losses = {}
    images = np.stack([picture(32, 32, seed) for seed in (1, 2)]).astype("float32")
    for precision in ("float32", "bfloat16"):
        trainer = DecoderTrainer(encoder, tuple(DECODERS), 2, 0.5, precision)
        assert {weight.dtype for weight in trainer.joint.weights} == {"float32"}
        x = ops.convert_to_tensor(images)
        losses[precision] = float(ops.stop_gradient(trainer.compute_loss(x, y_pred=trainer(x))))
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)
    assert losses["bfloat16"] != losses["float32"]


@pytest.mark.slow
def test_training_and_going_on(photos, tmp_path):
    """A run in two parts ends where one in one part does; the file says how it was made."""
    whole = train_decoders(photos, tmp_path / "whole.npz", steps=60, **QUICK)

    class Stop(Exception):
        pass

    real = keras.callbacks.CallbackList.on_epoch_end

    def stop(self, epoch, logs=None):
        real(self, epoch, logs)
        raise Stop

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stop):
        patch.setattr(keras.callbacks.CallbackList, "on_epoch_end", stop)
        train_decoders(photos, tmp_path / "d.npz", steps=60, checkpoint=tmp_path / "ck", **QUICK)
    assert not (tmp_path / "d.npz").exists()
    parts = train_decoders(
        photos, tmp_path / "d.npz", steps=60, checkpoint=tmp_path / "ck", **QUICK
    )
    assert parts.record["steps"] == whole.record["steps"] == 60
    for level, decoder in whole.networks.items():
        for ours, theirs in zip(parts.networks[level].get_weights(), decoder.get_weights()):
            np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=2e-3)
    with open(tmp_path / "ck" / "log.csv") as file:
        first, last = [*csv.DictReader(file)]
    assert all(float(last[level]) < float(first[level]) for level in ("relu1_1", "relu2_1"))
    assert whole.record["settings"]["crop"] == 16 and whole.record["photos"] == 4
    assert whole.record["weights"]["source"] == "random"
    more = train_decoders(photos, tmp_path / "m.npz", steps=1, start=tmp_path / "d.npz", **QUICK)
    assert more.record["started_from"]["steps"] == 60
    apart = np.abs(
        more.networks["relu1_1"].get_weights()[0] - parts.networks["relu1_1"].get_weights()[0]
    )
    assert 0 < apart.max() < 0.1


@pytest.mark.parametrize(
    "arguments,words",
    [
        ({"crop": 20}, "crop must be a multiple of 8"),
        ({"crop": 8}, "crop must be"),
        ({"steps": 0}, "steps must be a positive integer"),
        ({"learning_rate": -1}, "learning_rate must be"),
        ({"output": "decoders.keras"}, "output must end in .npz"),
        ({"start": "none.npz"}, "none.npz"),
        ({"photos": "none"}, "no folder at 'none'"),
    ],
)
def test_bad_input(arguments, words, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        train_decoders(**{"photos": photos, "output": "d.npz", **QUICK, **arguments})


def test_mapped_features_are_those_of_the_transport_map():
    rng = np.random.default_rng(0)
    f = np.maximum(rng.normal(size=(3, 8, 8, 5)) @ rng.normal(size=(5, 5)) + 1, 0).astype("float32")
    expected, offset = transport_map(sums_of(f.reshape(24, 8, 5)).normal(), sums_of(f[0]).normal())
    found = ops.convert_to_numpy(transported(ops.convert_to_tensor(f)))
    np.testing.assert_allclose(found, f @ expected.T + offset, rtol=1e-3, atol=1e-3)


def test_the_loss_of_mapped_features(encoder):
    """Written out once more, for the second layer."""
    trainer = DecoderTrainer(encoder, ("relu1_1", "relu2_1"), seed=2, moved_weight=0.5)
    batch = np.stack([picture(16, 24, seed) for seed in (1, 2)])
    images = ops.convert_to_tensor(batch.astype("float32"))
    trainer.compute_loss(images, y_pred=trainer(images), training=False)
    f = encoder(np.concatenate([preprocess(image) for image in batch]))
    moved = transported(f["relu2_1"])
    g = encoder(trainer.decoders["relu2_1"](moved))
    a, b = (ops.convert_to_numpy(one) for one in (g["relu2_1"], moved))
    expected = np.square(a - b).sum() / np.square(b).sum()
    for level in ("relu1_1", "relu2_1"):
        of_result, of_first = (
            np.einsum("bhwi,bhwj->bij", one, one) / (one.shape[1] * one.shape[2])
            for one in (ops.convert_to_numpy(x[level]).astype("float64") for x in (g, f))
        )
        apart = np.square(of_result - of_first[0]).sum(axis=(1, 2)).mean()
        expected += apart / np.square(of_first[0]).sum() / 2
    found = float(trainer._trackers["moved_relu2_1"].result())
    assert found == pytest.approx(0.5 * expected, rel=1e-3)


@pytest.mark.slow
def test_it_goes_on_where_another_precision_is_the_faster(photos, tmp_path, monkeypatch):
    for precision in ("float32", "bfloat16"):
        monkeypatch.setattr(
            "neural_style.feedforward.decoder_training.best_precision", lambda: precision
        )
        made = train_decoders(
            photos, tmp_path / "d.npz", steps=1, checkpoint=tmp_path / "ck", **QUICK
        )
        assert made.record["settings"]["precision"] == precision
