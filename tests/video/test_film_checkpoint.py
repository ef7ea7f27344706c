"""The folder for finished frames: films that go on, and folders that are not theirs."""

import os

import pytest
from helpers import picture
from PIL import Image

from neural_style import stylize_video
from neural_style.video import checkpoint as checkpoint_module
from neural_style.video import film

pytest_plugins = ["film_fixtures"]


def interrupt(*_):
    raise KeyboardInterrupt


def interrupted(clip, net, tmp_path, frames=5, **options):
    """Paint a film that Ctrl-C ends after some frames; return the folder of these frames."""
    with pytest.raises(KeyboardInterrupt):
        stylize_video(
            clip,
            net,
            tmp_path / "out.mp4",
            progress=False,
            smooth=0.5,
            **options,
            callback=lambda number, *_: interrupt() if number == frames - 1 else None,
        )
    work = tmp_path / ".out.mp4.frames"
    assert sorted(os.listdir(work)) == [
        *(f"{number:06d}.png" for number in range(frames)),
        "film.json",
    ]
    return work


@pytest.mark.slow
def test_other_files_beside_the_frames_change_nothing(clip, tmp_path, net):
    """The folder has files that are not ours, and files that a killed save leaves, whole or half.

    Their names are those of this version and of older ones.
    """
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)
    work = interrupted(clip, net, tmp_path)
    frame = (work / "000003.png").read_bytes()
    for name in (
        ".000003-1a2b3c4d.png",
        "000003-1a2b3c4d.png",
        ".0123456789abcdef.part",
        "3.png",
        "cover.png",
    ):
        (work / name).write_bytes(frame)
    for name in (
        ".000005-1a2b3c4d.png",
        ".fedcba9876543210.part",
        ".film.json-1a2b3c4d",
        "00005.png",
    ):
        (work / name).write_bytes(frame[: len(frame) // 2])
    assert stylize_video(clip, net, tmp_path / "out.mp4", smooth=0.5, progress=False) == 12
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not work.exists()


@pytest.mark.slow
def test_what_a_kill_leaves_before_the_first_frame_is_no_hindrance(clip, tmp_path, net):
    work = tmp_path / ".out.mp4.frames"
    work.mkdir()
    for name in (".0123456789abcdef.part", ".lock"):
        (work / name).write_bytes(b"half")
    assert (
        stylize_video(clip, net, tmp_path / "out.mp4", frames=slice(2), progress=False) == 2
        and not work.exists()
    )


@pytest.mark.slow
def test_a_damaged_frame_is_painted_anew(clip, tmp_path, net, caplog):
    stylize_video(clip, net, tmp_path / "whole.mp4", smooth=0.5, progress=False)
    work = interrupted(clip, net, tmp_path)
    frame = (work / "000001.png").read_bytes()
    (work / "000001.png").write_bytes(frame[: len(frame) // 2])
    (work / "000002.png").write_bytes(b"")
    Image.fromarray(picture(10, 12)).save(work / "000004.png")
    assert stylize_video(clip, net, tmp_path / "out.mp4", smooth=0.5, progress=False) == 12
    warnings = [record.getMessage() for record in caplog.records if record.name == "neural_style"]
    assert len(warnings) == 3 and all(
        f"00000{number}.png is painted anew" in text for number, text in zip((1, 2, 4), warnings)
    )
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.slow
def test_without_resume_the_old_frames_are_painted_anew(clip, tmp_path, net):
    """An altered frame of the earlier run is kept with resume=True and replaced without."""
    folder, painted = tmp_path / "frames", []

    def film_of(output, **options):
        painted.clear()
        stylize_video(
            clip,
            net,
            tmp_path / output,
            checkpoint=folder,
            frames=slice(4),
            callback=lambda number, *_: painted.append(number),
            progress=False,
            **options,
        )
        return (tmp_path / output).read_bytes()

    whole = film_of("whole.mp4")
    Image.fromarray(picture(64, 80, 9)).save(folder / "000001.png")
    (folder / "000009.png").write_bytes(b"left of an earlier run")
    (folder / "notes.txt").write_text("mine")
    assert film_of("resumed.mp4") != whole and painted == []
    assert film_of("anew.mp4", resume=False) == whole and painted == [0, 1, 2, 3]
    assert sorted(os.listdir(folder)) == [
        *(f"{number:06d}.png" for number in range(4)),
        "film.json",
        "notes.txt",
    ]


@pytest.mark.slow
def test_without_resume_another_film_s_frames_stay(clip, tmp_path, net):
    folder = tmp_path / "frames"
    stylize_video(
        clip, net, tmp_path / "out.mp4", checkpoint=folder, frames=slice(2), progress=False
    )
    before = sorted(os.listdir(folder))
    with pytest.raises(ValueError, match="another film or of other settings"):
        stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=folder, resume=False)
    assert sorted(os.listdir(folder)) == before


@pytest.mark.slow
def test_the_order_of_a_very_long_film(tmp_path, monkeypatch):
    """Sorted as text, the name 1000000.png would come before 999999.png."""
    monkeypatch.setattr(film, "load_image", lambda path: path.name)
    for number, (moment, name) in enumerate(film._painted(tmp_path, range(7, 1_000_010))):
        if number in (0, 999_999, 1_000_000, 1_000_002):
            assert (moment, name) == (number, f"{number:06d}.png" if number else "000000.png")
    assert number == 1_000_002
    (tmp_path / "1000000.png").touch()
    assert checkpoint_module._has_frames(tmp_path)


def test_somebody_elses_film_json_is_left_alone(clip, tmp_path, net):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "film.json").write_text('{"title": "my holidays"}')
    with pytest.raises(ValueError, match="other things"):
        stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / "work", progress=False)
    assert (tmp_path / "work" / "film.json").read_text() == '{"title": "my holidays"}' and len(
        os.listdir(tmp_path / "work")
    ) == 1


@pytest.mark.slow
def test_a_folder_of_another_film_is_refused(clip, tmp_path, net):
    stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / "work", progress=False)
    with pytest.raises(ValueError, match="another film or of other settings"):
        stylize_video(
            clip,
            net,
            tmp_path / "out.mp4",
            checkpoint=tmp_path / "work",
            smooth=0.5,
            progress=False,
        )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    with pytest.raises(ValueError, match="other things"):
        stylize_video(clip, net, tmp_path / "out.mp4", checkpoint=tmp_path / "full", progress=False)
