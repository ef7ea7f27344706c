import os
import resource
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from conftest import picture
from helpers import frames_of, with_sound
from PIL import Image

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
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    )  # kB; the frames are 29,000


PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile {}\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n",
    "dash": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
        ' mediaPresentationDuration="PT2S"><Period><AdaptationSet><Representation id="0"'
        ' mimeType="video/mp4"'
        ' bandwidth="1"><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>'
    ),
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("where", ["relative", "absolute"])
def test_playlists_are_refused(tmp_path, kind, where):
    """A text that names another film, under a film's name: FFmpeg goes by content, and would read
    that one.
    """
    write_video(frames_of(3), tmp_path / "secret.mp4")
    (tmp_path / "film.mp4").write_text(
        PLAYLISTS[kind].format("secret.mp4" if where == "relative" else tmp_path / "secret.mp4")
    )
    for read in (video_info, lambda path: next(read_frames(path))):
        with pytest.raises(ValueError, match="film.mp4' is not a film"):
            read(tmp_path / "film.mp4")
    with pytest.raises(ValueError, match="film.mp4' is not a film"):
        write_video(frames_of(2), tmp_path / "out.mp4", audio=tmp_path / "film.mp4")
    assert sorted(os.listdir(tmp_path)) == ["film.mp4", "secret.mp4"]


def test_the_name_is_only_a_name(tmp_path, monkeypatch):
    """FFmpeg takes what comes before a colon for a protocol, and has patterns of its own for series
    of pictures.
    """
    monkeypatch.chdir(tmp_path)
    write_video(frames_of(3), "a.mp4")
    for name in ("concat:a.mp4", "day 1: 100%d *?.mp4", "-i.mp4"):
        os.link("a.mp4", name)
        assert video_info(name).frames == 3
    for number in range(3):
        Image.fromarray(frames_of(1)[0]).save(f"{number}.png")
    with pytest.raises(FileNotFoundError):
        video_info("%d.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tiff", "gif"])
def test_a_picture_is_a_film_of_one_frame(tmp_path, suffix):
    image = frames_of(1)[0]
    Image.fromarray(image).save(tmp_path / f"a.{suffix}")
    ((_, frame),) = read_frames(tmp_path / f"a.{suffix}")
    assert np.abs(frame.astype(int) - image).mean() < 8  # of GIF's 256 colors


@pytest.mark.parametrize(
    "suffix", ["mp4", "mov", "mkv", "avi", "ts", "mpg", "ogv", "flv", "wmv", "webm"]
)
def test_formats_of_films(tmp_path, suffix):
    codecs = {
        "mpg": "mpeg2video",
        "ogv": "libtheora",
        "flv": "flv1",
        "wmv": "wmv2",
        "avi": "mpeg4",
        "webm": "libvpx",
    }
    with av.open(str(tmp_path / f"a.{suffix}"), "w") as container:
        try:
            stream = container.add_stream(codecs.get(suffix, "libx264"), rate=25)
        except (av.FFmpegError, ValueError):
            pytest.skip("this FFmpeg has no such encoder")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for image in frames_of(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    assert len([*read_frames(tmp_path / f"a.{suffix}")]) == 4


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "png", "jpg", "bmp"])
def test_frames_that_are_too_large(tmp_path, monkeypatch, suffix):
    """Pillow's limit holds for films: a frame's pixels cannot fill the memory."""
    path = tmp_path / f"a.{suffix}"
    if suffix in ("mp4", "mkv"):
        write_video(frames_of(2), path)
    else:
        Image.fromarray(frames_of(1)[0]).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 48 * 64 - 1)
    for read in (video_info, lambda path: next(read_frames(path))):
        with pytest.raises(ValueError, match="limit against malicious files is 3,071 pixels"):
            read(path)
    for limit in (48 * 64, None):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert (video_info(path).width, video_info(path).height) == (64, 48)


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
    write_video(frames_of(3), tmp_path / "other.mkv")  # in the format of its own name
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
still = np.kron(np.random.default_rng(0).integers(0, 256, (20, 60, 3)), np.ones((8, 8, 1))).astype("uint8")
write_video([still[:64, 3 * i:3 * i + 80] for i in range(12)], sys.argv[1], 12)
"""


def test_the_same_frames_are_the_same_film(tmp_path):
    """Whatever was in memory before: glibc fills it with bytes of our choice. x264's AVX-512 code
    made up to four films of these frames.
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
