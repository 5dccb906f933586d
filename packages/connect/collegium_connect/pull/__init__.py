"""Ask a PACS for exams that the site has listed: by accession number or by patient id, in its window.

Only a channel that the site's own configuration and lists tell to pull does so; what comes, comes in
over the door like everything else. Accession numbers and patient ids are sealed at rest, and gone when
their exams have come.
"""

from collegium_connect.pull.puller import PULL_S, Puller
from collegium_connect.pull.requests import Key, Requests

__all__ = ["PULL_S", "Key", "Puller", "Requests"]
