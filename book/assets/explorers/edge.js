// The kernel on the edge of chaos to a million layers (chapter 11), from a table of the package: the distance of
// the kernel from its limit, and the slope of its log-log curve between neighbours.
"use strict";

(() => {
  const WAYS = {ReLU: [-1, "log L / L"], tanh: [-1, "log L / L"], erf: [-1, "log L / L"], ELU: [-0.5, "L^(−1/2)"]};
  const STRIDE = 4; // a local slope is taken over four points: a factor of 10^(1/3) in depth

  // c is the place of the first correlation in the table
  function numbers({activation, c}, data) {
    const row = data.curves[activation][c];
    const slopes = row.slice(STRIDE).map((value, i) => {
      const over = Math.log(data.depths[i + STRIDE] / data.depths[i]);
      return [Math.sqrt(data.depths[i] * data.depths[i + STRIDE]), Math.log(Math.abs(value / row[i])) / over];
    });
    return {error: data.depths.map((depth, i) => [depth, row[i]]), slopes};
  }

  const round = (x) => x.toFixed(2).replace("-", "−");
  const at = (values, depth) => values.reduce((best, p) =>
    Math.abs(Math.log(p[0] / depth)) < Math.abs(Math.log(best[0] / depth)) ? p : best);

  ntkExplorers.add("edge", {
    numbers,
    controls: [
      {name: "activation", label: "activation", choices: Object.keys(WAYS), value: "ReLU"},
      {name: "c", label: "first correlation c", low: 0, high: 2, step: 1, value: 1,
        show: (i) => ["−0.5", "0.5", "0.9"][i]},
      {name: "depth", label: "depth L", low: 30, high: 5e5, log: true, step: 0.05, value: 300,
        show: (depth) => String(Math.round(depth))},
    ],
    panels: ["Distance of the kernel from its limit", "Local slope of that curve"],
    say({error, slopes}, {activation, depth}) {
      const [where, slope] = at(slopes, depth), [power, law] = WAYS[activation];
      return `${activation} near ${Math.round(where)} layers: the error is ${ntkExplorers.number(at(error, depth)[1], 2)}, ` +
        `and the slope ${round(slope)}. It tends to ${String(power).replace("-", "−")}; the law is ${law}.`;
    },
    draw([left, right], {error, slopes}, {activation, depth}) {
      const x = {label: "depth L", low: 10, high: 1e6, log: true}, power = WAYS[activation][0];
      const first = left.on(x, {label: "|Θ / (L q) − limit|", low: 1e-7, high: 1, log: true},
        `Distance from the limit for ${activation}, to a million layers`);
      first.line(error.map(([l, e]) => [l, Math.abs(e)]), "c1", activation);
      const [l0, e0] = at(error, 1e4);
      first.line([[10, Math.abs(e0) * (10 / l0) ** power], [1e6, Math.abs(e0) * (1e6 / l0) ** power]], "ink thin dash",
        `slope ${String(power).replace("-", "−")}`);
      const [l1, e1] = at(error, depth);
      first.dot(l1, Math.abs(e1), "full c2");
      const second = right.on(x, {label: "local slope", low: -2, high: 0.5}, `Local slope for ${activation}`);
      second.line([[10, power], [1e6, power]], "ink thin dash", `slope ${String(power).replace("-", "−")}`);
      second.line(slopes, "c1", activation);
      second.dot(...at(slopes, depth), "full c2");
    },
  });
})();
