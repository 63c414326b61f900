import type { NodeOf } from "../../graph/operations.ts";
import { MICROSOFT, type OnnxBuilder } from "./builder.ts";
import type { Lowering } from "./lowering.ts";

/** √(2/π) and the cubic coefficient of gelu's tanh form (Hendrycks and Gimpel 2016). */
const SLOPE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

export function lowerActivation(node: NodeOf<"activation">, lowering: Lowering): string {
  const { onnx, name } = lowering;
  const x = name(node.inputs.x);
  switch (node.attributes.kind) {
    case "gelu":
      return onnx.node("Gelu", [x], { domain: MICROSOFT });
    case "gelu_new": {
      const t = tanhOfCubic(onnx, x);
      const half = onnx.node("Mul", [x, onnx.float(0.5)]);
      lowering.keep(node, { t });
      return onnx.node("Mul", [half, onnx.node("Add", [t, onnx.float(1)])]);
    }
    case "relu":
      return onnx.node("Relu", [x]);
    case "silu": {
      const s = onnx.node("Sigmoid", [x]);
      lowering.keep(node, { s });
      return onnx.node("Mul", [x, s]);
    }
    case "tanh": {
      const y = onnx.node("Tanh", [x]);
      lowering.keep(node, { y });
      return y;
    }
  }
}

/** dy × f'(x) */
export function lowerActivationGradient(node: NodeOf<"activationGradient">, { onnx, name, kept }: Lowering): string {
  const { kind, forward } = node.attributes;
  const dy = name(node.inputs.dy);
  const x = name(node.inputs.x);
  const mul = (a: string, b: string) => onnx.node("Mul", [a, b]);
  const add = (a: string, b: string) => onnx.node("Add", [a, b]);
  const one = onnx.float(1);
  switch (kind) {
    case "gelu": {
      // Φ(x) + x φ(x) with u = x / √2 is (1 + erf u + u exp(-u²) 2/√π) / 2.
      const u = mul(x, onnx.float(Math.SQRT1_2));
      const bell = onnx.node("Exp", [mul(u, onnx.node("Neg", [u]))]);
      const density = mul(mul(u, onnx.float(2 / Math.sqrt(Math.PI))), bell);
      const slope = add(add(onnx.node("Erf", [u]), density), one);
      return mul(mul(dy, onnx.float(0.5)), slope);
    }
    case "gelu_new": {
      // (1 + t) / 2 + x (1 - t²) z' / 2 with t = tanh z and z' = SLOPE (1 + 3 CUBIC x²).
      const t = kept(forward, "t");
      const inner = add(mul(mul(x, x), onnx.float(3 * CUBIC * SLOPE)), onnx.float(SLOPE));
      const bend = mul(mul(x, inner), onnx.node("Sub", [one, mul(t, t)]));
      return mul(mul(dy, onnx.float(0.5)), add(add(t, one), bend));
    }
    case "relu":
      return onnx.node("Where", [onnx.node("Greater", [x, onnx.float(0)]), dy, onnx.float(0)]);
    case "silu": {
      const s = kept(forward, "s");
      return mul(mul(dy, s), add(mul(x, onnx.node("Sub", [one, s])), one));
    }
    case "tanh": {
      const y = kept(forward, "y");
      return mul(dy, onnx.node("Sub", [one, mul(y, y)]));
    }
  }
}

function tanhOfCubic(onnx: OnnxBuilder, x: string): string {
  const square = onnx.node("Mul", [x, x]);
  const factor = onnx.node("Add", [onnx.node("Mul", [square, onnx.float(CUBIC * SLOPE)]), onnx.float(SLOPE)]);
  return onnx.node("Tanh", [onnx.node("Mul", [x, factor])]);
}
