"""Judge stylized pictures by what no transfer optimizes.

    python -m benchmarks.score PHOTO PAINTING RESULT [RESULT ...] [--width 512] [--json]

All pictures are scaled to one width first. See benchmarks.judges for what each judge sees. Two of
them are the `content` and `style` of the other benchmarks: LPIPS against the photo, and Gram
matrices against the painting, both on AlexNet. Both numbers are needed: the photo itself has the
best content, and the painting itself has the best style.
"""

import argparse
import json

from . import judges
from .judges import alexnet


class Score:
    """Scores results: score(photo, painting, result) gives (content, style).

    Args:
        width: Width in pixels to which all three pictures are scaled.
    """

    def __init__(self, width=512):
        self.width = width

    def __call__(self, photo, painting, result):
        pictures = judges.scaled(photo, painting, result, self.width)
        return alexnet.lpips(*pictures), alexnet.gram(*pictures)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo")
    parser.add_argument("painting")
    parser.add_argument("results", nargs="+", metavar="result")
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = {
        result: judges.judged(arguments.photo, arguments.painting, result, arguments.width)
        for result in arguments.results
    }
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    print("  ".join(f"{name:>10s}" for name in judges.JUDGES))
    for result, row in rows.items():
        print("  ".join(f"{row[name]:10.3f}" for name in judges.JUDGES), "", result)


if __name__ == "__main__":
    main()
