"""One channel: what its gateway is told. Changing it makes a version; the page says how far the newest has come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from collegium.imaging.connections import queries, services
from collegium.imaging.connections.errors import ChannelNotFound
from collegium.imaging.connections.pages.standing import channel_line
from collegium.imaging.connections.services import Limits
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.texts import storable
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.audit import queries as audit
from collegium.trust.audit import words
from collegium.trust.identity.queries import names
from collegium.trust.tenancy.queries import space
from collegium_deid import load_recipe, looser_than, parse_recipe
from collegium_wire import NEWEST, Allocation, Unmet
from collegium_wire.acquisition import in_words

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.imaging.connections.models import Channel, Gateway
    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor

OWN = "own"
SHIPPED = {
    "trial": gettext_lazy("Trial: dates moved, medical words stay"),
    "strict": gettext_lazy("Strict: the picture and hardly anything else"),
    "teaching": gettext_lazy("Teaching: no dates, medical words stay"),
    "onward-clinical": gettext_lazy("Onward clinical: pseudonymised, not anonymous"),
}
"""The recipes that come with the installation, by name."""


class ChannelForm(forms.Form):
    """Everything of a channel that may change."""

    name = forms.CharField(max_length=100, label=gettext_lazy("Name"))
    called_ae = forms.RegexField(
        r"[A-Z0-9_-]{1,16}",
        label=gettext_lazy("Called AE title"),
        help_text=gettext_lazy("What the PACS sends to: capitals, digits, _ and -."),
    )
    quiet_time_s = forms.IntegerField(
        min_value=5,
        max_value=86_400,
        initial=60,
        label=gettext_lazy("Quiet time (s)"),
        help_text=gettext_lazy("An exam is sent when so long no image of it came."),
    )
    allocation = forms.ChoiceField(
        choices=[
            (Allocation.AUTOMATIC.value, gettext_lazy("Gets the next free code")),
            (Allocation.LISTED.value, gettext_lazy("Is held until the site's list names it")),
        ],
        label=gettext_lazy("A patient who has no subject code"),
    )
    send_window = forms.RegexField(
        r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]",
        required=False,
        label=gettext_lazy("Sends from–to"),  # noqa: RUF001  an en dash is how a span of time is written
        help_text=gettext_lazy("Such as 19:00-06:00, by the gateway's clock. Empty: always."),
    )
    max_mbps = forms.IntegerField(
        min_value=0,
        max_value=1_000_000,
        initial=0,
        label=gettext_lazy("Most Mbps"),
        help_text=gettext_lazy("0: as fast as the line."),
    )
    attempts_limit = forms.IntegerField(
        min_value=0,
        max_value=100_000,
        initial=100,
        label=gettext_lazy("Most attempts"),
        help_text=gettext_lazy("Then a delivery waits for a person, with an alarm. 0: no limit."),
    )
    retention_days = forms.IntegerField(
        min_value=0,
        max_value=3650,
        initial=0,
        label=gettext_lazy("Days kept at the site"),
        help_text=gettext_lazy("Sealed, after the receipt. 0: not at all."),
    )
    storage_classes = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea,
        label=gettext_lazy("Takes only these SOP classes"),
        help_text=gettext_lazy("UIDs, one a line. Empty: every kind of image and document."),
    )
    compress = forms.BooleanField(required=False, label=gettext_lazy("Compress without loss before sending"))
    storage_commitment = forms.BooleanField(required=False, label=gettext_lazy("Answer storage commitment"))
    selected_only = forms.BooleanField(
        required=False,
        label=gettext_lazy("Send only what an IHE export manifest names; the rest stays at the site"),
    )
    when_unmet = forms.ChoiceField(
        choices=[
            (Unmet.TELL.value, gettext_lazy("Is sent, and what it lacks is told")),
            (Unmet.HOLD.value, gettext_lazy("Is held until a person at the site lets it go")),
        ],
        required=False,
        label=gettext_lazy("An exam that does not meet the acquisition requirements"),
        help_text=gettext_lazy("The project's file says what each visit asks for."),
    )
    recipe = forms.ChoiceField(
        choices=[*SHIPPED.items(), (OWN, gettext_lazy("The text below"))],
        label=gettext_lazy("Recipe"),
        help_text=gettext_lazy(
            "A looser recipe waits at the site until the administrator there confirms it; a stricter one holds at once."
        ),
    )
    recipe_text = forms.CharField(
        required=False,
        max_length=services.MOST_RECIPE_BYTES,
        strip=False,
        widget=forms.Textarea,
        label=gettext_lazy("Text of the recipe"),
    )

    @property
    def short(self) -> list[forms.BoundField]:
        """Fields of one line."""
        return [
            self[name]
            for name in ("name", "called_ae", "quiet_time_s", "allocation", "when_unmet", *_SENDING)
        ]

    def limits(self) -> Limits:
        said = self.cleaned_data
        return Limits(
            allocation=Allocation(said["allocation"]),
            storage_classes=tuple(dict.fromkeys(re.split(r"[\s,]+", said["storage_classes"].strip())))
            if said["storage_classes"].strip()
            else (),
            send_window=said["send_window"],
            max_mbps=said["max_mbps"],
            compress=said["compress"],
            storage_commitment=said["storage_commitment"],
            retention_days=said["retention_days"],
            attempts_limit=said["attempts_limit"],
            when_unmet=Unmet(said["when_unmet"] or Unmet.TELL),
            selected_only=said["selected_only"],
        )

    def chosen_recipe(self) -> str:
        """The text of the recipe that is asked for."""
        name = self.cleaned_data["recipe"]
        if name != OWN:
            return load_recipe(name).text
        return str(self.cleaned_data["recipe_text"]).replace("\r\n", "\n")


_SENDING = ("send_window", "max_mbps", "attempts_limit", "retention_days")


class NewChannelForm(ChannelForm):
    """The same, with the site, which is said once and for all."""

    site_name = forms.CharField(max_length=200, label=gettext_lazy("Site"))
    site_code = forms.RegexField(
        r"[A-Za-z0-9]{1,16}",
        label=gettext_lazy("Site code"),
        help_text=gettext_lazy("Begins every subject code, such as S01. It cannot be changed later."),
    )

    @property
    def short(self) -> list[forms.BoundField]:
        return [self["site_name"], self["site_code"], *super().short]


class ChangedChannelForm(ChannelForm):
    """The same, with what the trail needs of a change."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    refuses_earlier = forms.BooleanField(
        required=False,
        label=gettext_lazy("Refuse what was cleaned with the recipes before, even if it is on its way"),
    )
    reason = forms.CharField(max_length=400, label=gettext_lazy("Reason"))


@require_http_methods(["GET", "POST"])
def new_channel(request: PageRequest, space_id: UUID, gateway_id: UUID) -> HttpResponse:
    """Another way into a gateway: another AE title for another site, recipe or limit."""
    actor = member(request, space_id, Permission.GATEWAY_MANAGE)
    found = queries.gateway(actor, gateway_id)
    form = NewChannelForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = _add(actor, found, form)
        except CollegiumError as error:
            form.add_error(None, error.text)
        else:
            messages.success(request, _("The channel is added. The gateway hears of it within a minute."))
            return redirect("channel", space_id, gateway_id, made.id)
    context = {"gateway": found, "form": form, "is_new": True}
    return render(request, "imaging_connections/channel.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def channel(request: PageRequest, space_id: UUID, gateway_id: UUID, channel_id: UUID) -> HttpResponse:
    """The channel; posting changes it, or switches it on or off."""
    actor = member(request, space_id, Permission.GATEWAY_MANAGE)
    gateway, found = queries.gateway(actor, gateway_id), queries.channel(actor, channel_id)
    if found.gateway_id != gateway.id:
        raise ChannelNotFound
    act = request.POST.get("act", "")
    form = ChangedChannelForm(_posted(request) if act == "change" else None, initial=_initial(found))
    refused = ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                is_done = _act(request, actor, found, form)
        except NotFound:
            raise
        except CollegiumError as error:
            refused, is_done = error.text, False
        if is_done:
            return redirect("channel", space_id, gateway_id, channel_id)
    versions = queries.versions(actor, found.id)
    lines = audit.history(actor, "connections.channel", found.id)
    context = {
        "gateway": gateway,
        "channel": found,
        "line": channel_line(found, versions),
        "asked": [in_words(one) for one in queries.requirements(actor.space).items],
        "is_too_old": gateway.protocol < NEWEST,
        "versions": versions,
        "form": form,
        "refused": refused,
        "reason": storable(request.POST.get("reason", "")),
        "history": words.tell(lines, names(words.people_in(lines))),
    }
    is_refused = bool(refused or form.errors)
    return render(request, "imaging_connections/channel.html", context, status=422 if is_refused else 200)


def _act(request: PageRequest, actor: Actor, found: Channel, form: ChangedChannelForm) -> bool:
    """Do what was asked for; False if the form has faults."""
    act, reason = request.POST.get("act", ""), storable(request.POST.get("reason", ""))[:400]
    if act in ("on", "off"):
        services.switch_channel(actor=actor, channel_id=found.id, is_on=act == "on", reason=reason)
        messages.success(request, _("The gateway hears of it within a minute."))
        return True
    if act != "change":
        raise NotFound
    if not form.is_valid():
        return False
    said, before, was_selected = form.cleaned_data, found.recipe_text, found.selected_only
    changed = services.change_channel(
        actor=actor,
        channel_id=found.id,
        expected_version=said["version"],
        name=said["name"],
        called_ae=said["called_ae"],
        recipe_text=form.chosen_recipe(),
        quiet_time_s=said["quiet_time_s"],
        limits=form.limits(),
        refuses_earlier=said["refuses_earlier"],
        reason=said["reason"],
    )
    if changed.version == said["version"]:
        messages.info(request, _("Nothing was different, so nothing was changed."))
    else:
        messages.success(request, _("Changed. The gateway hears of it within a minute."))
        looser = looser_than(parse_recipe(before), parse_recipe(changed.recipe_text))
        if was_selected and not changed.selected_only:
            looser = (_("Objects leave that no export manifest names."), *looser)
        if looser:
            messages.warning(
                request,
                _(
                    "It lets more pass than the one before, so the site's administrator has to confirm it: %(why)s"
                )
                % {"why": " ".join(looser[:_REASONS])},
            )
    return True


_REASONS = 5
"""Reasons that are told of why a recipe is looser; the gateway's own page has them all."""


def _add(actor: Actor, gateway: Gateway, form: NewChannelForm) -> Channel:
    said = form.cleaned_data
    return services.add_channel(
        actor=actor,
        gateway_id=gateway.id,
        name=said["name"],
        called_ae=said["called_ae"],
        project_name=space(actor).name,
        site_code=said["site_code"],
        site_name=said["site_name"],
        recipe_text=form.chosen_recipe(),
        quiet_time_s=said["quiet_time_s"],
        limits=form.limits(),
    )


def _initial(channel: Channel) -> dict[str, object]:
    """A channel as the form shows it; a shipped recipe by its name."""
    shipped = {load_recipe(name).text: name for name in SHIPPED}
    return {
        "name": channel.name,
        "called_ae": channel.called_ae,
        "quiet_time_s": channel.quiet_time_s,
        "allocation": channel.allocation,
        "send_window": channel.send_window,
        "max_mbps": channel.max_mbps,
        "attempts_limit": channel.attempts_limit,
        "retention_days": channel.retention_days,
        "when_unmet": channel.when_unmet,
        "storage_classes": "\n".join(channel.storage_classes),
        "compress": channel.compress,
        "storage_commitment": channel.storage_commitment,
        "selected_only": channel.selected_only,
        "recipe": shipped.get(channel.recipe_text, OWN),
        "recipe_text": channel.recipe_text,
        "version": channel.version,
    }


def _posted(request: PageRequest) -> dict[str, str] | None:
    """What was posted, without what the database cannot hold."""
    if request.method != "POST":
        return None
    return {name: storable(str(value)) for name, value in request.POST.items()}
