// The phase plane (chapter 9): where correlations are kept, forgotten, or balanced between the two.
// Gaussian integrals by Simpson's rule on half-lines; the map of the correlation by its Hermite coefficients.
"use strict";

(() => {
  const H = 0.025, HALF = 340; // nodes to 8.5 standard deviations
  const nodes = [];
  for (let i = -HALF; i <= HALF; i++) {
    const simpson = i === 0 || Math.abs(i) === HALF ? (i === 0 ? 2 : 1) : i % 2 ? 4 : 2;
    nodes.push([i * H, simpson * H / 3 * Math.exp(-((i * H) ** 2) / 2) / Math.sqrt(2 * Math.PI)]);
  }
  const mean = (f) => nodes.reduce((sum, [z, w]) => sum + w * f(z), 0);
  const TERMS = 100; // Hermite coefficients of phi(sqrt(q) Z)

  // Variance V(q), slope W(q) and the map c -> E[phi phi]/V for a function given pointwise.
  function byQuadrature(phi, slope) {
    const V = (q) => mean((z) => phi(Math.sqrt(q) * z) ** 2);
    return {
      V,
      W: (q) => mean((z) => slope(Math.sqrt(q) * z) ** 2),
      product(q) {
        const total = V(q), squares = new Array(TERMS).fill(0), r = Math.sqrt(q);
        for (const [z, w] of nodes) {
          const value = w * phi(r * z);
          for (let k = 0, before = 0, now = 1; k < TERMS; k++) {
            squares[k] += value * now;
            [before, now] = [now, (z * now - Math.sqrt(k) * before) / Math.sqrt(k + 1)];
          }
        }
        for (let k = 0; k < TERMS; k++) squares[k] **= 2;
        squares.push(total - squares.reduce((a, b) => a + b)); // the rest, so that c = 1 gives V
        return {
          at: (c) => squares.reduceRight((sum, a) => sum * c + a, 0),
          slope: (c) => squares.reduceRight((sum, a, k) => (k ? sum * c + k * a : sum), 0),
        };
      },
    };
  }
  const ACTIVATIONS = {
    tanh: byQuadrature(Math.tanh, (x) => 1 - Math.tanh(x) ** 2),
    ELU: byQuadrature((x) => (x > 0 ? x : Math.expm1(x)), (x) => (x > 0 ? 1 : Math.exp(x))),
    erf: {
      V: (q) => 2 / Math.PI * Math.asin(2 * q / (1 + 2 * q)),
      W: (q) => 4 / Math.PI / Math.sqrt(1 + 4 * q),
      product: (q) => ({
        at: (c) => 2 / Math.PI * Math.asin(2 * q * c / (1 + 2 * q)),
        slope: (c) => 4 / Math.PI * q / Math.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2),
      }),
    },
    ReLU: {
      V: (q) => q / 2,
      W: () => 0.5,
      product: (q) => ({
        at: (c) => q * (Math.sqrt(1 - c * c) + (Math.PI - Math.acos(c)) * c) / (2 * Math.PI),
        slope: (c) => q * (Math.PI - Math.acos(c)) / (2 * Math.PI),
      }),
    },
  };
  const LIMIT = {ReLU: Math.SQRT2, ELU: Math.SQRT2, tanh: Infinity, erf: Infinity}; // beyond it the variance grows
  const RANGE = {tanh: 3, erf: 3, ReLU: 2, ELU: 2};
  const variances = Array.from({length: 161}, (_, i) => 10 ** (-6 + 10 * i / 160));

  function bisect(f, low, high) { // f changes its sign once
    const sign = Math.sign(f(low));
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (Math.sign(f(middle)) === sign) low = middle; else high = middle;
    }
    return (low + high) / 2;
  }

  // The largest fixed point of q = σ_b² + σ_w² V(q); null if the variance grows without bound.
  function fixedPoint(name, sw, sb) {
    const {V} = ACTIVATIONS[name];
    const critical = Math.abs(sw / LIMIT[name] - 1) < 1e-9;
    if (name === "ReLU" && critical && sb === 0) return 1; // every variance stays
    if (sw > LIMIT[name] || critical) return null;
    if (name === "ReLU") return sb ** 2 / (1 - sw ** 2 / 2);
    const gain = (q) => sb ** 2 + sw ** 2 * V(q) - q;
    let i = variances.length - 1;
    while (i >= 0 && gain(variances[i]) <= 0) i--;
    if (i < 0) return 0;
    if (i === variances.length - 1) return null;
    return Math.exp(bisect((x) => gain(Math.exp(x)), Math.log(variances[i]), Math.log(variances[i + 1])));
  }

  // The edge of chaos as a curve, by the variance: σ_w² = 1/W, σ_b² = q - V/W.
  function edgePoint(name, q) {
    const {V, W} = ACTIVATIONS[name];
    return [1 / Math.sqrt(W(q)), q - V(q) / W(q)];
  }
  function edgeAt(name, sb) {
    if (name === "ReLU") return Math.SQRT2;
    if (sb === 0) return edgePoint(name, 1e-12)[0];
    const low = name === "ELU" ? 1e-4 : 1e-6;
    return edgePoint(name, Math.exp(bisect((x) => edgePoint(name, Math.exp(x))[1] - sb ** 2, Math.log(low), 6)))[0];
  }
  const curves = {};
  function edgeCurve(name) {
    curves[name] ??= name === "ReLU" ? [[Math.SQRT2, 0], [Math.SQRT2, 1]]
      : Array.from({length: 41}, (_, i) => [edgeAt(name, (i / 40) ** 2), (i / 40) ** 2]);
    return curves[name];
  }

  function numbers({activation: name, sigma_w: sw, sigma_b: sb, c}) {
    const {W, product} = ACTIVATIONS[name];
    const q = fixedPoint(name, sw, sb);
    if (q === null) return {phase: "unbounded", q: null, chi: sw ** 2 * W(1e4), map: null, path: []};
    const chi = sw ** 2 * W(q);
    const phase = Math.abs(chi - 1) < 1e-6 ? "critical" : chi < 1 ? "ordered" : "chaotic";
    if (q === 0) return {phase, q, chi, map: null, path: []};
    const both = product(q);
    const map = (x) => (sb ** 2 + sw ** 2 * both.at(x)) / q, slope = (x) => sw ** 2 * both.slope(x) / q;
    const limit = phase === "chaotic" ? bisect((x) => map(x) - x + 1e-15, 0, 1 - 1e-7) : 1;
    const rate = phase === "chaotic" ? slope(limit) : chi;
    const path = [c];
    for (let l = 0; l < 50; l++) path.push(Math.min(1, map(path[l])));
    return {phase, q, chi, limit, scale: phase === "critical" ? null : -1 / Math.log(rate), path, map};
  }

  const NAMES = {ordered: "Ordered phase", chaotic: "Chaotic phase", critical: "Edge of chaos"};
  const LOOK = {ordered: "c1", chaotic: "c2", critical: "c3", unbounded: "ink"};
  const round = (x) => String(+x.toPrecision(4)).replace("-", "−");

  ntkExplorers.add("phase_plane", {
    numbers,
    controls: [
      {name: "activation", label: "activation", choices: Object.keys(ACTIVATIONS), value: "tanh"},
      {name: "sigma_w", label: "σ_w", low: 0.5, high: 3, value: 2},
      {name: "sigma_b", label: "σ_b", low: 0, high: 1, step: 0.01, value: 0.2},
      {name: "c", label: "first correlation c", low: -1, high: 1, step: 0.01, value: -0.8},
      {name: "edge", label: "go to the edge", button: ({activation, sigma_b}) => ({sigma_w: edgeAt(activation, sigma_b)})},
    ],
    panels: ["Phases: click to choose", "Map of the correlation, layer by layer"],
    pick: (x, y) => ({sigma_w: x, sigma_b: Math.round(y * 100) / 100}),
    say({phase, q, chi, limit, scale}) {
      if (phase === "unbounded") return "The variance grows without bound.";
      if (q === 0) return `The variance tends to 0; χ₁ = ${round(chi)}.`;
      const pace = scale === null ? "more slowly than any exponential" : `over ξ = ${round(scale)} layers`;
      return `${NAMES[phase]}: variance q = ${round(q)}, χ₁ = ${round(chi)}; correlations tend to ${round(limit)}, ${pace}.`;
    },
    draw([plane, cobweb], {phase, path, map, limit}, {activation, sigma_w, sigma_b, c}) {
      const right = RANGE[activation], wall = Math.min(LIMIT[activation], right), curve = edgeCurve(activation);
      const first = plane.on({label: "σ_w", low: 0.5, high: right}, {label: "σ_b", low: 0, high: 1},
        `Phases of ${activation}: σ_w = ${round(sigma_w)}, σ_b = ${round(sigma_b)}: ${phase}`);
      first.area([[0.5, 0], ...curve, [0.5, 1]], "ordered");
      first.area([...curve, [wall, 1], [wall, 0]], "chaotic");
      if (wall < right) first.area([[wall, 0], [right, 0], [right, 1], [wall, 1]], "unbounded");
      first.line(curve, "ink", "edge of chaos");
      first.text(0.56, 0.92, "", "ordered");
      if (wall === right) first.text(right - 0.05, 0.05, "", "chaotic", "end");
      else first.text(right - 0.03, 0.05, "", "unbounded", "end");
      first.dot(Math.min(sigma_w, right), sigma_b, `full ${LOOK[phase]}`);

      const second = cobweb.on({label: "correlation c in layer l", low: -1, high: 1}, {label: "in layer l + 1", low: -1, high: 1},
        map ? `From ${round(c)} the correlation tends to ${round(limit)}` : "no map: the variance has no positive limit");
      second.line([[-1, -1], [1, 1]], "thin dash", "c = f(c)");
      if (!map) return;
      const grid = Array.from({length: 121}, (_, i) => -Math.cos(Math.PI * i / 120));
      second.line(grid.map((x) => [x, map(x)]), LOOK[phase], "the map f");
      second.line(path.slice(1).flatMap((next, l) => [[path[l], l ? path[l] : -1], [path[l], next], [next, next]]), "c4 thin", "the layers");
      second.dot(limit, limit, `full ${LOOK[phase]}`);
    },
  });
})();
