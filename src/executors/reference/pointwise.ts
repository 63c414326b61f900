import { erf } from "../../base/erf.ts";
import type { ActivationKind } from "../../graph/operations.ts";
import type { Rules } from "./rules.ts";

/** Operations on each number by itself. */
export const POINTWISE_RULES: Pick<Rules, "activation" | "activationGradient" | "dropout" | "dropoutGradient"> = {
  activation: ({ inputs, attributes }, run) => [run.floats(inputs.x).map(ACTIVATIONS[attributes.kind].value)],

  activationGradient: ({ inputs, attributes }, run) => {
    const slopes = run.floats(inputs.x).map(ACTIVATIONS[attributes.kind].slope);
    return [run.floats(inputs.dy).map((dy, i) => dy * slopes[i])];
  },

  dropout: (node, run) => {
    const x = run.floats(node.inputs.x);
    const mask = run.dropoutMask(node, node.attributes.rate, x.length);
    return [x.map((value, i) => value * mask[i])];
  },

  dropoutGradient: ({ inputs, attributes: { forward } }, run) => {
    const dy = run.floats(inputs.dy);
    const mask = run.dropoutMask(forward, forward.attributes.rate, dy.length);
    return [dy.map((value, i) => value * mask[i])];
  },
};

interface Activation {
  value(x: number): number;
  /** Its derivative. */
  slope(x: number): number;
}

const ACTIVATIONS: { readonly [K in ActivationKind]: Activation } = {
  /** x Φ(x), with the normal distribution Φ (Hendrycks and Gimpel 2016). */
  gelu: {
    value: (x) => x * normalDistribution(x),
    slope: (x) => normalDistribution(x) + x * normalDensity(x),
  },
  /** The same, with Φ approximated by a tanh: the form of BERT's first release and of GPT-2. */
  gelu_new: {
    value: (x) => (x / 2) * (1 + Math.tanh(geluArgument(x))),
    slope: (x) => {
      const t = Math.tanh(geluArgument(x));
      return (1 + t) / 2 + (x / 2) * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    },
  },
  relu: {
    value: (x) => Math.max(x, 0),
    slope: (x) => (x > 0 ? 1 : 0),
  },
  silu: {
    value: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  },
  tanh: {
    value: Math.tanh,
    slope: (x) => 1 - Math.tanh(x) ** 2,
  },
};

function normalDistribution(x: number): number {
  return (1 + erf(x / Math.SQRT2)) / 2;
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

function geluArgument(x: number): number {
  return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
