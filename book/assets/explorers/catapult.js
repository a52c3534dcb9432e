// The catapult (chapter 16): two linear layers of width n, one example. With s = ηλ and g = η²f²/n a step of
// gradient descent is g' = (1 - s + g)² g, s' = s + (s - 4) g, exactly (Lemma 16.1).
"use strict";

(() => {
  const START = 1; // f = 1 at the start; λ = 2, its mean

  function numbers({mark, width, steps = 60}) {
    const rate = mark / 2, curvature = [mark], loss = [START ** 2 / 2];
    let s = mark, g = rate ** 2 * START ** 2 / width;
    for (let k = 0; k < steps; k++) {
      [s, g] = [s + (s - 4) * g, (1 - s + g) ** 2 * g];
      curvature.push(s);
      loss.push(g * width / rate ** 2 / 2);
    }
    return {curvature, loss};
  }

  const round = ntkExplorers.number;

  ntkExplorers.add("catapult", {
    numbers,
    controls: [
      {name: "mark", label: "ηλ at the start", low: 0.2, high: 5, step: 0.05, value: 3},
      {name: "width", label: "width n", low: 10, high: 1e6, log: true, step: 0.25, value: 1e4,
        show: (n) => String(Math.round(n))},
    ],
    panels: ["Loss", "Curvature times the rate, ηλ"],
    say({curvature, loss}, {mark}) {
      const usable = loss.filter(Number.isFinite), top = Math.max(...usable), last = curvature.at(-1);
      const peak = usable.indexOf(top), grew = peak > 0;
      if (!(last < 4 && loss.at(-1) < top)) {
        return mark > 4 ? "Above 4: the loss diverges, at every width."
          : `After 60 steps the loss is still at ${round(loss.at(-1))}.`;
      }
      const end = `the loss ends at ${round(loss.at(-1))}, ηλ at ${round(last)}.`;
      if (!grew) return `Below 2: the loss falls from the start; ${end}`;
      return `A catapult: the loss grows to ${round(top)} in step ${peak}, then falls; ${end}`;
    },
    draw([left, right], {curvature, loss}, {mark}) {
      const far = loss.length - 1, look = mark > 4 ? "c2" : mark > 2 ? "c4" : "c1";
      const clipped = (values) => {
        const bad = values.findIndex((x) => !Number.isFinite(x) || Math.abs(x) > 1e30);
        return (bad < 0 ? values : values.slice(0, bad)).map((x, k) => [k, x]);
      };
      const first = left.on({label: "step", low: 0, high: far}, {label: "loss", low: 1e-8, high: 1e8, log: true},
        `Loss against steps for ηλ = ${round(mark)} at the start`);
      first.line(clipped(loss.map((x) => Math.max(x, 1e-12))), look, "loss");
      const second = right.on({label: "step", low: 0, high: far}, {label: "ηλ", low: 0, high: 6},
        `Curvature against steps for ηλ = ${round(mark)} at the start`);
      second.line([[0, 2], [far, 2]], "ink thin dots", "2: a frozen kernel's limit");
      second.line([[0, 4], [far, 4]], "ink thin dash", "4: beyond it no training");
      second.line(clipped(curvature), look, "ηλ");
    },
  });
})();
