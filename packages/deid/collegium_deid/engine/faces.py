"""May a face be made out of this object? Asked only by recipes that declare to clean what is recognisable.

Nothing is removed from pictures: an object that may show a face is refused. Only a body part that the
header names, and that is known to lie away from the head, is taken for an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collegium_deid.engine.elements import FileHead

_BODY_PART: Final = 0x00180015
_CLASSES: Final = "1.2.840.10008.5.1.4.1.1."
# Slices make a surface; visible light shows it at once. Shadows (X-ray), echoes and objects without pixels do not.
_SHOW_SURFACES: Final = ("2", "4", "20", "128", "130", "77", "13", "481.2", "66.5", "68")
_AWAY_FROM_THE_HEAD: Final = frozenset(
    {
        "ABDOMEN", "ABDOMENPELVIS", "ADRENAL", "ANKLE", "AORTA", "ARM", "BILEDUCT", "BLADDER", "BREAST",
        "BRONCHUS", "CALCANEUS", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "CLAVICLE", "COCCYX", "COLON",
        "CORONARYARTERY", "DUODENUM", "ELBOW", "EXTREMITY", "FEMUR", "FINGER", "FOOT", "FOREARM",
        "GALLBLADDER", "HAND", "HEART", "HIP", "HUMERUS", "KIDNEY", "KNEE", "LEG", "LIVER", "LSPINE",
        "LSSPINE", "LUNG", "PANCREAS", "PELVIS", "PROSTATE", "RADIUS", "RECTUM", "RIB", "SCAPULA",
        "SHOULDER", "SPLEEN", "SSPINE", "STERNUM", "STOMACH", "THIGH", "THORAX", "THUMB", "TIBIA",
        "TLSPINE", "TOE", "TSPINE", "ULNA", "UTERUS", "WRIST",
    }
)  # fmt: skip


def may_show_a_face(head: FileHead) -> bool:
    """True unless the kind of object shows no surface, or its body part lies away from the head.

    Source: DICOM PS3.15 section E.3.2; body parts from PS3.16 Annex L.
    """
    kind = head.text(0x00080016).removeprefix(_CLASSES)
    if not any(kind == shown or kind.startswith(f"{shown}.") for shown in _SHOW_SURFACES):
        return False
    return head.text(_BODY_PART).strip().upper() not in _AWAY_FROM_THE_HEAD
