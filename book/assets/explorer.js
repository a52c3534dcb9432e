// The explorer of chapter 9. Everything that it shows was computed by ntk_helpers and stands in `data`; the
// script looks up the grid point that the controls name and draws it as SVG. It needs no library, kernel or network.
(function explorer(id, data, tries) {
  "use strict";
  const root = document.getElementById(id);
  if (!root) {  // JupyterLab runs the script of an output before the output is on the page
    if (tries) setTimeout(() => explorer(id, data, tries - 1), 100);
    return;
  }
  const SVG = "http://www.w3.org/2000/svg";
  // A white card with dark ink, like the book's figures: it reads the same on light and dark pages.
  const INK = "#262626", GRID = "#dddddd", BLUE = "#0072B2", RED = "#D55E00", GREEN = "#009E73";
  const SIZE = 240, BOX = {left: 40, right: 232, top: 24, bottom: 200};

  function element(parent, name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  // Text with subscripts: "σ_w" as mathematics has it, in SVG or in HTML.
  function subscripted(node, text) {
    text.split(/_(\w)/).forEach((part, i) => {
      const name = i % 2 ? (node.namespaceURI === SVG ? "tspan" : "sub") : null;
      const piece = name ? document.createElementNS(node.namespaceURI, name) : document.createTextNode(part);
      if (name) piece.textContent = part;
      if (name === "tspan") piece.setAttribute("font-size", 8);
      if (name === "tspan") piece.setAttribute("dy", 2);
      node.appendChild(piece);
    });
  }

  function html(parent, name, attributes, text) {
    const node = document.createElement(name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  // A panel with axes. x and y are {low, high, ticks, log, label}; returns what draws into it.
  function panel(parent, name, title) {
    const svg = element(parent, "svg", {viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "data-panel": name,
      style: "flex:1 1 215px;max-width:340px;min-width:0", "font-size": 11, fill: INK,
      "font-family": "DejaVu Sans, Verdana, sans-serif"});
    const label = element(svg, "title", {});
    const clip = element(element(svg, "defs", {}), "clipPath", {id: `${root.id}-${name}`});
    element(clip, "rect", {x: BOX.left - 5, y: BOX.top - 5, width: BOX.right - BOX.left + 10,
      height: BOX.bottom - BOX.top + 10});
    let layer = element(svg, "g", {});
    return function (x, y, words) {
      svg.removeChild(layer);
      layer = element(svg, "g", {});
      label.textContent = words;
      const place = (axis, value, from, to) => {
        const f = axis.log ? Math.log : Number;
        return from + (to - from) * (f(value) - f(axis.low)) / (f(axis.high) - f(axis.low));
      };
      const px = (value) => place(x, value, BOX.left, BOX.right);
      const py = (value) => place(y, value, BOX.bottom, BOX.top);
      subscripted(element(layer, "text", {x: BOX.left, y: 14, "font-weight": "bold"}), title);
      for (const t of x.ticks) {
        element(layer, "path", {d: `M${px(t)} ${BOX.top}V${BOX.bottom}`, stroke: GRID});
        element(layer, "text", {x: px(t), y: BOX.bottom + 14, "text-anchor": "middle"}, x.text ? x.text(t) : t);
      }
      for (const t of y.ticks) {
        element(layer, "path", {d: `M${BOX.left} ${py(t)}H${BOX.right}`, stroke: GRID});
        element(layer, "text", {x: BOX.left - 4, y: py(t) + 4, "text-anchor": "end"}, y.text ? y.text(t) : t);
      }
      const middle = {x: (BOX.left + BOX.right) / 2, y: BOX.bottom + 30, "text-anchor": "middle"};
      subscripted(element(layer, "text", middle), x.label);
      const side = {transform: `rotate(-90) translate(${-(BOX.top + BOX.bottom) / 2} 10)`, "text-anchor": "middle"};
      subscripted(element(layer, "text", side), y.label);
      const inside = element(layer, "g", {"clip-path": `url(#${root.id}-${name})`});
      return {
        line(points, attributes) {
          const d = points.filter((p) => p[1] !== null)
            .map((p, i) => `${i ? "L" : "M"}${px(p[0]).toFixed(1)} ${py(p[1]).toFixed(1)}`).join("");
          element(inside, "path", Object.assign({d, fill: "none", "stroke-width": 2}, attributes));
        },
        dot(a, b, colour, filled) {
          element(inside, "circle", {cx: px(a).toFixed(1), cy: py(b).toFixed(1), r: 4.5, stroke: colour,
            "stroke-width": 2, fill: filled ? colour : "#ffffff"});
        },
        text(a, b, words, colour, anchor) {
          element(inside, "text", {x: px(a), y: py(b), fill: colour, "text-anchor": anchor || "start"}, words);
        },
      };
    };
  }

  root.textContent = "";
  root.setAttribute("style", "background:#ffffff;color:" + INK + ";border:1px solid #bbbbbb;border-radius:6px;" +
    "color-scheme:light;padding:10px;max-width:1040px;font:14px/1.5 DejaVu Sans,Verdana,sans-serif");
  const controls = html(root, "div", {style: "display:flex;flex-wrap:wrap;gap:4px 18px;align-items:center"});
  function control(name, words, kind, attributes) {
    const label = html(controls, "label", {style: "display:flex;align-items:center;gap:6px;color:" + INK});
    subscripted(html(label, "span", {}), words);
    const input = html(label, kind, Object.assign({name, style: "accent-color:" + BLUE}, attributes));
    const shown = html(label, "output", {style: "min-width:3.2em;color:" + INK});
    return {input, shown};
  }
  const choice = control("activation", "activation", "select", {style: "color:" + INK + ";background:#ffffff"});
  data.activations.forEach((a, i) => html(choice.input, "option", {value: i}, a.name));
  const width = control("sigma_w", "σ_w", "input",
    {type: "range", min: 0, max: data.sigma_w.length - 1, step: 1, value: data.start[0]});
  const bias = control("sigma_b", "σ_b", "input",
    {type: "range", min: 0, max: data.sigma_b.length - 1, step: 1, value: data.start[1]});
  const edge = control("edge", "σ_w on the edge of chaos", "input", {type: "checkbox"});
  const words = html(root, "p", {role: "status", "aria-live": "polite", style: "margin:8px 0;color:" + INK});
  const panels = html(root, "div", {style: "display:flex;flex-wrap:wrap;gap:6px"});
  const plane = panel(panels, "plane", "edge of chaos");
  const map = panel(panels, "map", "correlation map");
  const kernel = panel(panels, "kernel", "tangent kernel");

  // A grid point: chi_1, phase, q, c, slope, then the map and the two kernels at the depths.
  function unpack(numbers) {
    const [chi, phase, q, c, slope] = numbers, map = 5 + data.c.length, half = map + data.depths.length;
    return {chi, phase: ["ordered", "critical", "chaotic"][phase], q, c, slope, map: numbers.slice(5, map),
      diagonal: numbers.slice(map, half), off: numbers.slice(half)};
  }

  function draw() {
    const a = data.activations[choice.input.value], b = Number(bias.input.value);
    const onEdge = a.edge[b];
    edge.input.disabled = onEdge === null;
    edge.shown.textContent = onEdge === null ? "there is none" : "";
    const critical = edge.input.checked && onEdge !== null;
    width.input.disabled = critical;
    const w = critical ? data.sigma_w.length : Number(width.input.value);
    const sigma_w = critical ? onEdge : data.sigma_w[w], sigma_b = data.sigma_b[b];
    const p = unpack(a.points[b][w]);
    width.shown.textContent = sigma_w;
    bias.shown.textContent = sigma_b;
    width.input.setAttribute("aria-valuetext", sigma_w);
    bias.input.setAttribute("aria-valuetext", sigma_b);
    const colour = {ordered: BLUE, critical: GREEN, chaotic: RED}[p.phase];
    const pace = p.slope > 0.9999 ? "more slowly than any exponential"
      : `over ξ_c = ${(-1 / Math.log(p.slope)).toPrecision(3)} layers`;
    words.innerHTML = "";
    const heading = p.q === null ? "the variance grows beyond bounds"
      : p.phase === "critical" ? "edge of chaos" : p.phase + " phase";
    html(words, "b", {style: "color:" + colour}, heading);
    subscripted(html(words, "span", {}),
      (p.q === null ? `: far out χ₁ = ${p.chi}; ` : `: χ₁ = ${p.chi}; variance q = ${p.q}; `) +
      (p.c === null ? "the network becomes linear and keeps every correlation"
        : `correlations tend to c = ${p.c}, ${pace}`));

    const far = a.curve.length ? Math.max(3, Math.ceil(a.curve[0][0] + 2)) : 3;
    const ticks = far > 4 ? [0, 3, 6, 9, 12] : [0, 1, 2, 3];
    const first = plane({low: 0, high: far + 0.1, ticks, label: "σ_w"},
      {low: 0, high: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], label: "σ_b"}, `σ_w = ${sigma_w}, σ_b = ${sigma_b}: ${p.phase}`);
    first.line(a.curve, {stroke: INK});
    if (a.curve.length) first.text(0.06 * far, 0.93, "ordered", BLUE);
    if (a.curve.length) first.text(far, 0.04, "chaotic", RED, "end");
    first.dot(sigma_w, sigma_b, colour, true);

    const second = map({low: -1, high: 1, ticks: [-1, -0.5, 0, 0.5, 1], label: "c"},
      {low: -1, high: 1, ticks: [-1, -0.5, 0, 0.5, 1], label: "f(c)"}, `correlation map, limit c = ${p.c}`);
    second.line([[-1, -1], [1, 1]], {stroke: INK, "stroke-width": 1, "stroke-dasharray": "4 3"});
    second.line(data.c.map((c, i) => [c, p.map[i] / 1e4]), {stroke: colour, "data-curve": "map"});
    if (p.map[0] === -10000) second.dot(-1, -1, colour, false);
    second.dot(1, 1, colour, p.c === 1);
    if (p.c !== null && p.c < 1) second.dot(p.c, p.c, colour, true);

    const powers = {"0.01": "10⁻²", "0.1": "0.1", "1": "1", "10": "10", "100": "10²", "1000": "10³"};
    const third = kernel({low: 1, high: 64, log: true, ticks: [1, 4, 16, 64], label: "depth L"},
      {low: 0.01, high: 1000, log: true, ticks: [0.01, 0.1, 1, 10, 100, 1000], text: (t) => powers[t], label: "Θ / (L q)"},
      "normalised tangent kernel against depth, for equal and for different inputs");
    third.line(data.depths.map((l, i) => [l, p.diagonal[i]]), {stroke: colour, "data-curve": "diagonal"});
    third.line(data.depths.map((l, i) => [l, p.off[i]]),
      {stroke: colour, "stroke-dasharray": "5 3", "data-curve": "off"});
    third.text(1.15, 550, "— equal inputs", INK);
    third.text(1.15, 250, "- - c = 1/2 at first", INK);
  }
  controls.addEventListener("input", draw);
  draw();
})
