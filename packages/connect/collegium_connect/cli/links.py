"""`links list | import | export`: the link table, for the site's administrators."""

import argparse
import os
import sys
from pathlib import Path

from collegium_connect.cli.options import Commands, alone, chosen, declare
from collegium_connect.cli.parts import LocalParts, local_parts
from collegium_connect.cli.person import add_as, signed_in
from collegium_connect.links import ListInvalid


def register(commands: Commands) -> None:
    family = commands.add_parser(
        "links", help="which subject code stands for which patient id, known only here"
    )
    actions = family.add_subparsers(dest="action", required=True, metavar="ACTION")
    declare(actions, "list", "show the projects and how many codes each has", _list)
    importing = declare(actions, "import", "take in an allocation list: CSV with local_id,subject", _import)
    importing.add_argument("file", type=Path, metavar="FILE")
    exporting = declare(actions, "export", "write the whole table as CSV; it says who is who", _export)
    exporting.add_argument("file", type=Path, metavar="FILE", help="a new file, or - for the screen")
    removing = declare(
        actions, "remove", "take back a link that no object was cleaned with; the gateway stopped", _remove
    )
    removing.add_argument("code", metavar="CODE")
    removing.add_argument("--reason", required=True, help="10 to 500 characters, for the trail")
    for command in (importing, exporting, removing):
        command.add_argument(
            "--project", type=int, default=0, metavar="NUMBER", help="as `links list` has it"
        )
        add_as(command)


def _list(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        for item in parts.links.numberings():
            kind = "listed ids only" if item.is_listed else "every id"
            print(f"{item.scope_id}  {item.project_name}, {item.site_code}: {item.subjects} subjects, {kind}")
            if item.held_objects:
                print(f"   {item.held_objects} objects wait for a list that names their patient")
    return 0


def _import(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        try:
            data = options.file.read_bytes()
        except OSError as error:
            raise ListInvalid(f"The list cannot be read: {error.strerror}.") from error
        done = parts.links.import_list(actor, _project(parts, options), data)
    print(
        f"{done.added} added, {done.known} known already; {done.resumed_objects} held objects are looked at again."
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        text = parts.links.export_list(actor, _project(parts, options))
    if str(options.file) == "-":
        sys.stdout.write(text)
        return 0
    try:
        handle = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ListInvalid(f"The file cannot be made: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    print("Written. It says who is who: keep it where only the site's administrators can read it.")
    return 0


def _remove(options: argparse.Namespace) -> int:
    settings = chosen(options)
    with alone(settings.gateway.data_dir), local_parts(settings) as parts:
        actor = signed_in(parts.people, options)
        parts.links.remove(actor, _project(parts, options), options.code, options.reason)
    print("The link is taken back; its patient id has no code now.")
    return 0


def _project(parts: LocalParts, options: argparse.Namespace) -> int:
    """The numbering that is meant: the one named, or the only one."""
    numbers = [item.scope_id for item in parts.links.numberings()]
    if options.project in numbers:
        return int(options.project)
    if len(numbers) != 1 or options.project:
        raise ListInvalid("Say which project with --project; `links list` shows their numbers.")
    return numbers[0]
