"""A grant's view: its own UIDs, its label for the subject, its fields and nothing more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from collegium.imaging.archive import qido, storage
from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.attributes import named, term
from collegium.imaging.archive.document import first_of
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.archive.projected import INSTANCE_NUMBER, SERIES_NUMBER, Projection
from collegium.imaging.dicomweb.content import Kept, SeriesContent, kept_content, series_content
from collegium.imaging.dicomweb.rewritten import REWRITTEN, Rewriting, rewrite
from collegium.imaging.dicomweb.views import View
from collegium.imaging.grants import queries as grants
from collegium.kit.database import acting_as

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.imaging.archive.document import Attributes
    from collegium.imaging.archive.queries import StoredInstance
    from collegium.imaging.dicomweb.search import Search
    from collegium.kit.principals import Principal

_INSTANCE = "00080018"
_shown_instances: Kept[dict[str, StoredInstance]] = Kept(200_000)


class GrantView(View):
    """What the holder of a grant sees. An id that is not granted is not found, like one that never was."""

    def __init__(self, principal: Principal, grant_id: UUID) -> None:
        """Decide, or rely on a decision of the last 5 s. Raises ImageNotFound."""
        self.principal = principal
        self._grant = grants.decide(principal, grant_id)
        self.actor = self._grant.actor

    @property
    def door(self) -> str:
        return f"grant:{self._grant.id}"

    def studies(self, search: Search) -> bytes:
        by_exam: dict[UUID, list[SeriesContent]] = {}
        for one in self._contents():
            by_exam.setdefault(one.exam_id, []).append(one)
        wanted = search.matches.get("StudyInstanceUID")
        lines = [
            line
            for group in by_exam.values()
            if (shown := self._grant.uid(group[0].study_uid)) and wanted in (None, shown)
            for line in [self._study_line(shown, group)]
        ]
        return ("[" + ",".join(lines[search.offset : search.offset + search.limit]) + "]").encode()

    def _study_line(self, shown: str, group: list[SeriesContent]) -> str:
        return qido.text_of(
            dict(
                (
                    qido.attribute("StudyInstanceUID", shown),
                    qido.attribute("PatientID", self._grant.label),
                    qido.attribute("PatientName", self._grant.label),
                    qido.attribute("ModalitiesInStudy", *sorted({_modality(one) for one in group})),
                    qido.attribute("NumberOfStudyRelatedSeries", len(group)),
                    qido.attribute(
                        "NumberOfStudyRelatedInstances", sum(len(self._shown(one)) for one in group)
                    ),
                    qido.attribute("InstanceAvailability", "ONLINE"),
                )
            )
        )

    def series(self, study_uid: str) -> bytes:
        group = [one for one in self._contents() if self._grant.uid(one.study_uid) == study_uid]
        if not group:
            raise ImageNotFound
        lines = [self._series_line(one, place) for place, one in enumerate(group, 1)]
        return ("[" + ",".join(lines) + "]").encode()

    def _series_line(self, one: SeriesContent, place: int) -> str:
        attributes = [
            qido.attribute("StudyInstanceUID", self._grant.uid(one.study_uid)),
            qido.attribute("SeriesInstanceUID", self._grant.uid(one.series_uid)),
            qido.attribute("Modality", _modality(one)),
            qido.attribute("SeriesNumber", place),
            qido.attribute("NumberOfSeriesRelatedInstances", len(self._shown(one))),
        ]
        if "SeriesDescription" in self._grant.keywords:
            attributes.append(qido.attribute("SeriesDescription", one.description))
        return qido.text_of(dict(attributes))

    def _contents(self) -> list[SeriesContent]:
        kept = [kept_content(self.actor, *place) for place in self._grant.series]
        if all(kept):
            return [one for one in kept if one is not None]
        with acting_as(self.principal, [self.actor.space]):
            return [series_content(self.actor, *place) for place in self._grant.series]

    def _find(self, study_uid: str, series_uid: str) -> SeriesContent:
        for one in self._contents():
            if self._grant.uid(one.series_uid) == series_uid and self._grant.uid(one.study_uid) == study_uid:
                return one
        raise ImageNotFound

    def _shown(self, content: SeriesContent) -> dict[str, StoredInstance]:
        """The granted instances of a series by the UIDs this grant shows."""
        key = (self._grant.id, content.id)
        kept = _shown_instances.get(key)
        if kept is None:
            only = self._grant.instances
            shown = {
                self._grant.uid(uid): one
                for uid, one in content.instances.items()
                if only is None or one.id in only
            }
            kept = dict(sorted(shown.items()))  # in the order of names that say nothing: not as they arrived
            _shown_instances.put(key, kept, len(kept) + 1)
        return kept

    def _document(self, content: SeriesContent) -> bytes:
        with acting_as(self.principal, [self.actor.space]):
            document = archive.document(self.actor, content.id, content.revision)
        return document.render(self._projection(content))

    def instance(self, study_uid: str, series_uid: str, instance_uid: str) -> bytes:
        """A segmentation or structure set, written anew. Raises ImageNotFound for anything else."""
        content = self._find(study_uid, series_uid)
        found = self._shown(content).get(instance_uid)
        if found is None or found.sop_class_uid not in REWRITTEN:
            raise ImageNotFound
        self._enter_trail(content)
        numbers = {
            first_of(one, _INSTANCE): first_of(one, INSTANCE_NUMBER)
            for one in json.loads(self._document(content))
        }
        contents = self._contents()
        projection = self._projection(content)
        wider = {uid for one in contents for uid in (one.study_uid, one.series_uid)}
        rewriting = Rewriting(
            label=self._grant.label,
            keywords=frozenset(self._grant.keywords),
            uid=self._grant.uid,
            shows=lambda uid: uid in wider or projection.shows(uid),
            series_number=projection.replace[SERIES_NUMBER]["Value"][0],
            instance_number=numbers.get(instance_uid, 1),
        )
        return rewrite(bytes(storage.blobs().read_all(found.blob_key)), rewriting)

    def _projection(self, content: SeriesContent) -> Projection:
        group = [one for one in self._contents() if one.exam_id == content.exam_id]
        place = next(at for at, one in enumerate(group, 1) if one.id == content.id)
        shown = {one.sop_instance_uid for each in self._contents() for one in self._shown(each).values()}
        return Projection(
            fields=self._grant.fields,
            named=named(self._grant.keywords),
            uid=self._grant.uid_of,
            shows=shown.__contains__,
            replace=_subject(self._grant.label) | {SERIES_NUMBER: {"vr": "IS", "Value": [place]}},
        )


def _modality(one: SeriesContent) -> str:
    """Its code if the standard knows it; a scanner could write anything."""
    return term("00080060", one.modality) or ""


def _subject(label: str) -> Attributes:
    """The label wherever a viewer looks for the subject (R42: also as Subject Reading ID)."""
    return dict(
        (
            qido.attribute("PatientID", label),
            qido.attribute("PatientName", label),
            qido.attribute("ClinicalTrialSubjectReadingID", label),
        )
    )
