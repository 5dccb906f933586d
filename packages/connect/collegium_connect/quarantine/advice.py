"""What can be done about an object that waits, in words for whoever looks at it. No object is without an answer."""

from typing import Final

from collegium_connect.journal import selected
from collegium_connect.journal.aside import OTHER_PATIENT, AsideObject
from collegium_connect.journal.objects import TWO_PATIENTS, UNKNOWN_ID, UNMET, State
from collegium_connect.quarantine.view import View
from collegium_connect.twins import SHARED_WORDS

_STATES: Final = {
    State.MISSING: "Send it again from the PACS: it takes this one's place. Or delete this entry.",
    State.REFUSED: "The server refused it. Ask the project why; delete it once nobody needs it here.",
}
_CODES: Final = {
    UNKNOWN_ID: "Import a list that names this patient id; it goes on by itself. Or delete it.",
    TWO_PATIENTS: "Decide on its exam first, at the top of the quarantine's list.",
    OTHER_PATIENT: "Its exam was said to be another patient's. Split the exam or take that back, at the top of"
    " the quarantine's list; or delete it.",
    UNMET: "Its exam lacks something that the trial asks for. Send it as it is from the list of exams.",
    selected.READ: "It did its work and holds the notes of whoever made it, so it stays. Delete it once its exam has"
    " left; what it named may leave all the same.",
    selected.NONE: "Send an export manifest that names what shall leave; it goes on by itself. Or send the exam as it"
    " is from the list of exams.",
    selected.NOT_NAMED: "It stays here. Send another export manifest that names it, or delete it.",
    selected.UNREADABLE: "What it names is not sent. Make the export manifest anew at the workstation and send that;"
    " delete this one.",
    selected.DELAYED: "What it names is not sent. When it is time, send an export manifest without a reason to delay;"
    " delete this one.",
    selected.TOO_LARGE: "What it names is not sent. Send manifests that name fewer objects, or raise"
    " inspect.object_bytes; delete this one first, for the same one sent again is not looked at.",
    "deid.object": "The recipe names the kinds of objects that leave, and this is none of them. If it is needed, ask"
    " the project to take it into the recipe, then look again and release it; else delete it.",
    "deid.patient_id": "Nobody knows whose it is. Delete it, correct it in the PACS and send it again.",
    "deid.face": "The recipe refuses pictures out of which a face can be made. Delete it, or ask the project.",
    "deid.syntax_declined": "Have the PACS send it uncompressed, then delete this one.",
    "deid.truncated": "It came incomplete. Have the PACS send it again, then delete this one.",
}
_SHARED: Final = "Switch one of the two gateways off; it goes on by itself."
_DOCUMENT: Final = (
    "The document in it cannot be cleaned by this version, so it never leaves. Delete the object, or keep it here;"
    " what it says can be sent as pictures or as a structured report."
)
_UNSEEN: Final = (
    "Its pixels cannot be shown here, so nobody can say that they show no one. Delete it, or have the PACS send it in"
    " another form."
)
_PIXELS: Final = "Mark what is written in it with boxes and look again; or delete it."
_HEADER: Final = (
    "It has no picture, so the header is all that leaves. Read it below; if nothing on its right side says who it is,"
    " release it."
)
_PICTURE: Final = "Look at every frame and at the header; if nothing says who it is, release it."
_OTHERWISE: Final = (
    "It cannot be cleaned with certainty, so it stays here. Have it corrected and sent again, or delete it."
)


def advice_of(item: AsideObject, view: View) -> str:
    """What to do about this object, as it was just seen."""
    if item.reason == SHARED_WORDS:
        return _SHARED
    is_told = item.state is State.HELD or item.reason_code in selected.NOT_OBEYED
    settled = _STATES.get(item.state) or (_CODES.get(item.reason_code) if is_told else None)
    if settled is None and item.reason_code == OTHER_PATIENT:
        settled = _CODES[OTHER_PATIENT]
    if settled is not None:
        return settled
    if view.is_fit:
        return (_PICTURE if view.after else _HEADER) if view.is_shown else _UNSEEN
    if view.has_document:
        return _DOCUMENT
    if view.code.startswith("deid.pixels") and view.before:
        return _PIXELS
    return _CODES.get(view.code, _OTHERWISE)
