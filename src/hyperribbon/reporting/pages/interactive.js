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

// Start the page when plotly is there: the page, or the one that it is part of, holds it
// compressed, at under half its size.
async function withPlotly(start) {
  try {
    const packed = document.getElementById("plotly").textContent ||
      parent.document.getElementById("plotly").textContent;
    const script = document.createElement("script");
    script.textContent = await unpacked(packed);
    document.head.append(script);
    start();
  } catch (error) {
    document.getElementById(ELEMENT).textContent =
      `This page needs a browser of 2023 or later with JavaScript and WebGL: ${error.message}`;
    throw error;
  }
}

// Put what is chosen into the address, so that it can be shared; a page within another has none.
function remember(chosen) {
  if (location.protocol === "about:") return;
  history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
}

function asked() {
  return new URLSearchParams(location.hash.slice(1));
}
