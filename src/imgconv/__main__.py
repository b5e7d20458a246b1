"""Run the command line by `python -m imgconv`."""

import sys

from imgconv.cli import main

if __name__ == "__main__":
    sys.exit(main())
