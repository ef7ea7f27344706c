import json

import h5py
import pytest

from neural_style.backup import claim, last_losses, steps_done

#: Names that Keras' BackupAndRestore gives, newest state first.
LATEST, BEFORE, METADATA = "latest.weights.h5", "latest.weights.h5.bkp", "training_metadata.json"


def write(folder, **states):
    """States whose optimiser has made so many steps; or, in place of a number, what is left of the file after a kill."""
    for name, state in states.items():
        path = folder / {"latest": LATEST, "before": BEFORE, "metadata": METADATA}[name]
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


@pytest.mark.parametrize("states,done,epoch", [
    ({}, 0, None),
    ({"latest": 100, "before": 50, "metadata": '{"epoch": 2, "batch": 0}'}, 100, 2),
    ({"latest": 100, "before": 50, "metadata": '{"epoch": 1, "batch": 0}'}, 100, 2),    # killed between weights and epoch
    ({"latest": 100, "before": 50, "metadata": ""}, 100, 2),                            # killed within the epoch
    ({"latest": 100}, 100, 2),
    ({"latest": "half", "before": 50, "metadata": '{"epoch": 1, "batch": 0}'}, 50, 1),  # killed within the weights
    ({"latest": "no counter", "before": 50, "metadata": '{"epoch": 1, "batch": 0}'}, 50, 1),
    ({"latest": 100, "before": "half", "metadata": '{"epoch": 2, "batch": 0}'}, 100, 2),
    ({"latest": "half"}, 0, None),                                                      # killed within the first weights
    ({"latest": 77, "before": 50}, 77, 1),                                              # stopped within an epoch: it takes the rest of it
    ({"latest": 120, "before": 100}, 120, 3)])                                          # all 120, the last epoch shorter
def test_whatever_a_kill_leaves_the_newest_whole_state_goes_on(tmp_path, states, done, epoch):
    write(tmp_path, **states)
    assert steps_done(tmp_path, 120, 50) == done
    if epoch is None:
        assert not any((tmp_path / name).exists() for name in (LATEST, BEFORE, METADATA))
    else:
        assert json.loads((tmp_path / METADATA).read_text()) == {"epoch": epoch, "batch": 0}
        with h5py.File(tmp_path / LATEST) as file:
            assert file["optimizer/vars/0"][()] == done


def test_two_states_that_cannot_be_read_are_not_thrown_away(tmp_path):
    write(tmp_path, latest="no counter", before="half")
    with pytest.raises(ValueError, match="no state that can be read"):
        steps_done(tmp_path, 120, 50)
    assert (tmp_path / LATEST).exists() and (tmp_path / BEFORE).exists()


def test_a_backup_with_steps_in_it_is_claimed_by_its_own_training_alone(tmp_path):
    one, other = {"steps": 100, "layers": ("conv1_1",)}, {"steps": 200, "layers": ("conv1_1",), "seed": 1}
    folder = tmp_path / "new"
    claim(folder, one)
    claim(folder, other)  # nothing was trained so far
    write(folder, latest=50)
    claim(folder, other)
    with pytest.raises(ValueError, match="backup of a training with another seed, steps; remove it"):
        claim(folder, one)
    (folder / "training.json").unlink()
    with pytest.raises(ValueError, match="another layers, seed, steps"):
        claim(folder, other)


def test_last_losses(tmp_path):
    assert last_losses(tmp_path) == {}
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss,style,val_loss\n")
    assert last_losses(tmp_path) == {}
    log.write_text("epoch,loss,style,val_loss\n0,3.5,2.0,NA\n1,3.0,1.5,NA\n")
    assert last_losses(tmp_path) == {"loss": 3.0, "style": 1.5}
