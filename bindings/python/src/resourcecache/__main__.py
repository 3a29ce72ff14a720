"""``python -m resourcecache demo``: a lagging API, a naive client and this package, side by side."""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m resourcecache")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="the document's three scenarios, on a clock of their own")
    demo.add_argument("--fast", action="store_true", help="does not wait between scenarios")
    options = parser.parse_args()
    try:
        from . import _demo
    except ImportError as error:
        print(f"{error}; pip install 'resourcecache[demo]'", file=sys.stderr)
        return 2
    return _demo.main(options.fast)


if __name__ == "__main__":
    sys.exit(main())
