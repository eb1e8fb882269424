// The samples that set a model apart, as cards; nothing of a page is used before showApart.
"use strict";

// One card per sample of model i on a split: its number, label, what the model predicts, its share
// of the distance in percent, and the place of its picture, if it has one.
function apartCards(data, split, i) {
  const of = data.apart[split];
  return Array.from({ length: of.count }, (_, k) => {
    const j = i * of.count + k, place = of.place[j];
    const card = { sample: of.samples[place], share: of.share[j],
      predicted: of.classes[of.predicted[j]] };
    if (of.labels) card.label = of.classes[of.labels[place]];
    if (of.pictures && place in of.pictures.place) {
      const p = of.pictures.place[place];
      card.picture = [p % of.pictures.row, Math.floor(p / of.pictures.row)];
    }
    return card;
  });
}

function apartTitle(data, split, i) {
  const of = data.apart[split];
  return `${of.distance[i].toPrecision(3)} nats from ${of.reference}; most of it on`;
}

const ACROSS = 56; // pixels on the screen

function showApart(data, split, i, name, element) {
  const of = data.apart[split];
  const title = document.createElement("p");
  title.textContent = `${name}: ${apartTitle(data, split, i)}`;
  const cards = apartCards(data, split, i).map((card) => {
    const figure = document.createElement("figure");
    if (card.picture) {
      const picture = document.createElement("div"), [x, y] = card.picture;
      picture.className = "picture";
      picture.style.backgroundImage = `url(${of.pictures.address})`;
      picture.style.backgroundSize = `${ACROSS * Math.min(of.pictures.row,
        Object.keys(of.pictures.place).length)}px auto`;
      picture.style.backgroundPosition = `${-ACROSS * x}px ${-ACROSS * y}px`;
      figure.append(picture);
    }
    const words = document.createElement("figcaption");
    const known = card.label === undefined ? "" : `${card.label}, `;
    words.textContent = `${card.share}%: sample ${card.sample} (${known}predicted ` +
      `${card.predicted})`;
    figure.append(words);
    return figure;
  });
  const row = document.createElement("div");
  row.className = "cards";
  row.append(...cards);
  element.replaceChildren(title, row);
}
