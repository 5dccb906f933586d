"""The de-identifier in the browser: how long until it is ready, and how many files of 0.5 MB a second.

    .venv/bin/python benchmarks/deid_browser.py

Chromium loads the very worker, Python and libraries that the page loads, from a local server, and cleans phantom CTs
with one worker: reading the head of each file, cleaning, verifying, and saying where its pixels lie.
"""

from __future__ import annotations

import json
import mimetypes
import statistics
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collegium_testkit import browser, phantoms

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILT: Final = Path(__file__).resolve().parents[1] / "packages/platform/collegium/web/static/built"
FILES: Final = 120
ROUNDS: Final = 3
_PAGE: Final = b"<!doctype html><input type=file multiple><script type=module src=bench.js></script>"
_SCRIPT: Final = """
const worker = new Worker('/WORKER', { type: 'module' });
const waiting = new Map();
let next = 0;
worker.onmessage = ({ data }) => {
  const { resolve, reject } = waiting.get(data.id);
  waiting.delete(data.id);
  if ('failure' in data) reject(new Error(data.failure)); else resolve(data.value);
};
const ask = (what) => new Promise((resolve, reject) => {
  waiting.set(next, { resolve, reject });
  worker.postMessage({ ...what, id: next++ });
});
window.ready = ask({ ask: 'start', python: '/PYTHON' }).then(() => performance.now());
window.clean = async () => {
  const setting = { recipe: 'trial', key: '0123456789abcdef'.repeat(4), subject: 'S-001', table: '' };
  await ask({ ask: 'set', setting });
  const files = [...document.querySelector('input').files];
  const queue = files.values();
  const began = performance.now();
  const lane = async () => {
    for (const file of queue) {
      const { told } = await ask({ ask: 'clean', file });
      if (told.state === 'refused') throw new Error(told.code);
    }
  };
  await Promise.all([lane(), lane()]);
  return files.length / (performance.now() - began) * 1000;
};
"""


@dataclass(frozen=True)
class BrowserSpeed:
    """Medians of some rounds."""

    start_s: float
    files_per_s: float


def measure() -> BrowserSpeed | None:
    """None where there is no Chromium, or the front end is not built."""
    if browser.chromium_path() is None or not (BUILT / "assets.json").is_file():
        return None
    with (
        tempfile.TemporaryDirectory() as folder,
        _serving() as url,
        browser.browser(has_webgl=False) as chromium,
    ):
        exam = phantoms.ct_exam(Path(folder), slices=FILES)
        starts, rates = [], []
        for _round in range(ROUNDS):
            page = chromium.new_page()
            page.goto(url)
            starts.append(page.evaluate("window.ready") / 1000)
            page.set_input_files("input", list(exam.files))
            page.evaluate("window.clean()")  # the first run compiles what it meets
            rates.append(page.evaluate("window.clean()"))
            page.close()
    return BrowserSpeed(statistics.median(starts), statistics.median(rates))


@contextmanager
def _serving() -> Iterator[str]:
    """The built files, under the addresses that the worker asks for."""
    worker = next(BUILT.glob("worker-*.js")).name
    python = json.loads((BUILT / "assets.json").read_text("utf-8"))["python.zip"]
    script = _SCRIPT.replace("/WORKER", f"/{worker}").replace("/PYTHON", f"/{python}").encode()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Silent."""

        def do_GET(self) -> None:
            name = self.path.split("?")[0].lstrip("/")
            kind = {"": "text/html", "bench.js": "text/javascript"}.get(name) or mimetypes.guess_type(name)[0]
            body = {"": _PAGE, "bench.js": script}.get(name)
            if body is None and (BUILT / name).is_file():
                body = (BUILT / name).read_bytes()
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    """Print both numbers."""
    speed = measure()
    if speed is None:
        print("No Chromium, or no front end: run `make viewer`.")
        return
    print(
        f"browser: ready in {speed.start_s:.1f} s, {speed.files_per_s:.0f} files of 0.5 MB a second with one worker"
    )


if __name__ == "__main__":
    main()
