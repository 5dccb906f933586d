"""The closed list of permissions and the roles every new space starts with."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """`area:thing:act`. A member is added with the service that asks for it, never renamed."""

    SPACE_VIEW = "trust:space:view"
    MEMBERS_VIEW = "trust:members:view"
    MEMBERS_MANAGE = "trust:members:manage"
    AUDIT_VIEW = "trust:audit:view"
    EXAM_VIEW = "imaging:exam:view"
    EXAM_UPLOAD = "imaging:exam:upload"
    GATEWAY_MANAGE = "imaging:gateway:manage"
    PROJECT_PUBLISH = "research:project:publish"
    PROJECT_VIEW = "research:project:view"
    SUBJECT_VIEW = "research:subject:view"
    TASK_VIEW_ALL = "research:task:view_all"
    TASK_MANAGE = "research:task:manage"
    READ_WRITE = "research:read:write"
    READ_SIGN = "research:read:sign"
    RESULTS_VIEW = "research:results:view"
    RESULTS_EXPORT = "research:results:export"
    BOARD_VIEW = "research:board:view"
    SUBJECT_ADD = "research:subject:add"
    QUERY_MANAGE = "research:query:manage"
    SITE_VIEW = "research:site:view"
    UNBLINDING_ASK = "research:unblinding:ask"
    UNBLINDING_DECIDE = "research:unblinding:decide"
    EXAM_PLACE = "research:exam:place"


_VIEWER = frozenset({Permission.SPACE_VIEW, Permission.PROJECT_VIEW, Permission.MEMBERS_VIEW})
_EDITOR = _VIEWER | {
    Permission.EXAM_VIEW,
    Permission.EXAM_UPLOAD,
    Permission.SUBJECT_VIEW,
    Permission.TASK_VIEW_ALL,
    Permission.AUDIT_VIEW,
    Permission.BOARD_VIEW,
}
_READER = frozenset({Permission.SPACE_VIEW, Permission.READ_WRITE, Permission.READ_SIGN})

SEEDED_ROLES: dict[str, frozenset[str]] = {
    "Administrator": frozenset(Permission) - {Permission.READ_WRITE, Permission.READ_SIGN},
    "Editor": frozenset(_EDITOR),
    "Viewer": frozenset(_VIEWER),
    "Reader": _READER,
    "Adjudicator": _READER,
    "Data manager": _READER
    | {
        Permission.SUBJECT_VIEW,
        Permission.SUBJECT_ADD,
        Permission.SITE_VIEW,
        Permission.QUERY_MANAGE,
        Permission.EXAM_PLACE,
    },
    "Site user": _READER | {Permission.SITE_VIEW, Permission.SUBJECT_ADD},
    "Monitor": frozenset(
        {
            Permission.SPACE_VIEW,
            Permission.SUBJECT_VIEW,
            Permission.TASK_VIEW_ALL,
            Permission.AUDIT_VIEW,
            Permission.MEMBERS_VIEW,
            Permission.QUERY_MANAGE,
            Permission.UNBLINDING_ASK,
        }
    ),
    "Sponsor viewer": frozenset({Permission.SPACE_VIEW, Permission.BOARD_VIEW}),
    "Gateway": frozenset({Permission.EXAM_UPLOAD}),
}
"""Roles of a new space. They are copied into it; what a later version adds here comes to older spaces at its start."""
