"""The before/after view in JupyterLab, in a real browser: what one sees, and what mouse and keys do.

It needs the extra `browser`, and a `chromium` that the system has.
"""

import io
import time

import numpy as np
import pytest
from browser import CHROMIUM, lab, opened, printed, run
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]
for needed in ("playwright", "jupyterlab", "anywidget"):
    pytest.importorskip(needed)

CODE = """
import numpy as np
from neural_style.widgets import BeforeAfter
red, blue = (np.full((200, 400, 3), color, "uint8") for color in ((230, 30, 30), (30, 30, 230)))
view = BeforeAfter(red, blue, ("the photo", "the painting"), width=400)
view
"""


def share_of_red(view):
    """How much of the view shows the picture before."""
    image = np.asarray(Image.open(io.BytesIO(view.screenshot())).convert("RGB"), int)
    return float((image[:20, :, 0] > image[:20, :, 2]).mean())  # above the divider's knob


def settled(view, expected):
    for _ in range(50):
        if abs(share_of_red(view) - expected) < 0.02:
            return
        time.sleep(0.1)
    pytest.fail(f"{share_of_red(view):.3f} of the view is the picture before, not {expected}")


def test_the_divider_follows_mouse_and_keys_and_tells_the_kernel(tmp_path):
    with lab(tmp_path, [CODE, "view.position"]) as address, opened(address) as page:
        run(page, 0)
        view = page.wait_for_selector(".ns-before-after", timeout=120_000)
        page.wait_for_function("document.querySelector('.ns-before-after img').naturalWidth == 400")
        settled(view, 0.5)
        box = view.bounding_box()
        assert box["width"] == pytest.approx(400, abs=1)
        assert box["height"] == pytest.approx(200, abs=1)

        page.mouse.move(box["x"] + 200, box["y"] + 150)
        page.mouse.down()
        page.mouse.move(box["x"] + 100, box["y"] + 150, steps=5)
        page.mouse.up()
        settled(view, 0.25)

        slider = page.get_by_role("slider", name="divider between the photo and the painting")
        for _ in range(5):
            slider.press("ArrowRight")
        settled(view, 0.30)
        assert slider.get_attribute("aria-valuetext").startswith("30 % the photo")
        slider.press("Home")
        settled(view, 0.0)
        slider.press("End")
        settled(view, 1.0)
        assert float(printed(page, 1)) == 1.0
