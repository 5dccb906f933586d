"""Compare this machine, its disk, its line and its door with what the gateway needs, and name each shortfall.

`examine` asks everything once; nothing is changed but a small file that is written and deleted, and
bytes without meaning that go to the server to measure the line. `dry_exam` cleans an invented exam in
memory; `round_trip` sends one. Who asks for these imports them: they load codecs, or know the gateway.
"""

from collegium_connect.doctor.examine import examine, open_channels
from collegium_connect.doctor.findings import Finding, Verdict
from collegium_connect.doctor.report import as_html, as_json, as_text

__all__ = ["Finding", "Verdict", "as_html", "as_json", "as_text", "examine", "open_channels"]
