"""The DICOM conformance statement of the door (PS3.2), written from the very values the code uses."""

from typing import Final

import pynetdicom  # noqa: F401 - it adds newer transfer syntaxes to pydicom's table, from which this page is made
from pydicom._uid_dict import UID_dictionary

from collegium_connect import SOFTWARE
from collegium_connect.intake import Status
from collegium_connect.pull import pacs
from collegium_connect.receive import admission, commitment, dimse, pdu
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.negotiation import is_standard, is_storage
from collegium_connect.receive.pdu import ContextResult
from collegium_connect.settings import ReceiveSettings

_DEFAULT: Final = ReceiveSettings()
_STATUSES: Final = {
    Status.SUCCESS: "the object is safe on the gateway's disk; also for one that was there already, and for one"
    " that went to quarantine",
    Status.PROCESSING_FAILURE: "an unexpected fault; nothing was kept",
    Status.OUT_OF_RESOURCES: "the spool is full, or the journal cannot be written; nothing was kept",
}
_WORDS: Final = {  # PS3.8 Table 9-21
    (1, 1): "rejected-permanent, service user",
    (1, 2): "rejected-permanent, service provider (ACSE)",
    (2, 3): "rejected-transient, service provider (presentation)",
}


def statement() -> str:
    """The whole statement as a page."""
    return f"{_overview()}\n{_association()}\n{_storage()}\n{_commitment()}\n{_SECURITY}"


def _overview() -> str:
    return f"""# DICOM conformance statement

{SOFTWARE}, the gateway of Collegium. This page is made from the code: `collegium-connect conformance`.

## Overview

| Service | SOP class | As user (SCU) | As provider (SCP) |
| --- | --- | --- | --- |
| Verification | {dimse.VERIFICATION} | of `doctor`, to itself | yes |
| Storage | all, see below | of `send` | yes |
| Storage Commitment Push Model | {dimse.STORAGE_COMMITMENT} | no | where a channel has it |
| Study Root Query/Retrieve, FIND | {pacs.FIND} | where `pull.sources` names a PACS | no |
| Study Root Query/Retrieve, MOVE | {pacs.MOVE} | where `pull.sources` names a PACS | no |

One application entity for each channel: its AE title is the channel's called AE title. What is received
is de-identified by the channel's recipe and delivered over HTTPS; it is not kept as it came, cannot be
queried here, and this is no archive.
"""


def _association() -> str:
    refusals = "\n".join(
        f"| {_WORDS[item.result, item.source]} | {item.reason} | {item.words} |" for item in _refusals()
    )
    return f"""## Associations

| | |
| --- | --- |
| Application context | {pdu.APPLICATION_CONTEXT.decode()} |
| Implementation class UID | {pdu.IMPLEMENTATION_UID.decode()} |
| Implementation version name | {pdu.IMPLEMENTATION_NAME.decode()} |
| Longest PDU received | {_DEFAULT.max_pdu} bytes (`receive.max_pdu`); longer ones are aborted |
| Associations at once | {_DEFAULT.max_associations} (`receive.max_associations`) |
| of one address | {_DEFAULT.max_associations_per_caller} (`receive.max_associations_per_caller`) |
| Asynchronous operations | one at a time; a proposed window is answered 1/1 |
| User identity | types 1 and 2 where the caller's entry names a user; else passed over |
| Role selection, extended and common extended negotiation | passed over; the default roles hold |
| ARTIM timer | {_DEFAULT.artim_s:g} s (`receive.artim_s`) |
| Without a byte | aborted after {_DEFAULT.idle_timeout_s:g} s (`receive.idle_timeout_s`) |
| One object | aborted after {_DEFAULT.object_timeout_s:g} s (`receive.object_timeout_s`) |

The gateway asks for a release itself when it is about to stop; a release collision is resolved as PS3.8
section 9.2 says. It opens associations to report storage commitment, to ask a PACS for the exams of a pull
list, and for the commands `send` and `doctor`.

An association is rejected with:

| Result and source | Reason | When |
| --- | --- | --- |
{refusals}

A presentation context is answered with:

| Result | When |
| --- | --- |
| {ContextResult.ACCEPTED} (accepted) | the channel takes the class, and a transfer syntax is known |
| {ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED} (abstract syntax not supported) | any other class |
| {ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED} (transfer syntaxes not supported) | none of the standard's |

Of the syntaxes offered the sender's first is chosen, but explicit VR little endian before implicit VR,
and big endian only if nothing else is offered. Verification and storage commitment use the uncompressed
little endian syntaxes.
"""


def _storage() -> str:
    statuses = "\n".join(f"| {status:04X} | {words} |" for status, words in _STATUSES.items())
    syntaxes = "\n".join(
        f"| {name} | {uid} |" for uid, name in _of_kind("Transfer Syntax") if is_standard(uid)
    )
    classes = "\n".join(f"| {name} | {uid} |" for uid, name in _of_kind("SOP Class") if is_storage(uid))
    return f"""## Storage

A C-STORE is answered once the object is on the disk. Identifiers, UIDs and dates are changed as the
recipe says. A kind of object that the recipe does not clean is taken and waits in quarantine.

| Status | Means |
| --- | --- |
{statuses}
| {dimse.UNRECOGNIZED_OPERATION:04X} | an operation that is not offered |

### Transfer syntaxes

| Name | UID |
| --- | --- |
{syntaxes}

and any other below 1.2.840.10008.1.2.

### SOP classes

| Name | UID |
| --- | --- |
{classes}

any other below 1.2.840.10008.5.1.4.1.1., and every class of a maker's own; unless the channel names the
classes it takes.
"""


def _commitment() -> str:
    words = {
        commitment.Status.SUCCESS: "the request is written down",
        commitment.Status.INVALID_ARGUMENT: "it is no request, or names more than 20,000 instances",
        commitment.Status.PROCESSING_FAILURE: "the caller has no `commit_port`",
    }
    statuses = "\n".join(f"| {status:04X} | {text} |" for status, text in words.items())
    return f"""## Storage commitment

Offered by channels that have it switched on. The report (N-EVENT-REPORT) goes to the caller's address and
`commit_port` over an association of the gateway's own, in the provider's role: when the server's receipt
names every object, or when it is known that some will not be delivered, at the latest after a day.

| Status of an N-ACTION (type 1) | When |
| --- | --- |
{statuses}

| Failure reason in a report | When |
| --- | --- |
| {commitment.Status.NO_SUCH_INSTANCE:04X} | never received, or not readable |
| {commitment.Status.PROCESSING_FAILURE:04X} | not delivered |

"Committed" means delivered to the project's server in de-identified form. **It is no reason to delete the
original from a PACS.**
"""


_SECURITY: Final = """## Security

TLS on a port of its own by the BCP 195 profile (PS3.15 annex B): TLS 1.2 with ephemeral elliptic curve
keys and AES-GCM or ChaCha20, or TLS 1.3; no renegotiation, no compression. Certificates of senders are
asked for where `receive.tls_client_ca_file` is set. Callers are listed by AE title and address.

De-identification follows PS3.15 annex E by the channel's recipe; the options used are written into each
object ((0012,0063), (0012,0064)).

## Character sets

All that PS3.3 section C.12.1.1.2 defines are read; text that is kept stays in the object's own.
"""


def _refusals() -> list[Refusal]:
    found = [item for item in vars(admission).values() if isinstance(item, Refusal)]
    return sorted(found, key=lambda item: (item.result, item.source, item.reason))


def _of_kind(kind: str) -> list[tuple[str, str]]:
    """UID and name of everything that PS3.6 lists as of this kind."""
    return sorted(
        (uid, f"{name} ({retired})" if retired else name)
        for uid, (name, is_kind, _, retired, _) in UID_dictionary.items()
        if is_kind == kind
    )
