"use strict";
(function () {
  const { data, say, make, clear, figure, redraws } = window.brief;
  const told = data.map, root = document.getElementById("map");
  const svg = root.querySelector(".map-plot"), readout = root.querySelector(".readout");
  const [outcome, view] = root.querySelectorAll("select");
  const [head, body] = [root.querySelector("thead"), root.querySelector("tbody")];
  const [width, height] = told.box;
  let chosen = 0;

  svg.setAttribute("viewBox", `${-width * 0.01} ${-height * 0.01} ${width * 1.02} ${height * 1.02}`);
  const shapes = told.paths.map((path, i) => {
    const shape = make(svg, "path", { d: path, stroke: "#444", "stroke-width": 0.7 });
    ["mouseenter", "click"].forEach((event) => shape.addEventListener(event, () => {
      chosen = i;
      read();
    }));
    return shape;
  });
  told.districts.forEach((path) => make(svg, "path", { d: path, fill: "none", stroke: "#1a1a1a",
    "stroke-width": 1.2, "stroke-dasharray": "4 3", "pointer-events": "none" }));

  const values = (scenario) => (told.values[outcome.value] || {})[scenario] || [];

  /* What is shown, a number each subdistrict: a scenario, or its change on the first. */
  function shown() {
    const name = view.value.slice(2), there = values(name);
    if (view.value[0] !== "-") return there;
    const base = values(told.scenarios[0][0]);
    return there.map((v, i) => (v === null || base[i] === null || base[i] === undefined ? null : v - base[i]));
  }

  function mixed(colours, share) {
    const at = Math.max(0, Math.min(0.9999, share)) * (colours.length - 1), i = Math.floor(at);
    const part = (hex, k) => parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
    const mix = [0, 1, 2].map((k) => Math.round(
      part(colours[i], k) + (at - i) * (part(colours[i + 1], k) - part(colours[i], k))));
    return `rgb(${mix.join(",")})`;
  }

  function limits(row, change) {
    const there = row.filter((v) => v !== null);
    if (change) {
      const far = Math.max(...there.map(Math.abs)) || 1;
      return [-far, far];
    }
    const [low, high] = [Math.min(...there), Math.max(...there)];
    return high > low ? [low, high] : [low - 0.5, low + 0.5];
  }

  function draw() {
    const row = shown(), change = view.value[0] === "-";
    const colours = told.colours[change ? "change" : "level"];
    const some = row.some((v) => v !== null);
    const [low, high] = some ? limits(row, change) : [0, 1];
    shapes.forEach((shape, i) => {
      const v = row[i];
      const known = v !== null && v !== undefined;
      shape.setAttribute("fill", known ? mixed(colours, (v - low) / (high - low)) : "#f4f4f4");
    });
    const scale = root.querySelector(".scale");
    scale.hidden = !some;
    scale.querySelector(".low").textContent = figure(low);
    scale.querySelector(".high").textContent = figure(high);
    scale.querySelector(".colours").style.background = `linear-gradient(to right, ${colours.join(",")})`;
    const named = told.outcomes.find((o) => o[0] === outcome.value);
    scale.querySelector(".unit").textContent = say(named.slice(3));
    table();
    read();
  }

  function table() {
    clear(head);
    clear(body);
    const line = make(head, "tr");
    make(line, "th", { scope: "col" }, say(["街道（乡镇）", "Subdistrict or town"]));
    told.scenarios.forEach((s) => make(line, "th", { scope: "col", class: "figure" }, say(s.slice(1))));
    told.names.forEach((name, i) => {
      const tr = make(body, "tr");
      make(tr, "th", { scope: "row" }, say(name));
      told.scenarios.forEach((s) => make(tr, "td", { class: "figure" }, written(values(s[0])[i])));
    });
  }

  const written = (v) => (v === null || v === undefined ? "–" : figure(v));

  function read() {
    const parts = told.scenarios.map((s) => `${say(s.slice(1))}: ${written(values(s[0])[chosen])}`);
    readout.textContent = `${say(told.names[chosen])} — ${parts.join("; ")}`;
  }

  [outcome, view].forEach((select) => select.addEventListener("change", draw));
  redraws.push(draw);
  draw();
})();
