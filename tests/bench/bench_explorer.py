"""The explorer of 10,000 models in Chromium: pictures per second while it turns and while it plays.

    make bench

Made-up coordinates of 250 runs of 40 models. Without a graphics processor Chromium draws in
software, which takes most of the time; the page's own work is what its JavaScript takes. Exits with
1 if that leaves less than 60 pictures per second, or a slider's step makes anything anew.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import FAILED, report

from hyperribbon.analysis.explorer import explorer

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import Browser

RUNS, CHECKPOINTS = 250, 40
FRAME = 1000 / 60  # ms
NETWORKS = ["FullyConnected", "AllCNN", "WideResNet", "ConvMixer", "ViT"]
OWN = """((repeat) => {{
  const start = performance.now();
  for (let k = 0; k < repeat; k++) {{ {work} }}
  return (performance.now() - start) / repeat;
}})({repeat})"""
PICTURES = """new Promise((done) => {
  let count = 0;
  const start = performance.now(), step = () => {
    state.from = camera({ ...state.from, yaw: state.from.yaw + 0.02 });
    redraw();
    if (++count < 120) requestAnimationFrame(step);
    else done((performance.now() - start) / count);
  };
  requestAnimationFrame(step);
})"""
PAINT = "const m = matrix(); cloud.draw(new Float32Array(m), behind(state.from)); " \
    "labels(state.from, m, ...size());"  # fmt: skip

STEP = f"until(k % 30); cloud.until = state.until; {PAINT}"
FIND = "found({ offsetX: 500, offsetY: 300 });"


def tables() -> dict[str, pd.DataFrame]:
    """Runs that leave ignorance for the truth, each by its own way."""
    rng = np.random.default_rng(0)
    time = np.arange(CHECKPOINTS)
    parts = []
    for run in range(RUNS):
        progress = 1 - np.exp(-time / 12 * (1 + 0.2 * rng.random()))
        network, side = NETWORKS[run % 5], rng.normal(size=2)
        parts.append(pd.DataFrame({
            "split": "train", "configuration": f"{network}-{run // 3}", "network": network,
            "optimiser": "SGD", "augmentation": "none", "seed": run % 3, "checkpoint": time,
            "step": time, "epoch": time, "loss": 2.3 * (1 - progress), "error": 1 - progress,
            "progress": progress, "pc1": progress, "pc2": progress * side[0],
            "pc3": progress * (1 - progress) * side[1],
        }))  # fmt: skip
    stress = pd.DataFrame({"split": "train", "dimension": [1, 2, 3]})
    stress = stress.assign(explained_stress=[0.7, 0.8, 0.9], kind="space-like")
    return {"models": pd.concat(parts, ignore_index=True), "explained_stress": stress}


def main() -> None:
    print(f"\nThe explorer of {RUNS * CHECKPOINTS:,} models in Chromium, 1,300 x 800 pixels")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "explorer.html")
        page.write_text(explorer(tables()))
        report("size of the page", f"{page.stat().st_size / 1e6:.1f} MB")
        browser = Browser(Path(folder, "browser"))
        browser.open(page.as_uri())
        browser.until("cloud && words && words.length > 3")

        def own(work: str, repeat: int) -> float:
            return browser.evaluate(OWN.format(work=work, repeat=repeat))

        for what, work, repeat in [
            ("JavaScript of a picture while it turns", PAINT, 200),
            ("JavaScript of a step of the slider", STEP, 200),
            ("JavaScript to find what the mouse points at", FIND, 100),
        ]:  # fmt: skip
            took = own(work, repeat)
            report(what, f"{took:.2f} ms", "< 8 ms, half a picture", took < FRAME / 2)
        report("to hide a group or run", f"{own('filter();', 50):.2f} ms")
        report("to change split, metric or colour", f"{own('rebuild();', 5):.0f} ms")
        frame = browser.evaluate(PICTURES)
        renderer = browser.evaluate(
            "cloud.gl.getParameter(cloud.gl.getExtension('WEBGL_debug_renderer_info')"
            ".UNMASKED_RENDERER_WEBGL)"
        )
        software = "SwiftShader" in renderer
        report(
            f"pictures per second ({'software' if software else 'graphics processor'})",
            f"{1000 / frame:.0f}", *(() if software else ("> 55", 1000 / frame > 55)),
        )  # fmt: skip
        browser.close()
    sys.exit(bool(FAILED))


if __name__ == "__main__":
    main()
