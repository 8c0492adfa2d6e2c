"""A headless Chromium: what a page looks like once a real browser has laid it out."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
HOW_TO_ENABLE = "no Chromium found: install the `chromium` package, or put `google-chrome` on the PATH"

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_DARK = "--blink-settings=preferredColorScheme=0"
_SECONDS = 120
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

# Asks the browser what no reader of the source can know: whether the page or a table in it needs sideways
# scrolling, and which words of a drawing stick out of it or lie over each other.
_PROBE = """
<script>
  const out = {wide: document.documentElement.scrollWidth, window: innerWidth, high: document.body.scrollHeight};
  const box = node => node.getBoundingClientRect();
  out.sticking = []; out.overlapping = []; out.scrolling = [];
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const holder of document.querySelectorAll(".scroll, figure"))
    if (holder.scrollWidth > holder.clientWidth + 1) out.scrolling.push(holder.textContent.trim().slice(0, 80));
  for (const svg of document.querySelectorAll("svg.plot")) {
    const frame = box(svg), scale = frame.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll("text")].map(node => [node.lastChild.textContent, box(node)]);
    for (const [words, b] of texts)
      if (b.left < frame.left - 3 || b.right > frame.right + 3 || b.top < frame.top - 3 || b.bottom > frame.bottom + 3)
        out.sticking.push(words);
    for (const node of svg.querySelectorAll("g.node")) {
      const edge = box(node.querySelector("rect")).right;
      for (const words of node.querySelectorAll("text"))
        if (box(words).right > edge) out.sticking.push(words.textContent);
    }
    texts.forEach(([words, a], i) => {
      for (const [others, b] of texts.slice(i + 1)) {
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 2 && y > 6 * scale) out.overlapping.push(words + " | " + others);
      }
    });
  }
  const pre = document.createElement("pre"); pre.id = "probe"; pre.textContent = JSON.stringify(out);
  document.body.append(pre);
</script>
"""


def screenshot(page: Path, *, width: int = 1200, height: int = 1600, dark: bool = False) -> bytes:
    """The page as a PNG."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "page.png"
        _chromium(page, f"--screenshot={picture}", f"--window-size={width},{height}", *([_DARK] if dark else []))
        return picture.read_bytes()


def laid_out(page: Path, *, width: int) -> tuple[str, dict[str, Any]]:
    """The page's document as the browser holds it, and what the probe found in it."""
    with tempfile.TemporaryDirectory() as folder:
        probed = Path(folder) / "page.html"
        # A page allows no script; the probe is one.
        open_page = _POLICY.sub("", page.read_text())
        probed.write_text(open_page.replace("</body>", _PROBE + "</body>"))
        document = _chromium(probed, "--dump-dom", f"--window-size={width},1600")
    found = re.search(r'<pre id="probe">(.*?)</pre>', document, re.DOTALL)
    assert found, "the browser did not run the page"
    return document, json.loads(found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def ink(png: bytes) -> int:
    """How many bytes of a PNG's filtered rows are not zero: a plain area has next to none, text and lines have many."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    data, position = b"", 8
    while position < len(png):
        length, kind = struct.unpack(">I4s", png[position : position + 8])
        if kind == b"IDAT":
            data += png[position + 8 : position + 8 + length]
        position += 12 + length
    raw = zlib.decompress(data)
    return len(raw) - raw.count(0)


def _chromium(page: Path, *arguments: str) -> str:
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", *arguments, page.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
