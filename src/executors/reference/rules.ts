import type { AnyNode, NodeOf, OpName, Tensor } from "../../graph/operations.ts";
import type { Matrix } from "./matrix.ts";

/** The numbers of one tensor, row by row: float64 for float32, and int32. */
export type Numbers = Float64Array | Int32Array;

/** The run of a graph, as the rule of one node sees it: what was computed or given before. */
export interface Run {
  /** Numbers of a float tensor of any shape. */
  floats(tensor: Tensor): Float64Array;
  /** A float tensor of two dimensions. */
  matrix(tensor: Tensor): Matrix;
  /** Numbers of an integer tensor of any shape. */
  integers(tensor: Tensor<"int32">): Int32Array;
  /** Numbers that the run was given under this name. */
  input(name: string): Numbers;
  /** The parameter's numbers at this moment. */
  parameter(name: string): Float64Array;
  /** The factors, 0 or 1 / (1 - rate), with which a forward node and its gradient node drop from `count` numbers. */
  dropoutMask(forward: AnyNode, rate: number, count: number): Float32Array;
}

/** Computes the outputs of one node. */
export type Rule<K extends OpName> = (node: NodeOf<K>, run: Run) => readonly Numbers[];

export type Rules = { readonly [K in OpName]: Rule<K> };
