"""The collector: single `track` calls durably acknowledged over 64 connections, and batches of 100.

The yardstick is the same server (uvicorn, uvloop, httptools) answering a constant to the same requests. Both are loaded
by `wrk` (Debian: apt-get install wrk), one after the other, in turns. Batches are made once and sent again and again:
the collector looks for no duplicates, and the load generator, on the same machine, has little to do.
"""

from __future__ import annotations

import base64
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.installation import Installation, free_port, installation
from benchmarks.report import Figure

CONNECTIONS = 64
SECONDS = 5
TURNS = 3

_CONSTANT = """
async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"16")]})
    await send({"type": "http.response.body", "body": b'{"success":true}'})
"""

_LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Basic %(credentials)s"
local n = 0
local run = tostring(os.time()) .. "-" .. tostring({}):sub(8)
local function call()
  n = n + 1
  return string.format('{"type":"track","anonymousId":"visitor-%%d","event":"Product Viewed","messageId":"%%s-%%d",' ..
    '"timestamp":"%(now)s","properties":{"sku":"lp-%%d","price":19.9,"currency":"EUR"},' ..
    '"context":{"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"}}',
    n %% 5000, run, n, n %% 100)
end
local made = {}
request = function()
  if %(batch)d == 1 then return wrk.format(nil, nil, nil, call()) end
  local place = n %% 64
  n = n + 1
  if not made[place] then
    local calls = {}
    for i = 1, %(batch)d do calls[i] = call() end
    made[place] = wrk.format(nil, nil, nil, '{"batch":[' .. table.concat(calls, ",") .. "]}")
  end
  return made[place]
end
"""


def _load(url: str, script: Path) -> float:
    """Requests a second that were answered 200. Raises RuntimeError when some were not."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in told:
        raise RuntimeError(f"Some calls were refused:\n{told}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", told)
    if not found:
        raise RuntimeError(f"wrk said nothing of its pace:\n{told}")
    return float(found[1])


def _script(folder: Path, write_key: str, batch: int) -> Path:
    path = folder / f"calls-{batch}.lua"
    credentials = base64.b64encode(f"{write_key}:".encode()).decode()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path.write_text(_LUA % {"credentials": credentials, "now": now, "batch": batch})
    return path


def _constant(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    (folder / "constant.py").write_text(_CONSTANT)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "constant:application",
        "--port",
        str(port),
        "--loop",
        "uvloop",
    ]
    process = subprocess.Popen(
        [*command, "--http", "httptools", "--log-level", "warning", "--no-access-log"], cwd=folder
    )
    time.sleep(1.5)
    return process, f"http://127.0.0.1:{port}/"


def _measure(site: Installation, folder: Path) -> tuple[list[float], list[float], float]:
    single = _script(folder, site.account["write_key"], 1)
    many = _script(folder, site.account["write_key"], 100)
    yardstick, address = _constant(folder)
    ours, theirs = [], []
    try:
        for _ in range(TURNS):
            theirs.append(_load(address, single))
            ours.append(_load(f"{site.url}/v1/track", single))
    finally:
        yardstick.terminate()
        yardstick.wait()
    batches = statistics.median(_load(f"{site.url}/v1/batch", many) for _ in range(TURNS)) * 100
    return ours, theirs, batches


def run() -> list[Figure]:
    """Measure both, in turns, on an installation whose digest is idle."""
    if shutil.which("wrk") is None:
        raise SystemExit("The collector's benchmark needs wrk (Debian: apt-get install wrk).")
    with installation() as site, tempfile.TemporaryDirectory() as folder:
        site.start("web", "--port", str(site.port))
        site.wait()
        ours, theirs, batches = _measure(site, Path(folder))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    pace, constant = statistics.median(ours), statistics.median(theirs)
    return [
        Figure(
            "collector, single track calls durably acknowledged, 64 connections",
            f"{pace:,.0f}/s",
            f"the same server answering a constant: {constant:,.0f}/s",
            ratio,
            "≥ 0.25",
            ratio >= 0.25,
        ),
        Figure(
            "collector, batches of 100",
            f"{batches:,.0f} events/s",
            to_reach="≥ 60,000 events/s",
            reached=batches >= 60_000,
        ),
    ]
