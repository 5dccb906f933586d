"""What each kind of notification is called, on the page and in e-mail. No word here can carry a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import ngettext

from collegium.notifications.models import NotificationKind

if TYPE_CHECKING:
    from uuid import UUID

ICONS: dict[NotificationKind, str] = {
    NotificationKind.TASK_OPENED: "list-check",
    NotificationKind.ADJUDICATION_OPENED: "scale",
    NotificationKind.QUERY_OPENED: "message-question",
    NotificationKind.QUERY_ANSWERED: "message-check",
    NotificationKind.CORRECTION_ASKED: "pencil-exclamation",
    NotificationKind.READ_SUPERSEDED: "versions",
    NotificationKind.UNBLINDING_ASKED: "eye-question",
    NotificationKind.UNBLINDING_DECIDED: "eye-check",
    NotificationKind.EXAM_UNPLACED: "calendar-question",
    NotificationKind.VISIT_LATE: "calendar-exclamation",
    NotificationKind.TASK_WITHOUT_PERSON: "alert-triangle",
    NotificationKind.GATEWAY_ALARM: "server-2",
}

_TO_DO = (
    NotificationKind.TASK_OPENED,
    NotificationKind.ADJUDICATION_OPENED,
    NotificationKind.CORRECTION_ASKED,
    NotificationKind.READ_SUPERSEDED,
)


def what(kind: NotificationKind, count: int) -> str:  # noqa: C901, PLR0911  one sentence a kind
    """So many of a kind, in words."""
    told = {"n": count}
    match kind:
        case NotificationKind.TASK_OPENED:
            return ngettext("%(n)d new task", "%(n)d new tasks", count) % told
        case NotificationKind.ADJUDICATION_OPENED:
            return ngettext("%(n)d adjudication to settle", "%(n)d adjudications to settle", count) % told
        case NotificationKind.QUERY_OPENED:
            return ngettext("%(n)d query to answer", "%(n)d queries to answer", count) % told
        case NotificationKind.QUERY_ANSWERED:
            return ngettext("%(n)d query was answered", "%(n)d queries were answered", count) % told
        case NotificationKind.CORRECTION_ASKED:
            return (
                ngettext("%(n)d correction is asked of you", "%(n)d corrections are asked of you", count)
                % told
            )
        case NotificationKind.READ_SUPERSEDED:
            return (
                ngettext("%(n)d task has to be read again", "%(n)d tasks have to be read again", count) % told
            )
        case NotificationKind.UNBLINDING_ASKED:
            return ngettext("%(n)d request to unblind", "%(n)d requests to unblind", count) % told
        case NotificationKind.EXAM_UNPLACED:
            return ngettext("%(n)d exam has no visit", "%(n)d exams have no visit", count) % told
        case NotificationKind.VISIT_LATE:
            return (
                ngettext("%(n)d late visit to decide about", "%(n)d late visits to decide about", count)
                % told
            )
        case NotificationKind.UNBLINDING_DECIDED:
            return (
                ngettext("%(n)d decision about unblinding", "%(n)d decisions about unblinding", count) % told
            )
        case NotificationKind.GATEWAY_ALARM:
            return ngettext("%(n)d alarm of a gateway", "%(n)d alarms of gateways", count) % told
        case NotificationKind.TASK_WITHOUT_PERSON:
            return (
                ngettext(
                    "%(n)d task waits: nobody is left who may have it",
                    "%(n)d tasks wait: nobody is left who may have them",
                    count,
                )
                % told
            )


def where(kind: NotificationKind, space_id: UUID) -> str:
    """Where a kind usually waits, when the notifications name no single place."""
    return "/tasks/" if kind in _TO_DO else f"/projects/{space_id}/"
