/** The kernels (native/kernels/kernels.h), by what they are for. */
export const FAMILIES = {
  products: ["product", "quantizedProduct"],
  attention: ["attention", "attentionGradient"],
  normalisation: ["layerNorm", "layerNormGradient"],
  pointwise: ["add", "activation", "activationGradient", "dropout"],
  rows: ["positions", "starts", "fill", "gather", "scatterAdd", "sumRows"],
  losses: [
    ...["softmaxSums", "softmaxCrossEntropy", "softmaxCrossEntropyGradient", "accuracy"],
    ...["segmentCrossEntropy", "segmentCrossEntropyGradient"],
    ...["sigmoidCrossEntropy", "sigmoidCrossEntropyGradient", "squaredError", "squaredErrorGradient"],
  ],
  packing: ["packRight", "packQuantized", "quantizeRows", "convert"],
  optimizer: ["adamw", "measureChanges", "applyChanges", "sumOfSquares"],
} as const;

export type KernelFamily = keyof typeof FAMILIES;
export type KernelName = (typeof FAMILIES)[KernelFamily][number];
