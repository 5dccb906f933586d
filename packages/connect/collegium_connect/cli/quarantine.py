"""`quarantine`: what is set aside, for people without the local page; every act by a named one."""

import argparse
import os
from pathlib import Path

from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.cli.parts import local_parts
from collegium_connect.cli.person import add_as, signed_in
from collegium_connect.quarantine import NotShown, Seen

_WARNING = "What follows under BEFORE is patient data. It is for this screen only."
_WIDTH = 44


def register(commands: Commands) -> None:
    family = commands.add_parser("quarantine", help="look at, release or delete what was set aside")
    actions = family.add_subparsers(dest="action", required=True, metavar="ACTION")
    _register_objects(actions)
    _register_exams(actions)


def _register_objects(actions: Commands) -> None:
    listing = declare(actions, "list", "show what is set aside and why", _list)
    listing.add_argument("--code", default="", help="only this reason")
    looking = declare(actions, "look", "show an object before and after, attribute by attribute", _look)
    looking.add_argument("object", metavar="OBJECT")
    looking.add_argument("--frame", type=int, default=1, help="which frame to show, from 1")
    looking.add_argument("--before", type=Path, metavar="FILE.png", help="write the picture as it came")
    looking.add_argument("--after", type=Path, metavar="FILE.png", help="write the picture as it would leave")
    whole = declare(actions, "look-exam", "show all of an exam that waits for a release", _look_at_exam)
    whole.add_argument("exam", metavar="EXAM", help="as `quarantine list` shows it")
    whole.add_argument(
        "--folder", type=Path, required=True, help="a new folder for the pictures as they would leave"
    )
    for command in (looking, whole):
        add_as(command)
        command.add_argument(
            "--box", action="append", default=[], type=_box, metavar="LEFT,TOP,RIGHT,BOTTOM",
            help="hide this part of every frame, in pixels; may be given again",
        )  # fmt: skip
    releasing = declare(actions, "release", "let an object leave as you saw it", _release)
    releasing.add_argument("look", metavar="LOOK", nargs="+", help="as a look printed it")
    deleting = declare(actions, "delete", "give an object up; there is no way back", _delete)
    deleting.add_argument("object", metavar="OBJECT")
    declare(actions, "groups", "show what of one exam is set aside for the same reason", _groups)
    together = declare(actions, "delete-group", "give up all that `groups` showed of one", _delete_group)
    together.add_argument("shown", metavar="GROUP", help="as `quarantine groups` printed it")
    for command in (releasing, deleting, together):
        _add_as_with_reason(command)


def _register_exams(actions: Commands) -> None:
    add_as(declare(actions, "exams", "show exams that came with two patient ids, with both ids", _exams))
    splitting = declare(actions, "split", "say that it is two exams of two patients", _split)
    confirming = declare(actions, "confirm", "say whose exam it is", _confirm)
    confirming.add_argument("--subject", required=True, metavar="CODE")
    undoing = declare(
        actions, "undecide", "take back a split or confirmation of which nothing has left", _undecide
    )
    letting_go = declare(
        actions, "let-go", "let an exam leave though it does not meet the acquisition requirements", _let_go
    )
    for command in (splitting, confirming, undoing, letting_go):
        command.add_argument("exam", metavar="EXAM")
        _add_as_with_reason(command)


def _add_as_with_reason(command: argparse.ArgumentParser) -> None:
    add_as(command)
    command.add_argument("--reason", required=True, help="10 to 500 characters, for the trail")


def _list(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        found = parts.quarantine.objects(reason_code=options.code, limit=1000)
    for item in found:
        at = item.received_at.isoformat(timespec="minutes")
        print(f"{item.object_id}  {at}  {item.channel_name}  {item.subject_code or '-'}")
        if item.exam_id:
            print(f"    exam {item.exam_id}")
        print(f"    {item.reason} ({item.reason_code})")
    if not found:
        print("Nothing is set aside.")
    return 0


def _look(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        seen = parts.quarantine.look(actor, options.object, boxes=tuple(options.box), frame=options.frame - 1)
    print(_WARNING)
    print(f"patient id {seen.local_id or '(none)'}: {seen.object.reason}")
    print(f"{'ATTRIBUTE':{_WIDTH}}  {'BEFORE':{_WIDTH}}  AFTER")
    for row in seen.view.attributes:
        if row.is_changed:
            name = f"{'  ' * row.depth}{row.tag} {row.name}"
            print(f"{_cut(name)}  {_cut(row.before or '')}  {(row.after or '')[:_WIDTH]}".rstrip())
    for path, content in ((options.before, seen.view.before), (options.after, seen.view.after)):
        if path is not None:
            _write(path, content)
    print(_verdict(seen))
    return 0 if seen.look_id else 1


def _look_at_exam(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        found = parts.quarantine.look_at_exam(actor, options.exam, boxes=tuple(options.box))
    try:
        options.folder.mkdir(mode=0o700)
    except OSError as error:
        raise NotShown(f"The folder cannot be made: {error.strerror}.") from error
    looks = []
    for number, seen in enumerate(found, 1):
        if seen.look_id and seen.view.after:
            _write(options.folder / f"{number:03}.png", seen.view.after)
            looks.append(seen.look_id)
        elif seen.look_id:
            print(f"{seen.object.object_id} is no picture: look at it alone.")
        else:
            print(f"{seen.object.object_id} cannot be released: {seen.view.words or seen.view.no_picture}")
    print(f"{len(looks)} of {len(found)} pictures could leave as they are in {options.folder}; look at each.")
    if looks:
        print(f"To release them within half an hour: quarantine release {' '.join(looks)}")
    return 0 if looks else 1


def _release(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        released = parts.quarantine.release_all(actor, options.look, options.reason)
    print(f"{len(released)} inspected again; what comes out as you saw it leaves.")
    return 0


def _delete(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        parts.quarantine.delete(actor, options.object, options.reason)
    print("Deleted. Its bytes are erased by the running gateway within seconds, or at its next start.")
    return 0


def _groups(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        found = [parts.groups.show(group.key) for group in parts.groups.listed(limit=1000)]
    for shown in found:
        group = shown.group
        print(f"{shown.shown}  {group.channel_name}  {group.subject_code or '-'}")
        exam = f"exam {group.key.exam_id}" if group.key.exam_id else "no known exam"
        oldest = "" if shown.objects == group.objects else f", the oldest of {group.objects}"
        print(f"    {shown.objects} objects of {exam}{oldest}")
        print(f"    {group.reason} ({group.key.reason_code})")
    if found:
        print("To give all of one up, for good: quarantine delete-group GROUP")
    else:
        print("Nothing of one exam is set aside more than once for the same reason.")
    return 0


def _delete_group(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        key = parts.groups.shown_as(options.shown).group.key
        count = parts.groups.delete(actor, key, options.shown, options.reason)
    print(f"{count} objects deleted. Their bytes are erased by the running gateway, or at its next start.")
    return 0


def _exams(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        signed_in(parts.people, options)
        found = parts.two_patients.exams()
    for exam in found:
        print(f"{exam.exam_id}  {exam.channel_name}")
        for side in exam.sides:
            print(f"    {side.subject_code}: patient id {side.local_id}, {side.objects} objects wait")
    if not found:
        print("No exam waits for a decision.")
    return 0


def _split(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        parts.two_patients.split(signed_in(parts.people, options), options.exam, options.reason)
    print("The second patient's objects are cleaned again, into an exam of their own.")
    return 0


def _confirm(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        actor = signed_in(parts.people, options)
        parts.two_patients.confirm(actor, options.exam, options.subject, options.reason)
    print(f"The exam is {options.subject}'s. What is not stays in quarantine.")
    return 0


def _undecide(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        parts.two_patients.take_back(signed_in(parts.people, options), options.exam, options.reason)
    print("Taken back. The exam is held again, whole.")
    return 0


def _let_go(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        parts.unmet.let_go(signed_in(parts.people, options), options.exam, options.reason)
    print("It leaves as it is. What it lacks of the requirements is told to the server.")
    return 0


def _box(text: str) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(part) for part in text.split(","))
    return left, top, right, bottom


def _verdict(seen: Seen) -> str:
    if seen.look_id:
        return (
            f"It could leave like this. To release it within half an hour: quarantine release {seen.look_id}"
        )
    why = seen.view.words or seen.view.no_picture or seen.object.reason
    return f"It cannot be released: {why} {seen.advice}"


def _write(path: Path, content: bytes) -> None:
    if not content:
        raise NotShown("There is no such picture.")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise NotShown(f"The picture cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _cut(text: str) -> str:
    return f"{text[:_WIDTH]:{_WIDTH}}"
