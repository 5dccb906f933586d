"""Objects with planted identity, and a scorer that knows where it is.

    planted = plant(seed=1, count=90)
    whole = total(score(one, deidentified(one.data)) for one in planted)

Every row of PS3.15 Annex E stands in every third object at the top, in every third some sequences deep
and in every third behind VR UN; around it private blocks, odd places, many scripts and lengths.
"""

from collegium_testkit.planted.build import CLASSES, PLAIN, Fact, Planted, Truth, plant
from collegium_testkit.planted.scoring import Action, Score, score, total
from collegium_testkit.planted.tree import Syntax

__all__ = [
    "CLASSES",
    "PLAIN",
    "Action",
    "Fact",
    "Planted",
    "Score",
    "Syntax",
    "Truth",
    "plant",
    "score",
    "total",
]
