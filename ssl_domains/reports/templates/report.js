"use strict";
(function () {
  const tip = document.getElementById("tip");
  const show = (nodes, event) => {
    tip.replaceChildren(...nodes);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const x = event.clientX + 16, y = event.clientY + 16;
    tip.style.left = Math.max(4, x + box.width > innerWidth ? event.clientX - box.width - 12 : x) + "px";
    tip.style.top = Math.max(4, y + box.height > innerHeight ? event.clientY - box.height - 12 : y) + "px";
  };
  const hide = () => { tip.hidden = true; };
  const element = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const drawn = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const short = (value) => Number(value.toPrecision(4)).toLocaleString("en");

  // Curves: the measurement nearest to the pointer, for every line.
  for (const chart of document.querySelectorAll("svg.chart")) {
    const series = JSON.parse(chart.dataset.series);
    const over = drawn("g", {});
    chart.append(over);
    chart.addEventListener("pointermove", (event) => {
      const x = (event.clientX - chart.getBoundingClientRect().left) * chart.viewBox.baseVal.width / chart.clientWidth;
      const near = series.map((one) => one.points.reduce((a, b) => Math.abs(b[2] - x) < Math.abs(a[2] - x) ? b : a));
      const line = drawn("line", { class: "cursor", x1: near[0][2], x2: near[0][2], y1: 8, y2: chart.viewBox.baseVal.height - 22 });
      over.replaceChildren(line, ...near.map((p, i) => drawn("circle", { class: "mark c" + i, cx: p[2], cy: p[3], r: 4 })));
      const rows = near.map((p, i) => element("span", "row", series[i].name + ": " + short(p[1])));
      show([element("b", "", "step " + near[0][0].toLocaleString("en")), ...rows], event);
    });
    chart.addEventListener("pointerleave", () => { over.replaceChildren(); hide(); });
  }

  // Map: colour by a column; thumbnail, sample and values of the point under the pointer.
  const embedded = document.getElementById("map-data");
  if (!embedded) return;
  const data = JSON.parse(embedded.textContent);
  const points = Array.from(document.querySelectorAll("#points circle"));
  const select = document.getElementById("colour");
  for (const thumb of document.querySelectorAll(".thumb[data-i]")) {
    thumb.dataset.was = data.colourings[0].classes[Number(thumb.dataset.i)];
  }
  const colour = () => {
    const chosen = data.colourings[Number(select.value)];
    points.forEach((point, i) => point.setAttribute("class", chosen.classes[i]));
    for (const thumb of document.querySelectorAll(".thumb[data-i]")) {
      thumb.classList.remove(thumb.dataset.was);
      thumb.dataset.was = chosen.classes[Number(thumb.dataset.i)];
      thumb.classList.add(thumb.dataset.was);
    }
    document.getElementById("legend").replaceChildren(...chosen.legend.map(([name, text]) => {
      const entry = element("span", chosen.numeric && name !== "cx" ? "ramp" : "");
      entry.append(element("i", "key " + name), text);
      return entry;
    }));
  };
  select.addEventListener("change", colour);
  if (select.value !== "0") colour();
  const svg = document.getElementById("points");
  const places = points.map((point) => [point.cx.baseVal.value, point.cy.baseVal.value]);
  let on = -1;
  const leave = () => {
    if (on >= 0) points[on].classList.remove("on");
    on = -1;
    hide();
  };
  // The nearest point, not the one on top: points overlap.
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = -1, least = 14 * 14;
    places.forEach(([px, py], i) => {
      const far = (px - x) * (px - x) + (py - y) * (py - y);
      if (far < least) { best = i; least = far; }
    });
    if (best !== on) leave();
    if (best < 0) return;
    on = best;
    points[on].classList.add("on");
    const thumb = element("span", "thumb");
    const across = on % data.columns, down = Math.floor(on / data.columns);
    thumb.style.backgroundPosition = `-${across * data.edge}px -${down * data.edge}px`;
    const rows = data.colourings.filter((one) => one.texts[on]);
    show([thumb, element("b", "", data.samples[on]),
      ...rows.map((one) => element("span", "row", one.column + ": " + one.texts[on]))], event);
  });
  svg.addEventListener("pointerleave", leave);
})();
