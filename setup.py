"""Metadata of neural-style-keras; pyproject.toml holds the build system and the tools' settings."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent

heic = ["pillow-heif>=1.0"]
masks = ["opencv-python-headless>=4.9"]
photo = ["pymatting>=1.1.13"]
video = ["av>=15", "opencv-python-headless>=4.9", "pygame-ce>=2.5"]
tensorboard = ["tensorboard>=2.16"]
widgets = ["anywidget>=0.9"]
run_notebooks = ["matplotlib>=3.8", "ipykernel>=6.25", "nbclient>=0.9", "nbformat>=5.9"]
notebooks = [*run_notebooks, "jupyterlab>=4.2", *widgets]
browser = [
    "playwright>=1.49",
    "axe-playwright-python>=0.1.4",
    "jupyterlab>=4.2",
    "notebook>=7.2",
    *widgets,
]
jax = ["jax>=0.4.30"]
torch = ["torch>=2.6"]
docs = [
    "mkdocs>=1.6",
    "mkdocs-material>=9.5",
    "mkdocstrings[python]>=0.27",
    "mkdocs-jupyter>=0.25",
    *widgets,
    *run_notebooks,
]
test = [
    "pytest>=8",
    "hypothesis>=6.100",
    "distributed>=2024.5",
    *heic,
    *jax,
    *masks,
    *photo,
    *tensorboard,
    *video,
    *widgets,
    *run_notebooks,
]
dev = [
    *test,
    "ruff>=0.17",
    "mypy>=2.4",
    "pre-commit>=4",
    "pytest-cov>=6",
    "pytest-randomly>=3.16",
    "pytest-xdist>=3.6",
]

setup(
    name="neural-style-keras",
    version=re.search(r'__version__ = "(.+)"', (here / "neural_style/_version.py").read_text())[1],
    description="Neural style transfer for Keras: Gatys, Ecker and Bethge's paper as a library",
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10",
    packages=find_packages(include=["neural_style", "neural_style.*"]),
    package_data={
        "": ["*.pyi"],
        "neural_style": [
            "py.typed",
            "atelier/*.js",
            "atelier/*.css",
            "widgets/*.js",
            "widgets/*.css",
            "calibration/*.jpg",
            "calibration/SOURCES.md",
            "pretrained/*",
            "universal/decoders.npz",
            "universal/README.md",
        ],
    },
    # Keras: 3.12.4 and 3.15.1 are the first without a known hole in what it reads from files.
    # Pillow: 11.3 is the first whose wheels have AVIF.
    install_requires=[
        "tensorflow>=2.16",
        "keras>=3.12.4,!=3.13.*,!=3.14.*,!=3.15.0",
        "scipy>=1.11",
        "numpy>=1.26",
        "pillow>=11.3",
    ],
    extras_require={
        "browser": browser,
        "dev": dev,
        "docs": docs,
        "heic": heic,
        "jax": jax,
        "masks": masks,
        "notebooks": notebooks,
        "photo": photo,
        "tensorboard": tensorboard,
        "test": test,
        "torch": torch,
        "video": video,
        "widgets": widgets,
    },
    entry_points={"console_scripts": ["neural-style = neural_style.__main__:process"]},
)
