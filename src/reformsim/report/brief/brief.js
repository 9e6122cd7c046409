"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  let language = "zh";
  const redraws = [];
  const say = (pair) => pair[language === "zh" ? 0 : 1];

  function make(parent, name, attributes, text) {
    const inside = parent.namespaceURI === SVG || name === "svg";
    const node = inside ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const key in attributes || {}) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  function clear(node) {
    while (node.firstChild) node.removeChild(node.firstChild);
  }

  function figure(value) {
    const size = Math.abs(value);
    const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4;
    return value.toFixed(digits).replace("-", "−");
  }

  /* Round steps for an axis: 1, 2 or 5 times a power of ten. */
  function ticks(low, high, count) {
    const raw = (high - low) / count, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = power * [1, 2, 5, 10].find((x) => x * power >= raw);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
      found.push(Number((i * step).toPrecision(12)));
    }
    return found;
  }

  function tick(value) {
    return String(value).replace("-", "−");
  }

  const SHAPES = {
    better: "M0-5 5 4-5 4Z", worse: "M0 5 5-4-5-4Z", higher: "M5 0-4 5-4-5Z", lower: "M-5 0 4 5 4-5Z",
    unclear: "M4 0A4 4 0 1 1-4 0 4 4 0 1 1 4 0Z", same: "M-4-4H4V4H-4Z",
    "one run": "M-4-4 4 4M4-4-4 4", reference: "M4 0A4 4 0 1 1-4 0 4 4 0 1 1 4 0Z",
  };

  function mark(svg, x, y, verdict) {
    const colour = data.colours[verdict];
    make(svg, "path", { d: SHAPES[verdict], transform: `translate(${x} ${y})`, fill: colour,
      stroke: colour, "stroke-width": verdict === "one run" ? 2 : 0 });
  }

  // ------------------------------------------------------------------ estimates with intervals

  const WIDE = 300, HIGH = 26;

  function forest(root, told) {
    const selects = Array.from(root.querySelectorAll("select"));
    const head = root.querySelector("thead"), body = root.querySelector("tbody");
    const readout = root.querySelector(".readout");
    let chosen = 0;

    /* Symmetric about "no difference"; in percent of something no further than 100. */
    function reach(rows) {
      const percent = say(told.axis[""] || ["", ""]).indexOf("%") >= 0;
      let most = 0;
      rows.forEach((row) => row.slice(1, 4).forEach((x) => {
        if (x !== null) most = Math.max(most, Math.abs(x - told.zero));
      }));
      return (percent ? Math.min(most, 100) : most) || 1;
    }

    function axis(svg, far, x) {
      ticks(told.zero - far, told.zero + far, 6).forEach((value) => {
        make(svg, "line", { x1: x(value), x2: x(value), y1: HIGH - 5, y2: HIGH, stroke: "#767676" });
        make(svg, "text", { x: x(value), y: HIGH - 8, "text-anchor": "middle" }, tick(value));
      });
    }

    function bar(cell, row, far, x) {
      const svg = make(cell, "svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, "aria-hidden": "true" });
      make(svg, "line", { x1: x(told.zero), x2: x(told.zero), y1: 0, y2: HIGH, stroke: "#1a1a1a" });
      const [, value, low, high, verdict] = row, colour = data.colours[verdict];
      if (value === null) return;
      const inside = (v) => Math.max(told.zero - far, Math.min(told.zero + far, v));
      if (low !== null && high !== null) {
        make(svg, "line", { x1: x(inside(low)), x2: x(inside(high)), y1: HIGH / 2, y2: HIGH / 2,
          stroke: colour, "stroke-width": 2.5 });
        if (high > told.zero + far) arrowhead(svg, x(told.zero + far), 1, colour);
        if (low < told.zero - far) arrowhead(svg, x(told.zero - far), -1, colour);
      }
      if (value === inside(value)) mark(svg, x(value), HIGH / 2, verdict);
      else arrowhead(svg, x(inside(value)), value > 0 ? 1 : -1, colour);
    }

    function arrowhead(svg, x, way, colour) {
      make(svg, "path", { d: `M${x + 7 * way} ${HIGH / 2}l${-7 * way}-5v10Z`, fill: colour });
    }

    function choose(rows, index) {
      chosen = index;
      Array.from(body.rows).forEach((tr, i) => tr.classList.toggle("chosen", i === index));
      readout.textContent = rows[index] ? say(rows[index][5]) : "";
    }

    function draw() {
      const key = selects.map((select) => select.value).join("|");
      const rows = told.rows[key] || [];
      clear(head);
      clear(body);
      if (!rows.length) {
        readout.textContent = say(data.words.nothing);
        return;
      }
      const far = reach(rows);
      const x = (value) => 12 + ((value - told.zero + far) / (2 * far)) * (WIDE - 24);
      const line = make(head, "tr");
      make(line, "td");
      const last = told.columns.length - 1;
      told.columns.forEach((column, i) => {
        if (i === last) {
          const cell = make(line, "th", { scope: "col", class: "bar" });
          make(cell, "span", {}, say(told.axis[key] || told.axis[""] || ["", ""]));
          axis(make(cell, "svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, "aria-hidden": "true" }), far, x);
        }
        make(line, "th", { scope: "col", class: i < last ? "figure extra" : "figure" },
          told.columns.length === 3 && i < 2 ? name(i) : say(column));
      });
      rows.forEach((row, index) => {
        const tr = make(body, "tr");
        const button = make(make(tr, "th", { scope: "row" }), "button",
          { type: "button", class: "row-name" }, say(row[0]));
        row[6].forEach((cell, i) => {
          if (i === last) bar(make(tr, "td", { class: "bar" }), row, far, x);
          make(tr, "td", { class: i < last ? "figure extra" : "figure" }, say(cell));
        });
        ["focus", "click"].forEach((event) => button.addEventListener(event, () => choose(rows, index)));
        tr.addEventListener("mouseenter", () => choose(rows, index));
      });
      choose(rows, Math.min(chosen, rows.length - 1));
    }

    /* The scenario of a column: the one compared with, then the one chosen. */
    function name(column) {
      const select = selects[selects.length === 2 ? 1 - column : 0];
      return selects.length === 2 ? select.selectedOptions[0].textContent : say(told.columns[column]);
    }

    selects.forEach((select) => select.addEventListener("change", draw));
    redraws.push(draw);
  }

  // ------------------------------------------------------------------------------------ curves

  function curves(root, told) {
    const svg = root.querySelector(".plot"), readout = root.querySelector(".readout");
    const select = root.querySelector("select"), range = root.querySelector("input[type=range]");
    const boxes = Array.from(root.querySelectorAll("input[type=checkbox]"));
    const W = 900, H = 340, LEFT = 62, RIGHT = 14, TOP = 26, BOTTOM = 44;
    const style = (i) => data.lines[i % data.lines.length];

    boxes.forEach((box, i) => {
      const key = box.parentNode.querySelector("svg");
      make(key, "line", { x1: 0, x2: 30, y1: 4, y2: 4, stroke: style(i)[0],
        "stroke-dasharray": style(i)[1], "stroke-width": 3 });
      box.addEventListener("change", draw);
    });
    [select, range].forEach((control) => control.addEventListener("input", draw));
    svg.addEventListener("mousemove", (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * W;
      const year = told.years[0] + ((at - LEFT) / (W - LEFT - RIGHT)) * spread();
      let best = 0;
      told.years.forEach((y, i) => {
        if (Math.abs(y - year) < Math.abs(told.years[best] - year)) best = i;
      });
      if (range.value !== String(best)) {
        range.value = best;
        draw();
      }
    });

    function spread() {
      return told.years[told.years.length - 1] - told.years[0] || 1;
    }

    function draw() {
      const bands = told.bands[select.value] || {};
      const shown = told.scenarios.map((s, i) => [s, i]).filter(
        ([s, i]) => boxes[i].checked && bands[s[0]]);
      clear(svg);
      svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
      let low = Infinity, high = -Infinity;
      shown.forEach(([s]) => bands[s[0]].forEach((row) => row.forEach((v) => {
        if (v !== null) {
          low = Math.min(low, v);
          high = Math.max(high, v);
        }
      })));
      if (!isFinite(low)) {
        readout.textContent = say(data.words.nothing);
        return;
      }
      if (high === low) high = low + (Math.abs(low) || 1) * 0.1;
      const x = (year) => LEFT + ((year - told.years[0]) / spread()) * (W - LEFT - RIGHT);
      const y = (value) => H - BOTTOM - ((value - low) / (high - low)) * (H - TOP - BOTTOM);
      ticks(low, high, 5).forEach((value) => {
        make(svg, "line", { x1: LEFT, x2: W - RIGHT, y1: y(value), y2: y(value), stroke: "#e5e5e5" });
        make(svg, "text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, tick(value));
      });
      ticks(told.years[0], told.years[told.years.length - 1], 8).forEach((year) => {
        make(svg, "text", { x: x(year), y: H - BOTTOM + 18, "text-anchor": "middle" }, tick(year));
      });
      make(svg, "line", { x1: LEFT, x2: W - RIGHT, y1: H - BOTTOM, y2: H - BOTTOM, stroke: "#767676" });
      make(svg, "text", { x: (LEFT + W) / 2, y: H - 6, "text-anchor": "middle" }, say(data.words.years));
      make(svg, "text", { x: 4, y: 14 }, say(told.axis[select.value] || ["", ""]));
      told.steps.forEach((year) => make(svg, "line", { x1: x(year), x2: x(year), y1: TOP,
        y2: H - BOTTOM, stroke: "#8a8a8a", "stroke-dasharray": "2 3" }));
      shown.forEach(([s, i]) => {
        const [mean, below, above] = bands[s[0]], [colour, dashes] = style(i);
        const path = (row) => points(row).map((p) => `${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`);
        const edge = path(above).concat(path(below).reverse());
        if (points(below).length) make(svg, "path", { d: `M${edge.join("L")}Z`, fill: colour, opacity: 0.15 });
        if (points(mean).length) make(svg, "path", { d: `M${path(mean).join("L")}`, fill: "none", stroke: colour,
          "stroke-width": 2.2, "stroke-dasharray": dashes });
      });
      read(shown, bands, x);
    }

    function points(row) {
      return row.map((v, i) => [told.years[i], v]).filter((p) => p[1] !== null);
    }

    function read(shown, bands, x) {
      const at = Number(range.value), year = told.years[at];
      make(svg, "line", { x1: x(year), x2: x(year), y1: TOP, y2: H - BOTTOM, stroke: "#1a1a1a" });
      const zh = language === "zh", colon = zh ? "：" : ": ";
      const parts = shown.map(([s]) => {
        const [mean, below, above] = bands[s[0]].map((row) => row[at]);
        const name = s[zh ? 1 : 2] + colon;
        if (mean === null) return `${name}–`;
        return below === null ? `${name}${figure(mean)}`
          : `${name}${figure(mean)} [${figure(below)}, ${figure(above)}]`;
      });
      const values = parts.join(zh ? "；" : "; ");
      readout.textContent = `${say(data.words.year)} ${year.toFixed(1)}${colon}${values}`;
      range.setAttribute("aria-valuetext", readout.textContent);
    }

    redraws.push(draw);
  }

  // ---------------------------------------------------------------------------------- language

  function speak(chosen) {
    language = chosen;
    const root = document.documentElement;
    root.className = `is-${chosen}`;
    root.lang = chosen === "zh" ? "zh-CN" : "en";
    document.title = say(data.title);
    document.querySelectorAll("option").forEach((option) => {
      option.textContent = option.getAttribute(`data-${chosen}`);
    });
    document.querySelectorAll("[data-language]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
    });
    redraw();
  }

  function redraw() {
    redraws.forEach((draw) => draw());
  }

  document.querySelectorAll("[data-language]").forEach((button) => {
    button.addEventListener("click", () => {
      speak(button.dataset.language);
      if (data.keeps) localStorage.setItem("language", language);
    });
  });
  data.forests.forEach((told) => forest(document.getElementById(told.id), told));
  if (data.curves) curves(document.getElementById("curves"), data.curves);
  window.brief = { data, say, make, clear, figure, redraws, redraw };
  speak((data.keeps && localStorage.getItem("language")) || "zh");
})();
