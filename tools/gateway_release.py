"""Make and keep the repository of signed releases that gateways update themselves from.

    gateway_release.py init REPOSITORY --keys KEYS     an empty repository and fresh keys
    gateway_release.py add REPOSITORY ARCHIVE --keys KEYS
    gateway_release.py withdraw REPOSITORY VERSION SYSTEM --keys KEYS
    gateway_release.py renew REPOSITORY --keys KEYS    sign anew; at least weekly

REPOSITORY can be served by any web server. The keys of root and targets belong offline; `renew` needs
those of snapshot and timestamp alone, but this tool reads all four from one folder.
"""

import argparse
import re
import sys
from pathlib import Path

from collegium_testkit.releases import ReleaseFolder, load_signers, make_signers, save_signers

ARCHIVE = re.compile(r"collegium-connect-(\d+\.\d+\.\d+)-([a-z0-9_-]+)\.tar\.gz")


def main() -> int:
    options = _parser().parse_args()
    if options.act == "init":
        signers = make_signers()
        save_signers(signers, options.keys)
        folder = ReleaseFolder(options.repository, signers)
        folder.create()
        print(
            f"Give each installation {folder.first_root} as updates.root_file. Keep {options.keys} offline."
        )
        return 0
    folder = ReleaseFolder(options.repository, load_signers(options.keys))
    if options.act == "add":
        return _add(folder, options.archive)
    if options.act == "withdraw":
        folder.withdraw(options.version, options.system)
    else:
        folder.renew()
    return 0


def _add(folder: ReleaseFolder, archive: Path) -> int:
    named = ARCHIVE.fullmatch(archive.name)
    if named is None:
        print("The archive is not named as `make gateway-build` names it.", file=sys.stderr)
        return 1
    folder.add(archive, named[1], named[2])
    print(f"Version {named[1]} is the newest for {named[2]}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Signed releases of the gateway.")
    acts = parser.add_subparsers(dest="act", required=True)
    for name in ("init", "add", "withdraw", "renew"):
        act = acts.add_parser(name)
        act.add_argument("repository", type=Path)
        act.add_argument("--keys", type=Path, required=True)
        if name == "add":
            act.add_argument("archive", type=Path)
        if name == "withdraw":
            act.add_argument("version")
            act.add_argument("system")
    return parser


if __name__ == "__main__":
    sys.exit(main())
