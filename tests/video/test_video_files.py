"""Films written and read again: pictures, times, sound, and files that stay whole."""

import os
import resource
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from helpers import frames_of, picture, with_sound

from neural_style.video.read import load_av, read_frames, video_info
from neural_style.video.write import write_video

av = load_av()


def test_written_and_read_again(tmp_path):
    frames = frames_of(12)
    assert write_video(frames, tmp_path / "film.mp4", rate=Fraction(30000, 1001)) == 12
    info = video_info(tmp_path / "film.mp4")
    assert (info.width, info.height, info.frames, info.audio) == (64, 48, 12, False)
    assert info.rate == Fraction(30000, 1001) and info.duration == pytest.approx(
        12 * 1001 / 30000, abs=0.01
    )
    times, read = zip(*read_frames(tmp_path / "film.mp4"))
    assert np.allclose([float(time) for time in times], np.arange(12) * 1001 / 30000, atol=1e-4)
    assert all(np.abs(a.astype(int) - b).mean() < 4 for a, b in zip(frames, read))
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_sound_rate_and_duration_survive(tmp_path):
    with_sound(tmp_path / "source.mp4")
    before = video_info(tmp_path / "source.mp4")
    write_video(
        read_frames(tmp_path / "source.mp4"),
        tmp_path / "copy.mp4",
        before.rate,
        audio=tmp_path / "source.mp4",
    )
    after = video_info(tmp_path / "copy.mp4")
    assert after.audio and (after.frames, after.rate, after.width, after.height) == (
        before.frames,
        before.rate,
        64,
        48,
    )
    assert after.duration == pytest.approx(before.duration, abs=0.02)
    samples = []
    for name in ("source.mp4", "copy.mp4"):
        with av.open(str(tmp_path / name)) as container:
            samples.append(
                np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
            )
    assert np.array_equal(*samples)


def test_a_part_has_its_part_of_the_sound(tmp_path):
    with_sound(tmp_path / "source.mp4")
    part = [
        (time - Fraction(1, 2), image)
        for time, image in read_frames(tmp_path / "source.mp4")
        if Fraction(1, 2) <= time < 1
    ]
    write_video(
        part, tmp_path / "part.mp4", 10, audio=tmp_path / "source.mp4", first=Fraction(1, 2), last=1
    )
    with av.open(str(tmp_path / "part.mp4")) as container:
        sound = container.streams.audio[0]
        assert float(sound.duration * sound.time_base) == pytest.approx(0.5, abs=0.06)
    assert video_info(tmp_path / "part.mp4").frames == 5


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_film_on_its_side_is_read_upright(tmp_path, rotation):
    frames = with_sound(tmp_path / "source.mp4", 0.4, rotation=rotation)
    expected = np.rot90(frames[0], rotation // 90)
    _, first = next(read_frames(tmp_path / "source.mp4"))
    assert np.abs(first.astype(int) - expected).mean() < 4
    info = video_info(tmp_path / "source.mp4")
    assert (info.height, info.width) == expected.shape[:2]


def test_variable_rate(tmp_path):
    times = [0, 0.05, 0.3, 0.35, 0.9]
    with_sound(tmp_path / "source.mp4", 0.5, times=times)
    write_video(read_frames(tmp_path / "source.mp4"), tmp_path / "copy.mp4", 10)
    assert [float(time) for time, _ in read_frames(tmp_path / "copy.mp4")] == pytest.approx(
        times, abs=0.002
    )


def test_odd_sizes(tmp_path):
    write_video(frames_of(3, 41, 33), tmp_path / "odd.mp4")
    info = video_info(tmp_path / "odd.mp4")
    assert (info.width, info.height) == (33, 41)
    assert (
        np.abs(
            next(read_frames(tmp_path / "odd.mp4"))[1].astype(int) - frames_of(3, 41, 33)[0]
        ).mean()
        < 3
    )


def test_bad_films(tmp_path, caplog):
    with pytest.raises(FileNotFoundError, match="no film at"):
        video_info(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("not a film")
    with pytest.raises(ValueError, match="not a film"):
        next(read_frames(tmp_path / "text.mp4"))
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as container:
        tone = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), "float32"), format="fltp", layout="mono"
        )
        sound.pts, sound.sample_rate = 0, 44100
        container.mux(tone.encode(sound))
        container.mux(tone.encode(None))
    with pytest.raises(ValueError, match="no pictures"):
        next(read_frames(tmp_path / "sound.m4a"))
    with_sound(tmp_path / "whole.mp4")
    whole = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="half.mp4"):
        video_info(tmp_path / "half.mp4")
    with_sound(tmp_path / "whole.mkv")
    whole = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) // 2])
    assert 1 <= len([*read_frames(tmp_path / "half.mkv")]) < 20


def test_bad_frames(tmp_path):
    with pytest.raises(ValueError, match="one size"):
        write_video([picture(32, 32), picture(32, 34)], tmp_path / "film.mp4")
    with pytest.raises(ValueError, match="at least one frame"):
        write_video([], tmp_path / "film.mp4")
    with pytest.raises(ValueError, match="must end in"):
        write_video(frames_of(2), tmp_path / "film.gif")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        write_video(frames_of(2), tmp_path / "nowhere" / "film.mp4")
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(tmp_path):
    still = picture(128, 128, noise=0)
    write_video((np.roll(still, i, axis=1) for i in range(600)), tmp_path / "film.mp4")

    def count(limit):
        return sum(
            1 for number, _ in enumerate(read_frames(tmp_path / "film.mp4")) if number < limit
        )

    count(100)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert count(600) == 600
    # In kB; all the frames together take 29,000.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_permissions_and_links_stay(tmp_path):
    write_video(frames_of(2), tmp_path / "private.mp4")
    os.chmod(tmp_path / "private.mp4", 0o600)
    (tmp_path / "link.mp4").symlink_to("private.mp4")
    write_video(frames_of(3), tmp_path / "link.mp4")
    assert (tmp_path / "link.mp4").is_symlink() and video_info(tmp_path / "private.mp4").frames == 3
    assert (tmp_path / "private.mp4").stat().st_mode & 0o777 == 0o600 and len(
        os.listdir(tmp_path)
    ) == 2
    (tmp_path / "kept.bin").write_bytes(b"")
    (tmp_path / "other.mkv").symlink_to("kept.bin")
    # The format is that of the link's name, not that of the file's name.
    write_video(frames_of(3), tmp_path / "other.mkv")
    assert len([*read_frames(tmp_path / "kept.bin")]) == 3


def test_the_sounds_film_is_not_overwritten(tmp_path):
    with_sound(tmp_path / "own.mp4", 0.5)
    before = (tmp_path / "own.mp4").read_bytes()
    with pytest.raises(ValueError, match="also an input"):
        write_video(
            read_frames(tmp_path / "own.mp4"), tmp_path / "own.mp4", 10, audio=tmp_path / "own.mp4"
        )
    assert (tmp_path / "own.mp4").read_bytes() == before
    assert (
        write_video(
            read_frames(tmp_path / "own.mp4"),
            tmp_path / "own.mp4",
            10,
            audio=tmp_path / "own.mp4",
            overwrite=True,
        )
        == 5
    )
    assert video_info(tmp_path / "own.mp4").audio and (tmp_path / "own.mp4").read_bytes() != before


ENCODE = """
import sys
import numpy as np
from neural_style.video.write import write_video
blocks = np.random.default_rng(0).integers(0, 256, (20, 60, 3))
still = np.kron(blocks, np.ones((8, 8, 1))).astype("uint8")
write_video([still[:64, 3 * i:3 * i + 80] for i in range(12)], sys.argv[1], 12)
"""


@pytest.mark.slow
def test_the_same_frames_are_the_same_film(tmp_path):
    """The film does not depend on what was in memory before: glibc fills it with chosen bytes.

    x264's AVX-512 code made up to four different films of these frames.
    """
    films = set()
    for fill in ("0", "77", "200", "255"):
        subprocess.run(
            [sys.executable, "-c", ENCODE, str(tmp_path / "a.mp4")],
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MALLOC_PERTURB_": fill},
        )
        films.add((tmp_path / "a.mp4").read_bytes())
    assert len(films) == 1
