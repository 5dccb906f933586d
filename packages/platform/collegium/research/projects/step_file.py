"""Read the `pipeline:` part of a project file into steps, and write it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.forms.file_values import read_labels, read_name, read_rule
from collegium.imaging.archive.attributes import fields
from collegium.kit.rules import ItemType, ValueType
from collegium.research.projects.definition import (
    About,
    Adjudication,
    Assignment,
    Blinding,
    Differing,
    How,
    Mode,
    Order,
    QcVerdict,
    RoleRule,
    Step,
    StepKind,
    SubjectLabel,
    Timepoints,
    Told,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import FormDefinition
    from collegium.kit.yaml import Node, Problems

_REQUIRED = ("step", "kind", "label", "form", "role", "about", "assign", "meaning")
_OPTIONAL = ("blinding", "due_days", "open_if", "timepoints", "order", "queries_closed")
_OWN: dict[StepKind, tuple[str, ...]] = {
    StepKind.FORM: (),
    StepKind.QC: ("verdict",),
    StepKind.READING: (),
    StepKind.ADJUDICATION: ("of", "discrepancy", "mode"),
}
_SIDES = ("a", "b")
_NOT_BUILT = ("consensus", "majority")
"""Ways to settle reads that charters know and this version does not do (R72)."""
_OF_SUBJECT = {name: ItemType(ValueType.TEXT) for name in ("site", "visit", "subject")}
"""What an assignment's rules may ask."""


def read_pipeline(node: Node, forms: Mapping[str, FormDefinition], problems: Problems) -> tuple[Step, ...]:
    """All steps in their order; faults go to `problems`."""
    steps: dict[str, Step] = {}
    with problems.gathered():
        if not node.sequence():
            raise node.fault("A pipeline needs at least one step.")
        for part in node.sequence():
            with problems.gathered():
                step = _step(part, forms, steps)
                if step.name in steps:
                    raise part.fault(f"There is a step “{step.name}” already.")
                steps[step.name] = step
    return tuple(steps.values())


def condition_types(
    step_about: About, earlier: Mapping[str, Step], forms: Mapping[str, FormDefinition]
) -> dict[str, ItemType]:
    """What a condition may read: `<step>.<item>` of earlier steps about the same thing or one that holds it."""
    return {
        f"{step.name}.{name}": kind
        for step in earlier.values()
        if step.about.width >= step_about.width
        for name, kind in forms[step.form].value_types.items()
        if not kind.repeated
    }


def discrepancy_types(form: FormDefinition) -> dict[str, ItemType]:
    """What a discrepancy rule may read of the two sides."""
    return {
        f"{side}.{name}": kind
        for side in _SIDES
        for name, kind in form.value_types.items()
        if not kind.repeated
    }


def _step(node: Node, forms: Mapping[str, FormDefinition], earlier: Mapping[str, Step]) -> Step:
    kinds = node.mapping()
    if "kind" not in kinds:
        raise node.fault(f"A step needs a kind: {', '.join(StepKind)}.")
    kind = StepKind(kinds["kind"].one_of(list(StepKind)))
    optional = (*_OPTIONAL, "chooses", "final") if kind is StepKind.ADJUDICATION else _OPTIONAL
    body = node.fields(required=[*_REQUIRED, *_OWN[kind]], optional=optional)
    form = body["form"].text()
    if form not in forms:
        raise body["form"].fault(
            f"There is no form “{form}”; there are {', '.join(sorted(forms)) or 'none'}."
        )
    about = About(body["about"].one_of(list(About)))
    types = condition_types(about, earlier, forms)
    return Step(
        name=read_name(body["step"].text(), body["step"]),
        kind=kind,
        label=read_labels(body["label"]),
        form=form,
        role=body["role"].text(longest=60),
        about=about,
        assign=_assignment(body["assign"]),
        meaning=body["meaning"].text(longest=200),
        blinding=_blinding(body["blinding"]) if "blinding" in body else Blinding(),
        due_days=body["due_days"].whole(1, 3650) if "due_days" in body else None,
        open_if=read_rule(body["open_if"], types) if "open_if" in body else "",
        timepoints=_timepoints(body, about),
        order=Order(body["order"].one_of(list(Order))) if "order" in body else Order.FREE,
        queries_closed=body["queries_closed"].truth() if "queries_closed" in body else False,
        verdict=_verdict(body["verdict"], forms[form]) if kind is StepKind.QC else "",
        adjudication=_adjudication(body, forms, earlier) if kind is StepKind.ADJUDICATION else None,
    )


def _timepoints(body: Mapping[str, Node], about: About) -> Timepoints:
    if "timepoints" not in body:
        return Timepoints.ALONE
    found = Timepoints(body["timepoints"].one_of(list(Timepoints)))
    if found is not Timepoints.ALONE and about is not About.VISIT:
        raise body["timepoints"].fault("Timepoints stand beside each other in steps about a visit only.")
    return found


def _assignment(node: Node) -> Assignment:
    """`every`, or `{how: random, readers: 2, seed: 7}` and its like."""
    if isinstance(node.value, str):
        how = How(node.one_of(list(How)))
        if how in (How.RANDOM, How.RULE):
            raise node.fault(f"Write it out: assign: {{how: {how}, …}}.")
        return Assignment(how)
    body = node.fields(required=["how"], optional=["readers", "seed", "rules", "at_site"])
    how = How(body["how"].one_of(list(How)))
    for key, only in (("seed", How.RANDOM), ("rules", How.RULE)):
        if key in body and how is not only:
            raise body[key].fault(f"“{key}” belongs to how: {only}.")
        if key not in body and how is only:
            raise node.fault(f"how: {how} needs “{key}”.")
    if how is How.EVERY and "readers" in body:
        raise body["readers"].fault("Everybody of the role reads; a number of readers has no meaning here.")
    return Assignment(
        how=how,
        readers=body["readers"].whole(1, 9) if "readers" in body else 1,
        seed=body["seed"].whole(0, 2**53) if "seed" in body else None,
        rules=tuple(_role_rule(part) for part in body["rules"].sequence()) if "rules" in body else (),
        at_site=body["at_site"].truth() if "at_site" in body else False,
    )


def _role_rule(node: Node) -> RoleRule:
    body = node.fields(required=["if", "role"])
    return RoleRule(read_rule(body["if"], _OF_SUBJECT), body["role"].text(longest=60))


def _verdict(node: Node, form: FormDefinition) -> str:
    name = node.text()
    codes = _codes_of(form, name)
    if codes != set(QcVerdict):
        raise node.fault(f"“{name}” must be a choice item with the codes {', '.join(QcVerdict)}.")
    return name


def _adjudication(
    body: Mapping[str, Node], forms: Mapping[str, FormDefinition], earlier: Mapping[str, Step]
) -> Adjudication:
    of = body["of"].text()
    read = earlier.get(of)
    if read is None or read.kind is not StepKind.READING:
        raise body["of"].fault(f"“{of}” is not an earlier reading step.")
    if read.about is not About(body["about"].one_of(list(About))):
        raise body["about"].fault(f"Reads of “{of}” are about {read.about}; so is their adjudication.")
    if read.assign.how is How.EVERY or read.assign.readers != len(_SIDES):
        has = "everybody" if read.assign.how is How.EVERY else f"{read.assign.readers}"
        raise body["of"].fault(
            f"An adjudication compares two reads, and “{of}” is read by {has}: give it readers: 2. "
            "There is no majority of three or more; without an adjudication a step may have up to nine readers."
        )
    if body["mode"].value in _NOT_BUILT:
        raise body["mode"].fault(
            f"mode: {body['mode'].value} is not built. One adjudicator settles what differs: "
            f"write {' or '.join(Mode)}. A meeting may decide before that adjudicator signs."
        )
    mode = Mode(body["mode"].one_of(list(Mode)))
    chooses = body["chooses"].text() if "chooses" in body else ""
    form = body["form"].text()
    if mode is Mode.CHOOSE and _codes_of(forms[form], chooses) != set(_SIDES):
        raise body["mode"].fault(
            "mode: choose needs “chooses”: a choice item of the form with the codes a and b."
        )
    if mode is Mode.ANEW and (chooses or form != read.form):
        raise body["mode"].fault(
            f"mode: anew answers the form of the reads, “{read.form}”, and chooses nothing."
        )
    rule = read_rule(body["discrepancy"], discrepancy_types(forms[read.form]))
    differing = Differing.BLANK
    if "final" in body:
        said = body["final"].fields(required=["differing"])["differing"]
        differing = Differing(said.one_of(list(Differing)))
    return Adjudication(of, rule, mode, chooses, differing)


def _codes_of(form: FormDefinition, item: str) -> set[str]:
    found = form.by_name.get(item)
    return {code for code, _ in found.codes} if found else set()


def _blinding(node: Node) -> Blinding:
    body = node.fields(optional=["show", "subject_label", "tell"])
    shown = []
    for part in body["show"].sequence() if "show" in body else ():
        keyword = part.text(longest=64)
        try:
            fields([keyword])
        except ValueError:
            raise part.fault(
                f"“{keyword}” is not a DICOM keyword that can be shown, such as Modality."
            ) from None
        shown.append(keyword)
    label = SubjectLabel.TASK
    if "subject_label" in body:
        label = SubjectLabel(body["subject_label"].one_of(list(SubjectLabel)))
    told = [Told(part.one_of(list(Told))) for part in body["tell"].sequence()] if "tell" in body else []
    return Blinding(tuple(dict.fromkeys(shown)), label, tuple(dict.fromkeys(told)))


def step_tree(step: Step) -> dict[str, object]:
    """A step as canonical YAML values; what equals its default is left out."""
    tree: dict[str, object] = {
        "step": step.name,
        "kind": step.kind.value,
        "label": dict(step.label),
        "form": step.form,
        "role": step.role,
        "about": step.about.value,
        "assign": _assignment_tree(step.assign),
        "meaning": step.meaning,
        "due_days": step.due_days,
        "open_if": step.open_if or None,
        "timepoints": _unless(step.timepoints, Timepoints.ALONE),
        "order": _unless(step.order, Order.FREE),
        "queries_closed": step.queries_closed or None,
        "verdict": step.verdict or None,
        **_adjudication_tree(step.adjudication),
        "blinding": _blinding_tree(step.blinding),
    }
    return {key: value for key, value in tree.items() if value is not None}


def _assignment_tree(assign: Assignment) -> dict[str, object]:
    tree: dict[str, object] = {
        "how": assign.how.value,
        "readers": None if assign.how is How.EVERY else assign.readers,
        "seed": assign.seed,
        "rules": [{"if": rule.rule, "role": rule.role} for rule in assign.rules] or None,
        "at_site": assign.at_site or None,
    }
    return {key: value for key, value in tree.items() if value is not None}


def _adjudication_tree(found: Adjudication | None) -> dict[str, object]:
    if found is None:
        return {}
    return {
        "of": found.of,
        "discrepancy": found.discrepancy,
        "mode": found.mode.value,
        "chooses": found.chooses or None,
        "final": {"differing": found.differing.value} if found.differing is not Differing.BLANK else None,
    }


def _blinding_tree(blinding: Blinding) -> dict[str, object]:
    tree: dict[str, object] = {"show": list(blinding.show), "subject_label": blinding.subject_label.value}
    if blinding.tell:
        tree["tell"] = [told.value for told in blinding.tell]
    return tree


def _unless(value: Timepoints | Order, default: Timepoints | Order) -> str | None:
    return None if value is default else value.value
