"""Who belongs to which site, and who may not read which subject."""

from collegium.research.projects.people.queries import conflict_of, conflicts_of, sites_of

__all__ = ["conflict_of", "conflicts_of", "sites_of"]
