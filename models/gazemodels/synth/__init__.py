"""Stage synth: labelled pictures of people who do not exist."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import assets

#: Beside the repository's folder, where the project's README puts it.
ASSETS = Path(__file__).resolve().parents[4] / "shared" / "makehuman-cc0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--assets",
        type=Path,
        default=ASSETS,
        help="folder of MakeHuman's data (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, help="folder of a dataset; an unfinished one goes on")
    what.add_argument("--contact-sheet", type=Path, help="a PNG of some pictures")
    what.add_argument(
        "--clip", type=Path, help="a film, .mp4; its ground truth goes beside it, .jsonl"
    )
    parser.add_argument("--count", type=int, help="pictures (30000; contact sheet: 100)")
    parser.add_argument("--jobs", type=int, default=2, help="processes for --out (default: 2)")
    parser.add_argument(
        "--plain", action="store_true", help="contact sheet without lens and sensor"
    )
    parser.add_argument(
        "--first", type=int, default=0, help="contact sheet: number of its first picture"
    )
    parser.add_argument(
        "--every", type=int, default=11, help="contact sheet: every so many pictures"
    )


def run(args: argparse.Namespace) -> None:
    """Renders what was asked for."""
    assets.check(args.assets)
    if args.out:
        from .generate import generate

        generate(args.assets, args.out, args.seed, args.count or 30_000, args.jobs)
    elif args.contact_sheet:
        from .sheet import contact_sheet

        numbers = range(args.first, args.first + args.every * (args.count or 100), args.every)
        contact_sheet(args.assets, args.contact_sheet, args.seed, numbers, args.plain)
    else:
        from .clip import film

        film(args.assets, args.clip, args.seed)
