// The scatter of the kernel of one input at width n and depth L, over draws of the weights (chapters 8 and 17),
// all layers of equal width: the closed recursion of both ensembles, exact for ReLU and linear networks.
"use strict";

(() => {
  // Second moment over squared mean: an average over pairs of layers at the distance j. kappa: 2 for ReLU, 1 if linear.
  function law(kappa, orthogonal) {
    return (L, n) => {
      const a = orthogonal ? 1 + 3 * (kappa - 1) / (n + 2) : 1 + (3 * kappa - 1) / n;
      const b = 1 - 1 / n;
      let sum = L * a ** (L - 1);
      for (let j = 1; j < L; j++) {
        const pair = orthogonal ? (1 + 2 / n) * a ** j + 2 * b : a ** j + 2 * b ** j;
        sum += 2 * (L - j) * a ** (L - 1 - j) * pair / 3;
      }
      return sum / L ** 2 - 1;
    };
  }
  const LAWS = {
    "ReLU, Gaussian": law(2, false),
    "ReLU, orthogonal": law(2, true),
    "linear, Gaussian": law(1, false),
    "linear, orthogonal": () => 0,
  };
  const LOOKS = {"ReLU, Gaussian": "c2", "ReLU, orthogonal": "c2 dash", "linear, Gaussian": "c1", "linear, orthogonal": "c3"};
  const SPREAD = Object.keys(LAWS).slice(0, 3);

  function numbers({depth, width}) {
    const L = Math.round(depth), n = Math.round(width);
    return {L, n, ...Object.fromEntries(Object.entries(LAWS).map(([name, of]) => [name, of(L, n)]))};
  }

  // The law of the ratio, near enough log-normal: mean 1 and the given relative variance.
  function density(variance) {
    const s = Math.sqrt(Math.log(1 + variance));
    return Array.from({length: 241}, (_, i) => (i + 0.5) / 80).map((x) =>
      [x, Math.exp(-((Math.log(x) + s * s / 2) ** 2) / (2 * s * s)) / (x * s * Math.sqrt(2 * Math.PI))]);
  }

  const percent = (variance) => `${+(100 * Math.sqrt(variance)).toPrecision(3)} %`;
  const whole = (x) => String(Math.round(x));
  const geometric = (low, high, count) => Array.from({length: count}, (_, i) => low * (high / low) ** (i / (count - 1)));

  ntkExplorers.add("scatter", {
    numbers,
    controls: [
      {name: "depth", label: "depth L", low: 2, high: 200, log: true, step: 0.01, value: 50, show: whole},
      {name: "width", label: "width n", low: 10, high: 10000, log: true, step: 0.01, value: 200, show: whole},
    ],
    panels: ["Scatter of the kernel against width", "The kernel of one network over its limit"],
    say(found) {
      const at = (name) => percent(found[name]);
      return `Depth ${found.L}, width ${found.n}, L/n = ${+(found.L / found.n).toPrecision(3)}: the kernel scatters by ` +
        `${at("ReLU, Gaussian")} for ReLU with Gaussian and ${at("ReLU, orthogonal")} with orthogonal weights, by ` +
        `${at("linear, Gaussian")} for linear networks with Gaussian weights, and not at all with orthogonal ones.`;
    },
    draw([left, right], found) {
      const first = left.on({label: "width n", low: 10, high: 10000, log: true},
        {label: "standard deviation / mean", low: 1e-2, high: 100, log: true}, `Scatter against width at depth ${found.L}`);
      for (const name of SPREAD) {
        first.line(geometric(10, 10000, 60).map((n) => [n, Math.sqrt(LAWS[name](found.L, n))]), LOOKS[name], name);
        first.dot(found.n, Math.sqrt(found[name]), `full ${LOOKS[name].slice(0, 2)}`);
      }
      first.line([], LOOKS["linear, orthogonal"], "linear, orthogonal: 0");
      const curves = SPREAD.map((name) => [name, density(found[name])]);
      const top = Math.max(...curves.flatMap(([, points]) => points.map((p) => p[1])));
      const second = right.on({label: "kernel / limit", low: 0, high: 3}, {label: "density", low: 0, high: 1.1 * top},
        "Log-normal densities with the exact variances");
      second.line([[1, 0], [1, 1.1 * top]], "c3 thin", "linear, orthogonal");
      for (const [name, points] of curves) second.line(points, LOOKS[name], name);
    },
  });
})();
