"""What each action is called in a history panel: it follows the name of who acted ("Ada Lovelace signed the read")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from collegium.trust.audit.actions import Action

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PHRASES: dict[Action, _StrPromise] = {
    Action.SIGNED_IN: _("signed in"),
    Action.SIGNED_OUT: _("signed out"),
    Action.SIGN_IN_FAILED: _("failed to sign in"),
    Action.ACCOUNT_LOCKED: _("was locked out after failed sign-ins"),
    Action.ACCOUNT_CREATED: _("created an account"),
    Action.PASSWORD_CHANGED: _("changed the password"),
    Action.ORGANISATION_CREATED: _("created the organisation"),
    Action.SPACE_CREATED: _("created the project"),
    Action.MEMBER_ADDED: _("added a member"),
    Action.MEMBER_REMOVED: _("removed a member"),
    Action.SHARED: _("shared this"),
    Action.SHARE_WITHDRAWN: _("stopped sharing this"),
    Action.ACT_REFUSED: _("was refused something"),
    Action.GATEWAY_ADDED: _("added a gateway"),
    Action.GATEWAY_CODE_ISSUED: _("issued a code for a gateway"),
    Action.GATEWAY_ENROLLED: _("was let in as a gateway"),
    Action.GATEWAY_REVOKED: _("shut a gateway out"),
    Action.CHANNEL_ADDED: _("added a channel"),
    Action.DELIVERY_OPENED: _("announced a delivery"),
    Action.DELIVERY_COMPLETED: _("completed a delivery"),
    Action.HELD_DECIDED: _("decided about a held object"),
    Action.EXAM_RECEIVED: _("brought in an exam"),
    Action.EXAM_EXTENDED: _("brought in more images of an exam"),
    Action.GRANT_ISSUED: _("gave access to images"),
    Action.GRANT_REVOKED: _("ended access to images"),
    Action.SERIES_OPENED: _("opened the images"),
    Action.MARK_SAVED: _("saved a measurement"),
    Action.MARK_STRUCK: _("struck out a measurement"),
    Action.RECORD_SIGNED: _("gave a signature"),
    Action.FORM_PUBLISHED: _("published a form"),
    Action.ENTRY_FLUSHED: _("changed answers"),
    Action.PROJECT_PUBLISHED: _("published the project file"),
    Action.SUBJECT_LISTED: _("listed a subject"),
    Action.EXAM_PLACED: _("placed an exam in a visit"),
    Action.EXAM_UNPLACED: _("found no visit for an exam"),
    Action.EXAM_SUPPLEMENTED: _("noted late images of an exam"),
    Action.TASK_CREATED: _("made a task"),
    Action.TASK_OPENED: _("opened a task for its reader"),
    Action.TASK_BEGUN: _("began a task"),
    Action.TASK_CANCELLED: _("cancelled a task"),
    Action.TASK_SUPERSEDED: _("replaced a task"),
    Action.TASK_ASSIGNED: _("gave a task to a person"),
    Action.TASK_RUN_AGAIN: _("ran a step again"),
    Action.CONFLICT_PASSED_OVER: _("passed over people with a conflict of interest"),
    Action.CONFLICT_REFUSED: _("was refused for a conflict of interest"),
    Action.ORDER_FIXED: _("fixed the order of a reader's tasks"),
    Action.DISCREPANCY_JUDGED: _("compared the reads"),
    Action.READ_OPENED: _("opened the read"),
    Action.READ_SUBMITTED: _("submitted the read"),
    Action.READ_SIGNED: _("signed the read"),
    Action.READ_CORRECTED: _("began a correction of the read"),
    Action.RESULTS_VIEWED: _("looked at the results"),
    Action.RESULTS_EXPORTED: _("exported the results"),
    Action.SITE_JOINED: _("gave a person a site"),
    Action.SITE_LEFT: _("ended a person's place at a site"),
    Action.CONFLICT_DECLARED: _("declared a conflict of interest"),
    Action.CONFLICT_WITHDRAWN: _("withdrew a conflict of interest"),
    Action.QUERY_OPENED: _("opened a query"),
    Action.QUERY_ANSWERED: _("answered a query"),
    Action.QUERY_CLOSED: _("closed a query"),
    Action.QUERY_REOPENED: _("opened a query again"),
    Action.LEAKS_CHECKED: _("checked the blinding for leaks"),
}
