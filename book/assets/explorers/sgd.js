// SGD with squared loss and a frozen kernel (chapter 7): exact moments of SGD, of its SDE, and of gradient descent;
// the step size at which SGD leaves; and the Hessian term of equation (10) with either sign.
// Four inputs, K_ij = 1 for i = j and r otherwise: eigenvalues 1 + 3r (once) and 1 - r (three times).
"use strict";

(() => {
  const N = 4, START = [1, -0.5, 0.8, 0.2];
  const INDEX = [0, 1, 2, 3];

  const matrix = (f) => INDEX.map((i) => INDEX.map((j) => f(i, j)));
  const times = (A, B) => matrix((i, j) => INDEX.reduce((sum, k) => sum + A[i][k] * B[k][j], 0));
  const apply = (A, z) => A.map((row) => row.reduce((sum, a, k) => sum + a * z[k], 0));
  const trace = (A) => INDEX.reduce((sum, i) => sum + A[i][i], 0);
  const kernel = (r) => matrix((i, j) => (i === j ? 1 : r));
  const spread = (M) => matrix((i, j) => (i === j ? M[i][i] / N : 0) - M[i][j] / N ** 2);

  // A function of the kernel through its two eigenvalues: f on the mean, f on the differences.
  const ofKernel = (r, f) => {
    const same = f(1 + 3 * r), other = f(1 - r);
    return matrix((i, j) => (same - other) / N + (i === j ? other : 0));
  };

  // M -> E[z z^T] after a step; the SDE's generator for the same.
  function sgdStep(K, rate, size) {
    const A = matrix((i, j) => (i === j ? 1 : 0) - rate / N * K[i][j]);
    return (M) => {
      const kick = times(K, times(spread(M), K)), kept = times(A, times(M, A));
      return matrix((i, j) => kept[i][j] + rate ** 2 / size * kick[i][j]);
    };
  }
  function sdeRate(K, rate, size) {
    return (M) => {
      const drift = times(K, M), kick = times(K, times(spread(M), K));
      return matrix((i, j) => -(drift[i][j] + drift[j][i]) / N + rate / size * kick[i][j]);
    };
  }
  function rungeKutta(f, M, h) {
    const shifted = (D, by) => matrix((i, j) => M[i][j] + by * D[i][j]);
    const a = f(M), b = f(shifted(a, h / 2)), c = f(shifted(b, h / 2)), d = f(shifted(c, h));
    return matrix((i, j) => M[i][j] + h / 6 * (a[i][j] + 2 * b[i][j] + 2 * c[i][j] + d[i][j]));
  }

  // The factor by which the second moment grows a step in the long run, by iteration from a full-rank start.
  function growth(K, rate, size) {
    const step = sgdStep(K, rate, size);
    let M = matrix((i, j) => (i === j ? 1 + i / 10 : 0)), factor = 1;
    for (let k = 0; k < 600; k++) {
      M = step(M);
      factor = trace(M);
      M = M.map((row) => row.map((entry) => entry / factor));
    }
    return factor;
  }
  function threshold(r, size) {
    const K = kernel(r);
    let low = 0, high = 2 * N / (1 + 3 * r) * 1.001; // descent's limit is never exceeded
    for (let k = 0; k < 40; k++) {
      const middle = (low + high) / 2;
      if (growth(K, middle, size) > 1) high = middle; else low = middle;
    }
    return (low + high) / 2;
  }
  const known = {};

  function numbers({r, size, share, steps = 60, hessian = 0}) {
    const K = kernel(r), limit = known[[r, size]] ??= threshold(r, size), rate = share * limit;
    const descentLimit = 2 * N / (1 + 3 * r);
    let M = matrix((i, j) => START[i] * START[j]), S = M, z = START, flow = [];
    const path = {sgd: [trace(M) / N], sde: [trace(M) / N], descent: [trace(M) / N], flow: []};
    const step = sgdStep(K, rate, size), slope = sdeRate(K, rate, size), parts = 20;
    for (let k = 0; k < steps; k++) {
      M = step(M);
      for (let i = 0; i < parts; i++) S = rungeKutta(slope, S, rate / parts);
      const back = apply(K, z);
      z = z.map((value, i) => value - rate / N * back[i]);
      path.sgd.push(trace(M) / N);
      path.sde.push(trace(S) / N);
      path.descent.push(z.reduce((sum, value) => sum + value ** 2, 0) / N);
    }
    // Equation (10): the mean of the first residual, with a Hessian term Γ, the same at all inputs and times.
    const printed = [], corrected = [];
    for (let k = 0; k <= steps; k++) {
      const t = k * rate;
      flow = apply(ofKernel(r, (a) => Math.exp(-t * a / N)), START)[0];
      const same = 1 + 3 * r, kick = rate / (2 * size) * hessian * N / same * (1 - Math.exp(-t * same / N));
      path.flow.push(flow);
      printed.push(flow - kick);
      corrected.push(flow + kick);
    }
    return {...path, limit, descentLimit, rate, printed, corrected};
  }

  const round = (x) => ntkExplorers.number(x);
  const curve = (values) => values.map((value, k) => [k, value]);

  ntkExplorers.add("sgd", {
    numbers,
    controls: [
      {name: "share", label: "step size η, in shares of η*", low: 0.05, high: 1.5, step: 0.05, value: 0.7},
      {name: "size", label: "batch size S", low: 1, high: 16, step: 1, value: 1},
      {name: "r", label: "correlation r of the kernel", low: 0, high: 0.9, step: 0.05, value: 0.3},
      {name: "hessian", label: "Hessian term Γ", low: -2, high: 2, step: 0.1, value: 1},
    ],
    panels: ["Mean squared residual", "Equation (10): mean of the first residual"],
    say({limit, descentLimit, rate, sgd, sde}, {share, size}) {
      const ends = sgd.at(-1) < sgd[0] ? "falls" : "grows";
      return `SGD with batches of ${size} is stable up to η* = ${round(limit)}, descent up to ${round(descentLimit)}. ` +
        `At η = ${round(rate)} its mean square ${share > 1 && ends === "falls" ? "will grow" : ends}: ` +
        `${round(sgd.at(-1))} after ${sgd.length - 1} steps; the equation says ${round(sde.at(-1))}.`;
    },
    draw([left, right], {sgd, sde, descent, printed, corrected}, {share}) {
      const far = sgd.length - 1, floor = (values) => curve(values.map((x) => Math.max(x, 1e-14)));
      const first = left.on({label: "step", low: 0, high: far}, {label: "mean of |z|² / N", low: 1e-8, high: 1e4, log: true},
        `Mean squared residual against steps at ${round(share)} of the threshold`);
      first.line(floor(sgd), "c2", "SGD, exact");
      first.line(floor(sde), "c1 dash", "its SDE, exact");
      first.line(floor(descent), "ink dots", "gradient descent");
      const size = Math.max(1, ...printed.map(Math.abs), ...corrected.map(Math.abs));
      const top = 2 ** Math.ceil(Math.log2(size));
      const second = right.on({label: "step", low: 0, high: far}, {label: "E f(x₁) − y₁", low: -top, high: top},
        "Mean of the first residual by equation (10), as printed and as corrected");
      second.line([[0, 0], [far, 0]], "ink thin", "");
      second.line(curve(corrected), "c3", "sign + , as corrected");
      second.line(curve(printed), "c4 dash", "sign − , as printed");
    },
  });
})();
