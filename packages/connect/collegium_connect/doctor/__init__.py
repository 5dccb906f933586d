"""Compare this machine, its disk and its line with what the gateway needs, and name each shortfall.

`examine` asks everything once; nothing is changed but a small file that is written and deleted, and
bytes without meaning that go to the server to measure the line. `round_trip` sends an invented exam;
who asks for it imports it, because it knows the running gateway.
"""

from collegium_connect.doctor.examine import examine
from collegium_connect.doctor.findings import Finding, Verdict
from collegium_connect.doctor.report import as_json, report

__all__ = ["Finding", "Verdict", "as_json", "examine", "report"]
