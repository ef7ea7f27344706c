import json
import os

import h5py
import keras
import numpy as np
import pytest
from helpers import picture

from neural_style.feedforward import StyleTrainer, build_transform_net
from neural_style.feedforward.checkpoint import claim, forget, last_losses, steps_done
from neural_style.feedforward.checkpoint_callback import TrainingCheckpoint

#: Names that Keras' BackupAndRestore gives, newest state first.
LATEST, BEFORE = "latest.weights.h5", "latest.weights.h5.bkp"


def write(folder, **states):
    """States whose optimizer has made so many steps; or, in place of a number, what is left of the
    file after a kill.
    """
    for name, state in states.items():
        path = folder / {"latest": LATEST, "before": BEFORE}[name]
        if isinstance(state, int):
            with h5py.File(path, "w") as file:
                file["optimizer/vars/0"] = state
        elif state == "half":
            write(folder, **{name: 50})
            path.write_bytes(path.read_bytes()[:1000])
        elif state == "no counter":
            h5py.File(path, "w").close()
        else:
            path.write_text(state)


@pytest.mark.parametrize(
    "states,done",
    [
        ({}, 0),
        ({"latest": 100, "before": 50}, 100),
        ({"latest": 100}, 100),
        ({"latest": "half", "before": 50}, 50),  # killed within the weights
        ({"latest": "no counter", "before": 50}, 50),
        ({"latest": 100, "before": "half"}, 100),
        ({"latest": "half"}, 0),  # killed within the first weights
        ({"latest": 77, "before": 50}, 77),  # stopped within an epoch
        ({"latest": 120, "before": 100}, 120),
    ],
)  # all 120, the last epoch shorter
def test_whatever_a_kill_leaves_the_newest_whole_state_goes_on(tmp_path, states, done):
    write(tmp_path, **states)
    assert steps_done(tmp_path, 120) == done
    if not done:
        assert not any((tmp_path / name).exists() for name in (LATEST, BEFORE))
    else:
        with h5py.File(tmp_path / LATEST) as file:
            assert file["optimizer/vars/0"][()] == done


def test_two_states_that_cannot_be_read_are_not_thrown_away(tmp_path):
    write(tmp_path, latest="no counter", before="half")
    with pytest.raises(ValueError, match="no state that can be read"):
        steps_done(tmp_path, 120)
    assert (tmp_path / LATEST).exists() and (tmp_path / BEFORE).exists()


def test_a_checkpoint_with_steps_in_it_is_claimed_by_its_own_training_alone(tmp_path):
    one, other = (
        {"steps": 100, "layers": ("conv1_1",)},
        {"steps": 200, "layers": ("conv1_1",), "seed": 1},
    )
    folder = tmp_path / "new"
    claim(folder, one)
    claim(folder, other)  # nothing was trained so far
    write(folder, latest=50)
    claim(folder, other)
    with pytest.raises(
        ValueError, match="checkpoint of a training with another seed, steps; remove it"
    ):
        claim(folder, one)
    (folder / "training.json").unlink()
    with pytest.raises(ValueError, match="another layers, seed, steps"):
        claim(folder, other)


def test_what_is_forgotten_is_the_state_and_the_log_alone(tmp_path):
    claim(tmp_path, {"steps": 100})
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1.5\n")
    write(tmp_path, latest="half", before="no counter")
    forget(tmp_path)
    assert os.listdir(tmp_path) == ["training.json"]
    assert steps_done(tmp_path, 100) == 0


def test_last_losses(tmp_path):
    assert last_losses(tmp_path) == {}
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss,style,val_loss\n")
    assert last_losses(tmp_path) == {}
    log.write_text("epoch,loss,style,val_loss\n0,3.5,2.0,NA\n1,3.0,1.5,NA\n")
    assert last_losses(tmp_path) == {"loss": 3.0, "style": 1.5}


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    for name, text in (
        ("log.csv", "when,what\n1,2\n"),
        ("diary.txt", "mine"),
        ("training.json", '{"lesson": 1}'),
    ):
        folder = tmp_path / name.split(".")[0]
        folder.mkdir()
        (folder / name).write_text(text)
        with pytest.raises(ValueError, match="checkpoint must be a folder of its own"):
            claim(folder, {"steps": 100})
        assert os.listdir(folder) == [name] and (folder / name).read_text() == text


def test_what_a_kill_leaves_at_the_start_is_no_other_thing(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".0123456789abcdef.part").write_text('{"ste')
    claim(tmp_path, {"steps": 100})
    assert json.loads((tmp_path / "training.json").read_text())["steps"] == 100


@pytest.mark.parametrize(
    "text", ['{"styles": ', "", "\0", "[1, 2]", "3", "null", "[" * 100_000, '{"styles": NaN']
)
@pytest.mark.parametrize("begun", [False, True])
def test_a_damaged_marker_is_named(tmp_path, text, begun):
    (tmp_path / "training.json").write_text(text)
    if begun:
        write(tmp_path, latest=50)
    with pytest.raises(ValueError, match="training.json' (cannot be read|must hold)"):
        claim(tmp_path, {"steps": 100})
    assert (tmp_path / "training.json").read_text() == text


def test_a_folder_of_an_earlier_version_goes_on(tmp_path):
    """Its marker is the identity alone."""
    known = {
        "width": 16,
        "steps": 100,
        "styles": ["a"],
        "paintings": ["0"],
        "start": {"a": None},
        "photos": ["1.png"],
        "weights": None,
    }
    (tmp_path / "training.json").write_text(json.dumps(known))
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1.5\n")
    claim(tmp_path, known)
    write(tmp_path, latest=50)
    (tmp_path / "training.json").write_text(json.dumps(known))
    claim(tmp_path, known)
    with pytest.raises(ValueError, match="another width; remove it"):
        claim(tmp_path, {**known, "width": 8})


def link(file):
    file["optimizer/vars/0"] = h5py.ExternalLink("other.h5", "steps")


def soft(file):
    file["steps"] = np.int64(50)
    file["optimizer/vars/0"] = h5py.SoftLink("/steps")


def elsewhere(file):
    """A counter as it should be, and weights that would be read from another file."""
    file["optimizer/vars/0"] = np.int64(50)
    file["layers/conv2d/vars/0"] = h5py.ExternalLink("other.h5", "steps")


def huge(file):
    file.create_dataset("optimizer/vars/0", (10**6, 10**6), "int64")


def text(file):
    file["optimizer/vars/0"] = "fifty"


@pytest.mark.parametrize("forge", [link, soft, elsewhere, huge, text])
def test_a_forged_state_is_none(tmp_path, monkeypatch, forge):
    """Neither as the newest one nor as the one before."""
    monkeypatch.chdir(tmp_path)
    with h5py.File("other.h5", "w") as file:
        file["steps"] = np.int64(50)
    with h5py.File(LATEST, "w") as file:
        forge(file)
    forged = (tmp_path / LATEST).read_bytes()
    write(tmp_path, before=25)
    assert steps_done(tmp_path, 100) == 25
    (tmp_path / BEFORE).write_bytes(forged)
    assert steps_done(tmp_path, 100) == 25
    (tmp_path / BEFORE).write_bytes(forged)
    (tmp_path / LATEST).write_bytes(forged)
    with pytest.raises(ValueError, match="no state that can be read"):
        steps_done(tmp_path, 100)


def test_a_state_beyond_the_end_is_none(tmp_path):
    write(tmp_path, latest=150, before=-1)
    with pytest.raises(ValueError, match="no state that can be read"):
        steps_done(tmp_path, 100)


@pytest.mark.parametrize("line", ["0,letters", "0,1,2,3", "0,\udce4"])
def test_a_damaged_log_costs_no_network(tmp_path, caplog, line):
    (tmp_path / "log.csv").write_bytes(f"epoch,loss\n{line}\n".encode(errors="surrogateescape"))
    assert last_losses(tmp_path) == {} and "cannot be read" in caplog.text


def trainer(seed=0, width=2):
    """A StyleTrainer of one tiny network, compiled, and a batch for it."""
    inputs = keras.Input((None, None, 3))
    features = keras.layers.Conv2D(4, 3, kernel_initializer=keras.initializers.GlorotUniform(0))(
        inputs
    )
    made = StyleTrainer(
        build_transform_net(width, 0, seed=seed),
        picture(20, 20, 9),
        keras.Model(inputs, {"conv": features, "image": inputs}),
        content_layers=["conv"],
        style_layers=["conv"],
    )
    made.compile("adam")
    made.build((None, 20, 20, 3))
    return made, picture(20, 20)[None].astype("float32")


@pytest.mark.slow
def test_a_state_of_an_earlier_version_goes_on(tmp_path):
    """That of Keras' BackupAndRestore: the same weights, optimizer and number of batches."""
    first, batch = trainer()
    first.fit(
        batch,
        epochs=3,
        verbose=0,
        callbacks=[keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)],
    )
    second, _ = trainer(seed=1)
    assert steps_done(tmp_path, 10) == 3
    second.fit(
        batch, epochs=4, initial_epoch=3, verbose=0, callbacks=[TrainingCheckpoint(tmp_path)]
    )
    first.fit(batch, verbose=0)
    assert second.steps_made() == first.steps_made() == 4 == steps_done(tmp_path, 10)
    for a, b in zip(
        [*first.joint.get_weights(), *first.optimizer.variables],
        [*second.joint.get_weights(), *second.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def not_finite(file):
    file["weights/vars/2"][...] = np.nan


def short(file):
    del file["weights/vars/2"]


def one_more(file):
    file["weights/vars/99"] = 1.0


@pytest.mark.slow
@pytest.mark.parametrize("change", [not_finite, short, one_more, link, elsewhere, None])
def test_a_state_that_does_not_fit_is_refused(tmp_path, change):
    first, batch = trainer()
    first.fit(batch, verbose=0, callbacks=[TrainingCheckpoint(tmp_path)])
    if change:
        with h5py.File(tmp_path / LATEST, "r+") as file:
            if change in (link, elsewhere):
                del file["optimizer/vars/0"]
            change(file)
    second, _ = trainer(seed=1, width=2 if change else 3)
    before = second.joint.get_weights()
    with pytest.raises(
        ValueError, match="has a state that does not fit this training; remove it"
    ) as caught:
        second.fit(batch, verbose=0, callbacks=[TrainingCheckpoint(tmp_path)])
    assert "\n" not in str(caught.value)
    assert all(np.array_equal(a, b) for a, b in zip(before, second.joint.get_weights()))
