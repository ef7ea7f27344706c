"""Which files are films: formats, playlists, names and limits."""

import os

import numpy as np
import pytest
from helpers import frames_of
from PIL import Image

from neural_style.video.read import load_av, read_frames, video_info
from neural_style.video.write import write_video

av = load_av()


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
    """A text with a film's name names another film: FFmpeg goes by content, and would read that."""
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
    """No name has a special meaning.

    FFmpeg itself takes what comes before a colon for a protocol, and has patterns for series of
    pictures.
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
    assert np.abs(frame.astype(int) - image).mean() < 8  # GIF has 256 colors


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
    """Pillow's limit holds for films, so that a frame cannot fill the memory."""
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
