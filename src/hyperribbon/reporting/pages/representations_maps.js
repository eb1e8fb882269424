// The page of the maps of representations: what is chosen, and drawing it.
"use strict";

const data = pageData();
const chosen = { map: 0, moment: 0 };
const inputs = { map: document.getElementById("map"), moment: document.getElementById("moment") };
const play = document.getElementById("play");
let timer = null;

data.maps.forEach(({ name }, k) => {
  const option = document.createElement("option");
  option.value = k;
  option.textContent = name;
  inputs.map.append(option);
});

function last() {
  return data.maps[chosen.map].moments.length - 1;
}

function draw() {
  const map = data.maps[chosen.map], moment = map.moments[chosen.moment];
  inputs.map.value = chosen.map;
  inputs.moment.max = last();
  inputs.moment.value = chosen.moment;
  document.getElementById("moment-value").textContent = moment.epoch.toLocaleString("en");
  const page = document.getElementById(ELEMENT);
  page.style.minHeight = `${places(page.clientWidth).height}px`;
  const at = places(page.clientWidth); // narrower than before if there is now a bar to scroll
  const { traces, layout } = mapFigure(map, moment, at);
  return Plotly.react(ELEMENT, traces, layout, { responsive: true, displaylogo: false });
}

function choose(changes) {
  Object.assign(chosen, changes);
  chosen.moment = Math.min(chosen.moment, last());
  remember(chosen);
  draw();
}

function read() {
  const hash = asked();
  const within = (name, most) => {
    const value = Number(hash.get(name));
    return hash.has(name) && Number.isInteger(value) && value >= 0 && value <= most;
  };
  if (within("map", data.maps.length - 1)) chosen.map = Number(hash.get("map"));
  chosen.moment = within("moment", last()) ? Number(hash.get("moment")) : last();
  draw();
}

function stop() {
  clearInterval(timer);
  timer = null;
  play.textContent = "Play";
}

withPlotly(() => {
  inputs.map.addEventListener("change", () => choose({ map: Number(inputs.map.value) }));
  inputs.moment.addEventListener("input", () => {
    stop();
    choose({ moment: Number(inputs.moment.value) });
  });
  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    play.textContent = "Stop";
    timer = setInterval(() => choose({ moment: (chosen.moment + 1) % (last() + 1) }), 700);
    return undefined;
  });
  window.addEventListener("hashchange", read);
  window.addEventListener("resize", draw);
  read();
});
