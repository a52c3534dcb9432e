// What the explorers share: controls, panels with axes, and the spoken read-out. No library, no network.
// An explorer is a function `numbers` of its controls, and a function that draws the numbers.
"use strict";

const ntkExplorers = {};

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const SIZE = {width: 360, height: 280}, BOX = {left: 50, right: 350, top: 12, bottom: 236};

  function node(parent, name, attributes = {}, text = undefined) {
    const inSvg = name === "svg" || parent.namespaceURI === SVG;
    const made = inSvg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) write(made, text);
    parent.appendChild(made);
    return made;
  }

  // Text with subscripts: "σ_w" as mathematics has it, in SVG or in HTML.
  function write(parent, text) {
    parent.textContent = "";
    String(text).split(/_(\w)/).forEach((part, i) => {
      if (i % 2 === 0) return parent.appendChild(document.createTextNode(part));
      if (parent.namespaceURI !== SVG) return node(parent, "sub", {}, part);
      node(parent, "tspan", {"font-size": "75%", dy: 3}, part);
      return node(parent, "tspan", {dy: -3}, "\u200b");
    });
  }

  function decades(axis) {
    const low = Math.round(Math.log10(axis.low)), high = Math.round(Math.log10(axis.high));
    const step = Math.ceil((high - low) / 6);
    return Array.from({length: Math.floor((high - low) / step) + 1}, (_, i) => low + i * step)
      .map((power) => ({at: 10 ** power, label: power === 0 ? "1" : power === 1 ? "10" : `10${superscript(power)}`}));
  }

  function superscript(power) {
    return String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
  }

  function steps(axis) {
    const rough = (axis.high - axis.low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((value) => value >= rough);
    const from = Math.ceil(axis.low / step - 1e-9), to = Math.floor(axis.high / step + 1e-9);
    return Array.from({length: to - from + 1}, (_, i) => (from + i) * step)
      .map((value) => ({at: value, label: String(+value.toPrecision(6)).replace("-", "−")}));
  }

  // A panel with axes: {label, low, high, log}. `on` clears it and returns what draws into it.
  function panel(parent, id, title) {
    const figure = node(parent, "figure");
    node(figure, "p", {class: "explorer-panel-title"}, title);
    const svg = node(figure, "svg", {viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img"});
    const words = node(svg, "title");
    const clip = node(node(svg, "defs"), "clipPath", {id: `${id}-clip`});
    node(clip, "rect", {x: BOX.left - 5, y: BOX.top - 5, width: BOX.right - BOX.left + 10,
      height: BOX.bottom - BOX.top + 10});
    const legend = node(figure, "figcaption");
    let layer = node(svg, "g"), back = null;

    function on(x, y, description) {
      layer.remove();
      layer = node(svg, "g");
      legend.textContent = "";
      words.textContent = description;
      const share = (axis, value) => {
        const f = axis.log ? Math.log : Number;
        return (f(value) - f(axis.low)) / (f(axis.high) - f(axis.low));
      };
      const px = (value) => BOX.left + (BOX.right - BOX.left) * share(x, value);
      const py = (value) => BOX.bottom - (BOX.bottom - BOX.top) * share(y, value);
      back = (left, top) => [[x, (left - BOX.left) / (BOX.right - BOX.left)], [y, (BOX.bottom - top) / (BOX.bottom - BOX.top)]]
        .map(([axis, part]) => axis.low + (axis.high - axis.low) * Math.min(1, Math.max(0, part)));
      const inside = node(layer, "g", {"clip-path": `url(#${id}-clip)`});
      for (const tick of x.log ? decades(x) : steps(x)) {
        node(layer, "path", {class: "grid", d: `M${px(tick.at)} ${BOX.top}V${BOX.bottom}`});
        node(layer, "text", {x: px(tick.at), y: BOX.bottom + 17, "text-anchor": "middle"}, tick.label);
      }
      for (const tick of y.log ? decades(y) : steps(y)) {
        node(layer, "path", {class: "grid", d: `M${BOX.left} ${py(tick.at)}H${BOX.right}`});
        node(layer, "text", {x: BOX.left - 6, y: py(tick.at) + 4, "text-anchor": "end"}, tick.label);
      }
      node(layer, "text", {x: (BOX.left + BOX.right) / 2, y: BOX.bottom + 38, "text-anchor": "middle"}, x.label);
      node(layer, "text", {transform: `rotate(-90) translate(${-(BOX.top + BOX.bottom) / 2} 13)`,
        "text-anchor": "middle"}, y.label);
      layer.appendChild(inside);
      const path = (points) => points.filter((p) => Number.isFinite(px(p[0])) && Number.isFinite(py(p[1])))
        .map((p, i) => `${i ? "L" : "M"}${px(p[0]).toFixed(1)} ${Math.max(-2000, Math.min(2000, py(p[1]))).toFixed(1)}`).join("");
      return {
        line(points, look, name) {
          node(inside, "path", {class: `line ${look}`, d: path(points)});
          if (name) {
            const entry = node(legend, "span");
            const swatch = node(entry, "svg", {viewBox: "0 0 26 8", "aria-hidden": "true"});
            node(swatch, "path", {class: `line ${look}`, d: "M1 4H25"});
            node(entry, "span", {}, name);
          }
        },
        area(points, look) {
          node(inside, "path", {class: `area ${look}`, d: `${path(points)}Z`});
        },
        dot(a, b, look) {
          node(inside, "circle", {class: `dot ${look}`, cx: px(a).toFixed(1), cy: py(b).toFixed(1), r: 5});
        },
        text(a, b, look, text, anchor = "start") {
          node(inside, "text", {class: look, x: px(a), y: py(b), "text-anchor": anchor}, text);
        },
      };
    }

    function onPick(pick) {
      svg.classList.add("pick");
      const at = (event) => {
        const place = svg.getBoundingClientRect(), scale = SIZE.width / place.width;
        pick(...back((event.clientX - place.left) * scale, (event.clientY - place.top) * scale));
      };
      svg.addEventListener("click", at);
      svg.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" && event.buttons & 1) at(event); });
    }
    return {on, onPick};
  }

  // A labelled control: a choice, a check box, a button, or a slider. `log` sliders hold powers of ten.
  function control(parent, {name, label, choices, check, button, low, high, step, value, log, show}) {
    if (button) {
      const made = node(parent, "button", {type: "button", name}, label);
      return {name, input: made, read: () => undefined, write() {}, show() {}};
    }
    const around = node(parent, "label");
    node(around, "span", {}, label);
    if (choices) {
      const input = node(around, "select", {name});
      choices.forEach((choice) => node(input, "option", {value: choice}, choice));
      input.value = value;
      return {name, input, read: () => input.value, write: (to) => { input.value = to; }, show() {}};
    }
    if (check) {
      const input = node(around, "input", {name, type: "checkbox"});
      input.checked = value;
      return {name, input, read: () => input.checked, write: (to) => { input.checked = to; }, show() {}};
    }
    const inner = log ? Math.log10 : Number, outer = log ? (power) => 10 ** power : Number;
    const input = node(around, "input", {name, type: "range", min: inner(low), max: inner(high), step: step ?? "any"});
    const shown = node(around, "output");
    const write_ = (to) => { input.value = inner(to); };
    const text = show ?? ((number) => String(+number.toPrecision(3)).replace("-", "−"));
    write_(value);
    return {name, input, read: () => outer(input.value), write: write_, show() {
      shown.textContent = text(outer(input.value));
      input.setAttribute("aria-valuetext", shown.textContent);
    }};
  }

  // Puts an explorer into each element of the page that asks for it. `plot` is {controls, panels, numbers, draw, say};
  // numbers(values, data) is what the tests compare with the package.
  function explorer(name, plot) {
    ntkExplorers[name] = plot;
    for (const root of document.querySelectorAll(`[data-explorer="${name}"]`)) start(root, name, plot);
  }

  function start(root, name, plot) {
    const stored = root.querySelector("script[type='application/json']");
    const data = stored ? JSON.parse(stored.textContent) : null;
    const live = root.querySelector(".explorer-live");
    const form = node(live, "form", {class: "explorer-controls", "aria-label": "settings"});
    form.addEventListener("submit", (event) => event.preventDefault());
    const settings = plot.controls.map((given) => control(form, given));
    const said = node(live, "p", {role: "status", "aria-live": "polite"});
    const row = node(live, "div", {class: "explorer-panels"});
    const panels = plot.panels.map((title, i) => panel(row, `explorer-${name}-${i}`, title));
    const values = () => Object.fromEntries(settings.map((one) => [one.name, one.read()]));
    const set = (changes) => {
      for (const one of settings) if (one.name in changes) one.write(changes[one.name]);
      draw();
    };
    function draw() {
      const now = values(), numbers = plot.numbers(now, data);
      for (const one of settings) one.show();
      write(said, plot.say(numbers, now));
      plot.draw(panels, numbers, now, data);
    }
    plot.controls.forEach((given, i) => {
      if (given.button) settings[i].input.addEventListener("click", () => set(given.button(values())));
    });
    if (plot.pick) panels[0].onPick((x, y) => set(plot.pick(x, y)));
    form.addEventListener("input", draw);
    draw();
    root.querySelector("details").open = false; // the table stays at hand
  }

  // A number as a reader has it: three digits, a power of ten where it is far from one.
  function number(x, digits = 3) {
    const power = x === 0 ? 0 : Math.floor(Math.log10(Math.abs(x)));
    if (power >= -3 && power < 5) return String(+x.toPrecision(digits)).replace("-", "−");
    return `${number(x / 10 ** power, 2)} · 10${superscript(power)}`;
  }

  Object.defineProperty(ntkExplorers, "add", {value: explorer});
  Object.defineProperty(ntkExplorers, "number", {value: number});
})();
