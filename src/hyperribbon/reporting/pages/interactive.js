// What the pages with a plotly figure share.
"use strict";

const ELEMENT = "explorer";

function pageData() {
  return JSON.parse(document.getElementById("data").textContent);
}

// Text from its gzip, in base64.
async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

// Start the page; what hinders it is said in its place.
async function orSay(start) {
  try {
    await start();
  } catch (error) {
    document.getElementById(ELEMENT).textContent =
      `This page needs a browser of 2023 or later with JavaScript and WebGL: ${error.message}`;
    throw error;
  }
}

// Start the page when plotly is there: the page holds it compressed, at under half its size.
function withPlotly(start) {
  return orSay(async () => {
    const script = document.createElement("script");
    script.textContent = await unpacked(document.getElementById("plotly").textContent);
    document.head.append(script);
    start();
  });
}

// Put what is chosen into the address, so that it can be shared; a page within another has none.
function remember(chosen) {
  if (location.protocol === "about:") return;
  history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
}

function asked() {
  return new URLSearchParams(location.hash.slice(1));
}
