"""The input of a photo and the mixer of paintings: what the page tells, and what Python sees."""

import io

import numpy as np
import pytest
from helpers import picture
from PIL import Image

from neural_style.widgets import PictureInput, StyleMixer

pytest.importorskip("anywidget")
A, B, C = (picture(30, 40, seed) for seed in range(3))


def png(array):
    data = io.BytesIO()
    Image.fromarray(array).save(data, "PNG")
    return data.getvalue()


def drop(tray, data, name="dropped.png"):
    """As the page does it."""
    tray._handle_custom_msg({"kind": "add", "name": name}, [memoryview(data)])


def test_a_photo_is_dropped_in_the_place_of_the_last_one(tmp_path):
    Image.fromarray(A).save(tmp_path / "photo.png")
    photo, told = PictureInput(tmp_path / "photo.png"), []
    photo.observe(lambda change: told.append(photo.value), "entries")
    assert photo.value == tmp_path / "photo.png" and photo.cards[0]["name"] == "photo.png"
    drop(photo, png(B))
    [entry] = photo.entries
    assert entry.dropped and entry.name == "dropped.png"
    assert np.array_equal(np.asarray(photo.value), B) and told == [entry.picture]
    photo._handle_custom_msg({"kind": "remove", "number": 0}, [])
    assert photo.value is None and photo.cards == []
    assert PictureInput().value is None


def test_pictures_without_a_file_have_names_of_their_own():
    mixer = StyleMixer([A, B])
    mixer.remove(0)
    mixer.add(C)
    assert [entry.name for entry in mixer.entries] == ["painting 2", "painting 3"]
    assert PictureInput(A).entries[0].name == "photo"


def test_thumbnails_are_small():
    [card] = PictureInput(picture(300, 600, 4)).cards
    assert Image.open(io.BytesIO(card["picture"])).size == (120, 60)


def test_shares_add_up_to_one_and_stay_with_their_painting():
    mixer = StyleMixer([A, B], shares=[3, 1])
    assert [share for _, share in mixer.value] == [0.75, 0.25]
    drop(mixer, png(C))
    assert [share for _, share in mixer.value] == pytest.approx([3 / 7, 1 / 7, 3 / 7])
    mixer.remove(0)
    assert mixer.value[0][0] is B
    assert [share for _, share in mixer.value] == pytest.approx([0.25, 0.75])
    mixer.shares = [0.0, 0.5]
    assert len(mixer.value) == 1 and mixer.value[0][1] == 1
    mixer.shares = [0.0, 0.0]
    assert mixer.value == []
    assert [share for _, share in StyleMixer([A, B]).value] == [0.5, 0.5]
    assert StyleMixer(A).value[0][0] is A


@pytest.mark.parametrize(
    "data,words",
    [
        (b"", "it is not a picture"),
        (b"not a picture", "it is not a picture"),
        (png(A)[:200], "it cannot be read as a picture"),
    ],
)
def test_what_is_no_picture_is_a_line_of_text(data, words):
    mixer = StyleMixer([A])
    drop(mixer, data, "notes.txt")
    assert mixer.trouble.startswith("notes.txt was not taken: ") and words in mixer.trouble
    assert len(mixer.entries) == 1
    drop(mixer, png(B))
    assert mixer.trouble == "" and len(mixer.entries) == 2


@pytest.mark.parametrize(
    "make,error,words",
    [
        (lambda: StyleMixer([A], shares=[1, 2]), ValueError, "shares must be a number for each"),
        (lambda: StyleMixer([A], shares=[-1]), ValueError, "shares must be"),
        (lambda: StyleMixer(["missing.png"]), FileNotFoundError, "missing.png"),
        (lambda: PictureInput("missing.png"), FileNotFoundError, "missing.png"),
        (lambda: PictureInput(3), TypeError, "Received"),
    ],
)
def test_bad_input(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_the_page_knows_the_names():
    """Each traitlet that goes to the page is one that the page's code reads."""
    mixer = StyleMixer([A])
    own = {name for name in mixer.traits(sync=True) if not name.startswith("_")}
    own -= {"layout", "tabbable", "tooltip", "comm", "keys", "log"}
    assert {"cards", "shares", "trouble"} <= own
    for name in own:
        assert f'"{name}"' in mixer._esm or f"change:{name}" in mixer._esm, name
