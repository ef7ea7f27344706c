"""Make the moving picture of docs/guides/studio.md: a hand that moves the studio's sliders.

    python docs/studio_film.py

It opens the studio in JupyterLab and a real browser, so it needs the extra `browser` and a
`chromium` that the system has; see tests/browser.py.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import lab, opened, run  # noqa: E402

PHOTO, PAINTINGS = "chenonceau", ("starry_night", "great_wave")
FILM = ROOT / "docs" / "pictures" / "studio.webp"

#: (name of the slider, its values) in their order, as a hand moves it.
MOVES = [
    ("strength", [0.8, 0.6, 0.4, 0.2, 0.0, 0.3, 0.6, 1.0]),
    ("share of starry_night.jpg", [0.8, 0.6, 0.4, 0.2, 0.0]),
    ("size of strokes", [0.85, 0.7, 0.55, 0.4, 0.7, 1.0]),
    ("divider between photo and painting", [40, 30, 20, 10, 0]),
]

WIDTH, QUALITY = 900, 60


def main() -> None:
    images = [str(ROOT / "images" / f"{name}.jpg") for name in (PHOTO, *PAINTINGS)]
    cell = f"from neural_style import studio\nstudio({images[0]!r}, {images[1:]!r}, size=512)"
    frames = []
    with (
        tempfile.TemporaryDirectory() as folder,
        lab(Path(folder), [cell]) as address,
        opened(address, 1400, 1000) as page,
    ):
        run(page, 0)
        page.locator(".ns-controls").wait_for(timeout=180_000)
        page.wait_for_timeout(5000)
        room = page.locator(".jp-OutputArea-output:has(.ns-controls)")
        frames.append((_shot(room), 1500))
        for name, values in MOVES:
            slider = page.get_by_role("slider", name=name)
            for value in values:
                slider.fill(str(value))
                page.wait_for_timeout(450)
                frames.append((_shot(room), 300))
            page.wait_for_timeout(3000)
            frames.append((_shot(room), 1500))
    pictures = [picture for picture, _ in frames]
    pictures[0].save(
        FILM,
        save_all=True,
        append_images=pictures[1:],
        duration=[duration for _, duration in frames],
        loop=0,
        quality=QUALITY,
        method=6,
    )
    print(f"{FILM.relative_to(ROOT)}: {len(frames)} frames, {FILM.stat().st_size / 1e6:.2f} MB")


def _shot(place) -> Image.Image:
    image = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
    return image.resize((WIDTH, round(WIDTH * image.height / image.width)))


if __name__ == "__main__":
    main()
