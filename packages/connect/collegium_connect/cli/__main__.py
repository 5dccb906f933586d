"""`python -m collegium_connect.cli`: the same as the command `collegium-connect`."""

import multiprocessing
import sys

from collegium_connect.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # where the gateway is one program, its inspectors are this program too
    sys.exit(main())
