"""The page in a browser, beside a training that records."""

import threading

import pytest

from hyperribbon.watching.server import Server


@pytest.mark.parametrize("width", [400, 1300])
def test_models_come_into_the_picture_and_can_be_asked_about(
    recorder, network, watched, browser, width
):
    recorders = [recorder(f"net-{seed}", seed=seed) for seed in range(2)]
    watcher, _ = watched()

    def train(step: int) -> None:
        for seed, rec in enumerate(recorders):
            rec.checkpoint(network(step, seed=seed), step)
        watcher.look()

    for step in range(4):
        train(step)
    with Server(watcher.view.read) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.said.clear()
        browser.open(server.address, width, 900)
        browser.until("count(state) === 8 && scene && scene.models === 8")
        train(4)
        browser.until("scene.models === 10")
        pixels = "new Uint8Array(4 * canvas.width * canvas.height)"
        drawn = browser.evaluate(f"""(() => {{
            const pixels = {pixels}, gl = cloud.gl;
            cloud.draw(new Float32Array(matrix()), behind(from));
            gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
            return pixels.filter((_, k) => k % 4 === 0 && pixels[k] === 0 && pixels[k + 1] === 114)
              .length;
        }})()""")
        assert drawn > 20  # in the colour of the first training

        x, y = browser.place_of(9)
        browser.mouse("mouseMoved", x, y)
        browser.until("element('pointed').textContent !== ''")
        assert "step" in browser.evaluate("element('pointed').textContent")
        browser.evaluate("canvas.focus()")
        browser.key("ArrowRight")
        browser.evaluate("document.querySelector('#trainings input').click()")
        hash_ = browser.evaluate("location.hash")
        assert "yaw=" in hash_
        assert "hide=net-0" in hash_
        browser.until(
            "[...Array(scene.models).keys()].filter((k) => scene.look[2 * k + 1]).length === 5"
        )
        assert browser.evaluate("document.body.scrollWidth") <= width
        wanted = [event for event in browser.problems() if not str(event).startswith("http://127")]
        assert wanted == []
        for offline in (True, False):  # the watcher is gone, and is there again
            browser.call(
                "Network.emulateNetworkConditions", offline=offline, latency=0,
                downloadThroughput=-1, uploadThroughput=-1,
            )  # fmt: skip
            browser.until(
                f"element('status').classList.contains('lost') === {str(offline).lower()}"
            )
            words = browser.evaluate("element('status').textContent")
            assert ("Not connected" in words) == offline
        server.shutdown()
