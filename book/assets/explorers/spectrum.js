// The squared singular values of the Jacobian at infinite width (chapter 3), Theorem 3.2: the density is read off
// a curve in the complex plane. One column of a network gives d = φ'(√q z)², with probabilities p.
"use strict";

(() => {
  // [re, im]
  const mul = ([a, b], [c, d]) => [a * c - b * d, a * d + b * c];
  const log = ([a, b]) => [Math.log(Math.hypot(a, b)), Math.atan2(b, a)];
  const plus = (...terms) => terms.reduce(([a, b], [c, d]) => [a + c, b + d]);
  const scale = (k, [a, b]) => [k * a, k * b];

  function law(name, q) {
    if (name === "linear") return [[1, 1]];
    if (name === "ReLU") return [[0, 0.5], [1, 0.5]];
    const nodes = Array.from({length: 100}, (_, i) => 6 * i / 99);
    const weights = nodes.map((z, i) => (i ? 1 : 0.5) * Math.exp(-z * z / 2)), total = weights.reduce((a, b) => a + b);
    return nodes.map((z, i) => [(1 - Math.tanh(Math.sqrt(q) * z) ** 2) ** 2, weights[i] / total]);
  }

  function M(d, [x, y]) {
    let re = 0, im = 0;
    for (const [value, p] of d) {
      const u = x - value, size = u * u + y * y;
      re += p * value * u / size;
      im -= p * value * y / size;
    }
    return [re, im];
  }

  function bisect(below, low, high, rounds) {
    for (let i = 0; i < rounds; i++) {
      const middle = (low + high) / 2;
      if (below(middle)) low = middle; else high = middle;
    }
    return (low + high) / 2;
  }

  // log x and x rho(x) at increasing x, for depth > 2.
  function spectrum(d, L, sw, gaussian, points = 150) {
    const logX = (s) => {
      const m = M(d, s), one = [1 + m[0], m[1]];
      return plus([2 * L * Math.log(sw), 0], scale(L - 1, log(s)), scale(L - 2, log(m)),
        scale((gaussian ? L : 0) - (L - 2), log(one)));
    };
    const stationary = (s) => {
      let m = 0, slope = 0;
      for (const [value, p] of d) { m += p * value / (s - value); slope -= p * value / (s - value) ** 2; }
      return (L - 1) / s + ((L - 2) / m + (gaussian ? L : 0)) * slope / (1 + m);
    };
    const angle = (r, t) => logX([r * Math.cos(t), r * Math.sin(t)])[1];
    const largest = Math.max(...d.map((one) => one[0])), smallest = Math.min(...d.map((one) => one[0]).filter((v) => v > 0));
    let far = 2;
    while (stationary(far) < 0) far *= 2;
    const edge = bisect((s) => stationary(s) < 0, largest * (1 + 1e-9), far, 80);
    const inside = (r) => angle(r, 1e-9) < 0;
    let start = 1e-6 * smallest; // the curve begins here, or where it leaves the axis
    const stride = (edge / start) ** (1 / 999);
    if (!inside(start)) {
      while (!inside(start) && start < edge) start *= stride;
      start = Math.exp(bisect((x) => !inside(Math.exp(x)), Math.log(start / stride), Math.log(start), 40));
    }
    return Array.from({length: points}, (_, i) => {
      const r = start * (edge / start) ** ((1 - Math.cos(Math.PI * i / (points - 1))) / 2);
      const t = bisect((t) => angle(r, t) < 0, 1e-9, Math.PI, 34), s = [r * Math.cos(t), r * Math.sin(t)];
      return [logX(s)[0], -M(d, s)[1] / Math.PI];
    });
  }

  function numbers({network, depth}, data) {
    const {activation, sigma_w, q} = data[network], d = law(activation, q), L = Math.round(depth);
    const first = d.reduce((sum, [value, p]) => sum + p * value, 0);
    const second = d.reduce((sum, [value, p]) => sum + p * value ** 2, 0);
    const v = second / first ** 2 - 1;
    return {
      L,
      mean: sigma_w ** (2 * L) * first ** (L - 1),
      variance: {gaussian: (L - 1) * v + L, orthogonal: (L - 1) * v},
      gaussian: spectrum(d, L, sigma_w, true),
      orthogonal: v < 1e-12 ? null : spectrum(d, L, sigma_w, false),
    };
  }

  const round = (x) => ntkExplorers.number(x);
  // A density of log10 of the singular value, not of the squared one.
  const shown = (points) => points.map(([logX, density]) => [logX / 2 / Math.LN10, 2 * Math.LN10 * density]);

  ntkExplorers.add("spectrum", {
    numbers,
    controls: [
      {name: "network", label: "network", choices: ["near-linear tanh", "linear", "tanh, large q", "ReLU"],
        value: "near-linear tanh"},
      {name: "depth", label: "depth L", low: 3, high: 200, log: true, step: 0.02, value: 20, show: (x) => String(Math.round(x))},
    ],
    panels: ["Spectrum, Gaussian weights", "Spectrum, orthogonal weights"],
    say({L, variance, gaussian, orthogonal}, {network}) {
      const top = (points) => round(Math.exp(points.at(-1)[0] / 2));
      const other = orthogonal ? `${round(variance.orthogonal)} and ${top(orthogonal)} with orthogonal ones`
        : "0 and 1 with orthogonal ones: all are equal";
      return `${network}, ${L} layers. Relative variance of the squared singular values, and largest singular value: ` +
        `${round(variance.gaussian)} and ${top(gaussian)} with Gaussian weights, ${other}.`;
    },
    draw(panels, {L, gaussian, orthogonal}, {network}) {
      const curves = [["Gaussian", "c1", gaussian], ["orthogonal", "c2", orthogonal]];
      panels.forEach((panel, i) => {
        const [weights, look, points] = curves[i];
        const values = points ? shown(points) : [[0, 0], [0, 1]];
        const low = Math.max(-8, Math.floor(values[0][0])), high = Math.ceil(values.at(-1)[0] + 0.01);
        const top = Math.max(...values.map((p) => p[1]));
        const on = panel.on({label: "log₁₀ of the singular value", low: Math.min(low, -1), high: Math.max(high, 1)},
          {label: "density", low: 0, high: 1.1 * top}, `Density of the singular values of ${network} at depth ${L}, ${weights} weights`);
        on.line([[0, 0], [0, 1.1 * top]], "ink thin dash", "1");
        on.line(values, look, points ? `${weights} weights` : "all singular values are 1");
      });
    },
  });
})();
