"""`python -m collegium_connect.cli`: the same as the command `collegium-connect`."""

import sys

from collegium_connect.cli import main

if __name__ == "__main__":
    sys.exit(main())
