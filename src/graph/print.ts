import type { Graph } from "./graph.ts";
import type { AnyNode, AnyTensor } from "./operations.ts";
import { formatShape } from "./shape.ts";

/**
 * The graph as text, one node a line, for people who debug:
 *
 *     %7 = linear(x: %3, weight: bert.pooler.dense.weight, bias: bert.pooler.dense.bias)  // [B, 128]
 */
export function printGraph(graph: Graph): string {
  const names = new Map<AnyNode, string>();
  const reference = ({ node, output }: AnyTensor) => names.get(node)! + (node.outputs.length > 1 ? `.${output}` : "");
  const lines: string[] = [];
  for (const node of graph.nodes) {
    const { attributes } = node;
    if ("name" in attributes) {
      names.set(node, attributes.name);
      lines.push(`${node.op} ${attributes.name}  // ${shapes(node)}`);
      continue;
    }
    names.set(node, `%${names.size}`);
    const fields = [
      ...Object.entries<AnyTensor>(node.inputs).map(([name, tensor]) => `${name}: ${reference(tensor)}`),
      ...Object.entries<unknown>(attributes)
        .filter(([name]) => name !== "forward")
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
    ];
    lines.push(`${names.get(node)} = ${node.op}(${fields.join(", ")})  // ${shapes(node)}`);
  }
  for (const [name, tensor] of Object.entries(graph.outputs)) lines.push(`return ${name} = ${reference(tensor)}`);
  return `${lines.join("\n")}\n`;
}

function shapes(node: AnyNode): string {
  return node.outputs.map(({ shape }) => formatShape(shape)).join(", ");
}
