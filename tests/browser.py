"""Jupyter with a notebook, in a real browser, for the tests of what people see and touch.

It needs Playwright, JupyterLab, Notebook (extra `browser`) and a `chromium` that the system has.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

import neural_style

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


#: {program: where it shows a file}. Both are made of the same parts.
PROGRAMS = {"jupyterlab": "lab/tree", "notebook": "notebooks"}

#: Their settings: no question about news; all cells in the page, also those out of sight.
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false"},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@contextmanager
def lab(folder, cells, program="jupyterlab"):
    """Address of a notebook with these cells of code, in a program that runs."""
    code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), folder / "notebook.ipynb")
    for name, values in SETTINGS.items():
        path = folder / f"config/lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
    process = subprocess.Popen(
        [sys.executable, "-m", program, *options],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(neural_style.__file__).parent.parent),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address)
        yield f"{address}/{PROGRAMS[program]}/notebook.ipynb"
    finally:
        process.terminate()
        process.wait(30)


def _wait(address):
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/api").close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail("Jupyter does not answer")


@contextmanager
def opened(address, width=1280, height=900):
    """The notebook's page in Chromium, its kernel waiting."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.add_locator_handler(page.locator(".jp-Dialog .jp-mod-accept"), _accept)
            page.goto(address, wait_until="domcontentloaded")
            page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
            page.wait_for_selector(
                ".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=120_000
            )
            yield page
        finally:
            browser.close()


def _accept(button):
    """Print what a dialog asks, and say yes: while it is open, no click reaches the page."""
    print(button.page.locator(".jp-Dialog").first.inner_text())
    button.click()


def run(page, number):
    """Run a cell of the notebook. JupyterLab forgets what is asked before the kernel listens."""
    from playwright.sync_api import TimeoutError

    prompt = page.locator(f".jp-CodeCell >> nth={number} >> .jp-InputPrompt")
    before = prompt.inner_text()
    for _ in range(30):
        try:
            page.click(f".jp-CodeCell >> nth={number} >> .cm-content", timeout=5000)
            page.keyboard.press("Shift+Enter")
        except TimeoutError as error:
            print(error)
        page.wait_for_timeout(2000)
        if prompt.inner_text() not in (before, "", "[ ]:"):
            return
    pytest.fail(f"cell {number} does not run")


def printed(page, number):
    """What a cell prints or shows as text, when it has been run."""
    run(page, number)
    output = page.locator(f".jp-CodeCell >> nth={number} >> .jp-OutputArea-output")
    output.wait_for(timeout=120_000)
    return output.inner_text()
