"""Losses of one's own in a training."""

import csv
import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from helpers import QUICK_TRAINING as QUICK
from helpers import picture
from keras import ops

from neural_style import save_image, train_transform_net
from neural_style.feedforward import (
    StyleTrainer,
    build_transform_net,
    load_transform_net,
    training,
    training_batches,
)
from neural_style.feedforward.training_terms import TrainingStage, check_training_terms, record_of
from neural_style.losses.loss import Loss
from neural_style.vgg.preprocessing import IMAGENET_MEAN_BGR


@dataclass(frozen=True)
class Mirror:
    """Mean squared difference between a picture and its mirror image."""

    weight: float = 1e-3
    axis: int = 2
    name: str = "mirror"
    layers: tuple = ()

    def loss(self, stage):
        def sums(x):
            squares = ops.square(x - ops.flip(x, self.axis))
            return {"squares": ops.sum(squares), "count": ops.prod(ops.shape(squares))}

        def value(sums):
            image = sums["image"]
            return image["squares"] / ops.cast(image["count"], "float32")

        return Loss({"image": sums}, value)


class Sparse:
    """Mean activation of a layer; a plain object, no dataclass."""

    def __init__(self, layer, name="sparse"):
        self.name, self.weight, self.layers, self.stages = name, 0.5, (layer,), []

    def loss(self, stage):
        self.stages.append(stage)
        layer = self.layers[0]
        return Loss(
            {layer: lambda f: {"sum": ops.sum(f), "count": ops.prod(ops.shape(f))}},
            lambda sums: sums[layer]["sum"] / ops.cast(sums[layer]["count"], "float32"),
        )


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        save_image(picture(40 + 3 * number, 60, number), folder / f"{number}.png")
    return folder


def trainer(tiny, terms, layers=("conv1", "conv2")):
    return StyleTrainer(
        build_transform_net(2, 1),
        picture(20, 24, 9),
        keras.Model(
            tiny.model.input, {name: tiny.model.output[name] for name in (*layers, "image")}
        ),
        content_layers=["conv1"],
        style_layers=["conv1"],
        terms=terms,
    )


def test_a_term_changes_the_loss_as_its_numpy_transcription_says(tiny):
    batch = np.stack([picture(24, 24, seed) for seed in (1, 2)]).astype("float32")
    painted = np.stack([picture(24, 24, seed) for seed in (3, 4)]).astype("float32")
    plain = ops.convert_to_numpy(trainer(tiny, ()).compute_loss(x=batch, y_pred=painted))
    terms = [Mirror(weight=0.25), Sparse("conv2")]
    made = trainer(tiny, terms)
    with_terms = ops.convert_to_numpy(made.compute_loss(x=batch, y_pred=painted))
    x = painted[..., ::-1].astype("float64") - IMAGENET_MEAN_BGR
    mirror = 0.25 * np.mean((x - x[:, :, ::-1]) ** 2)
    sparse = 0.5 * np.mean([tiny.numpy(image[None])["conv2"] for image in x])
    assert mirror > 1 and sparse > 0.01 * plain
    assert with_terms - plain == pytest.approx(mirror + sparse, rel=1e-4)
    metrics = made.get_metrics_result()
    assert float(metrics["mirror"]) == pytest.approx(mirror, rel=1e-4)
    assert float(metrics["sparse"]) == pytest.approx(sparse, rel=1e-4)


def test_what_a_term_learns_of_the_training(tiny):
    term = Sparse("conv2")
    made = StyleTrainer(
        [build_transform_net(2, 1)] * 2,
        [picture(20, 24, 9), picture(22, 24, 8)],
        tiny.model,
        content_layers=["conv1"],
        style_layers=["conv1"],
        terms=[term],
        shape=(2, 24, 24, 3),
    )
    (stage,) = term.stages
    assert isinstance(stage, TrainingStage)
    assert stage.shape == (2, 24, 24, 3) and stage.content is None
    assert [(style.shape, share) for style, share in stage.styles] == [
        ((20, 24, 3), 1.0),
        ((22, 24, 3), 1.0),
    ]
    assert stage.network is tiny.model
    assert not any(v is w for v in made.trainable_variables for w in tiny.model.weights)


@pytest.mark.slow
def test_a_training_with_terms(photos, tmp_path):
    """They are logged, their layers are in the extractor, the record and the checkpoint have them,
    and a strong one changes what is learned.
    """

    def train(terms, **options):
        return train_transform_net(
            picture(48, 48, 3), photos, terms=terms, **{**QUICK, "steps": 4, **options}
        )

    class Outside(Sparse):
        pass

    terms = [Mirror(weight=5.0), Outside("conv3_1")]
    net = train(terms, output=tmp_path / "net.keras", checkpoint=tmp_path / "checkpoint")
    with open(tmp_path / "checkpoint" / "log.csv") as file:
        (row,) = csv.DictReader(file)
    parts = ("content", "style", "tv", "grid", "mirror", "sparse")
    assert {*row} >= {"epoch", "loss", *parts} and float(row["mirror"]) > 0
    assert set(net.record["losses"]) == {"loss", *parts}
    assert terms[1].stages[0].shape == (2, 32, 32, 3)
    expected = [
        {
            "class": f"{__name__}.Mirror",
            "arguments": {"weight": 5.0, "axis": 2, "name": "mirror", "layers": []},
            "name": "mirror",
            "weight": 5.0,
        },
        {
            "class": f"{__name__}.test_a_training_with_terms.<locals>.Outside",
            "arguments": None,
            "name": "sparse",
            "weight": 0.5,
        },
    ]
    assert load_transform_net(tmp_path / "net.keras").record["settings"]["terms"] == expected
    assert json.loads((tmp_path / "checkpoint" / "training.json").read_text())["terms"] == expected
    assert train(terms, checkpoint=tmp_path / "checkpoint").record["steps"] == 4
    for other in ([], [Mirror(weight=6.0), terms[1]]):
        with pytest.raises(ValueError, match="training with another terms; remove it"):
            train(other, checkpoint=tmp_path / "checkpoint")
    plain = train([])
    assert "terms" not in plain.record["settings"]
    assert not all(np.array_equal(a, b) for a, b in zip(net.get_weights(), plain.get_weights()))


def without(name):
    class Term:
        pass

    term = Term()
    known = {"name": "mirror", "weight": 1.0, "layers": (), "loss": lambda stage: None}
    for key, value in known.items():
        if key != name:
            setattr(term, key, value)
    return term


BAD = [
    ("mirror", TypeError, "terms must be a list of terms.*'mirror'"),
    (Mirror(), TypeError, "terms must be a list of terms"),
    ([3], TypeError, "a term must be an object.*Received: int without name, weight, layers, loss"),
    ([Mirror], TypeError, "a term must be an object.*Received: the class Mirror"),
    ([without("name")], TypeError, "a term must be an object.*Received: Term without name"),
    ([without("weight")], TypeError, "Received: Term without weight"),
    ([without("layers")], TypeError, "Received: Term without layers"),
    ([without("loss")], TypeError, "a method loss.*Received: Term without loss"),
    ([Mirror(name="")], TypeError, "the name of a term must be a text.*name=''"),
    ([Mirror(name=5)], TypeError, "the name of a term must be a text.*name=5"),
    ([Mirror(), Mirror()], ValueError, "the name of a term must be its own.*'mirror'"),
    ([Mirror(name="style")], ValueError, "the name of a term must be its own.*'style'"),
    ([Mirror(name="loss")], ValueError, "the name of a term must be its own.*'loss'"),
    ([Mirror(weight="1")], ValueError, "weight of the term 'mirror' must be a finite number.*'1'"),
    ([Mirror(weight=0)], ValueError, "weight of the term 'mirror' must be a finite.*above 0"),
    ([Mirror(weight=float("nan"))], ValueError, "weight of the term 'mirror'.*nan"),
    ([Mirror(layers="conv1_1")], TypeError, "the layers of the term 'mirror' must be a tuple"),
    ([Mirror(layers=(3,))], TypeError, "the layers of the term 'mirror' must be a tuple"),
]


@pytest.mark.parametrize("terms,kind,message", BAD)
def test_bad_terms_are_refused_before_any_work(photos, monkeypatch, tiny, terms, kind, message):
    monkeypatch.setattr(training, "vgg_weights", None)
    monkeypatch.setattr(training_batches, "Crops", None)
    with pytest.raises(kind, match=message):
        train_transform_net(picture(48, 48), photos, terms=terms, **QUICK)
    with pytest.raises(kind, match=message):
        trainer(tiny, terms)


def test_a_layer_that_the_network_does_not_have(photos, monkeypatch, tiny):
    monkeypatch.setattr(training, "vgg_weights", None)
    with pytest.raises(ValueError, match="vgg16 has no layer 'conv9_9'"):
        train_transform_net(picture(48, 48), photos, terms=[Sparse("conv9_9")], **QUICK)
    with pytest.raises(ValueError, match="must have the layers of the term 'sparse'.*conv2"):
        trainer(tiny, [Sparse("conv2")], layers=("conv1",))


@dataclass(frozen=True)
class Wrong(Mirror):
    """Its loss() returns a function, not a Loss."""

    def loss(self, stage):
        return lambda features: 0.0


@dataclass(frozen=True)
class Many(Mirror):
    """Its Loss gives a number for each picture."""

    def loss(self, stage):
        return Loss({"image": lambda x: ops.mean(x, axis=(1, 2, 3))}, lambda sums: sums["image"])


@pytest.mark.slow
def test_a_loss_that_is_none(photos, tmp_path, tiny):
    """It is refused before the first step."""
    options = {**QUICK, "steps": 2, "checkpoint": tmp_path / "checkpoint"}
    for term, kind, message in (
        (
            Wrong(),
            TypeError,
            "of the term 'mirror' must return a neural_style.losses.Loss.*function",
        ),
        (Many(), ValueError, "loss of the term 'mirror' must be one number for a batch.*shape"),
    ):
        with pytest.raises(kind, match=message):
            train_transform_net(picture(48, 48), photos, terms=[term], **options)
        assert not (tmp_path / "checkpoint" / "latest.weights.h5").exists()


def test_arguments_in_a_record_are_ready_for_json():
    @dataclass(frozen=True)
    class Towards(Mirror):
        image: np.ndarray = None
        gain: float = 1.0
        inner: Mirror = None

    term = Towards(image=picture(4, 4), gain=np.float32(0.5), inner=Mirror(weight=2.0))
    arguments = json.loads(json.dumps(record_of(term)))["arguments"]
    assert len(arguments["image"]["sha256"]) == 64 and arguments["gain"] == 0.5
    assert arguments["inner"]["class"].endswith(".Mirror")
    inner = {"weight": 2.0, "axis": 2, "name": "mirror", "layers": []}
    assert arguments["inner"]["arguments"] == inner
    assert record_of(Towards(image=picture(4, 4, 1)))["arguments"]["image"] != arguments["image"]
    assert check_training_terms([term]) == (term,)
