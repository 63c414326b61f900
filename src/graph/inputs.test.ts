import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../base/errors.ts";
import {
  activation,
  add,
  attention,
  dropout,
  gather,
  input,
  linear,
  parameter,
  positions,
  scatterAdd,
  segmentCrossEntropy,
  softmaxCrossEntropy,
  starts,
} from "./build.ts";
import { type Value, vector } from "./executor.ts";
import { type Graph, makeGraph } from "./graph.ts";
import { bindInputs, bindShape, checkOutputs } from "./inputs.ts";

type Inputs = Readonly<Record<string, Value>>;

function ints(...values: readonly number[]): Value {
  return vector(Int32Array.from(values));
}

function floats(shape: readonly number[]): Value {
  return { data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape };
}

const ids = input("ids", "int32", ["T"]);
const lengths = input("lengths", "int32", ["B"]);

/** Embeddings with positions, attention, a choice of tokens and a loss. */
const GRAPH = (() => {
  const places = gather(parameter("places", [5, 4], "normal"), positions(lengths)); // [T, 4]
  const hidden = add(add(gather(parameter("words", [9, 4], "normal"), ids), places), input("x", "float32", ["T", 4]));
  const attended = attention({ query: hidden, key: hidden, value: hidden, lengths }, { heads: 2 }); // [T, 4]
  const chosen = gather(attended, input("chosen", "int32", ["M"])); // [M, 4]
  const logits = linear(chosen, parameter("weight", [3, 4], "normal"), parameter("bias", [3], "zeros")); // [M, 3]
  const labels = input("labels", "int32", ["M"]);
  const loss = softmaxCrossEntropy(logits, labels, input("rowWeights", "float32", ["M"]));
  return makeGraph({ loss, logits, first: gather(attended, starts(lengths)), places: positions(lengths) });
})();

const INPUTS = {
  ids: ints(0, 8, 3, 3, 1, 2),
  lengths: ints(1, 5),
  x: floats([6, 4]),
  chosen: ints(5, 0, 5),
  labels: ints(2, 0, 1),
  rowWeights: floats([3]),
};

describe("bindInputs", () => {
  test("reads off the letters, S as the longest sequence", () => {
    expect(Object.fromEntries(bindInputs(GRAPH, INPUTS))).toEqual({ B: 2, T: 6, M: 3, S: 5 });
  });

  test("reads T off the lengths where nothing else has it", () => {
    const graph = makeGraph({ places: positions(lengths) });
    expect(Object.fromEntries(bindInputs(graph, { lengths: INPUTS.lengths }))).toEqual({ B: 2, T: 6, S: 5 });
    const bind = () => bindInputs(graph, { lengths: ints(3, 0) });
    expect(bind).toThrow("expected lengths of at least 1; got 2 lengths of 0 to 3 that add up to 3.");
  });

  test("divides by lengths what is not as long as the batch, too", () => {
    const x = input("x", "float32", ["M", 4]);
    const graph = makeGraph({ y: attention({ query: x, key: x, value: x, lengths }, { heads: 2 }) });
    expect(() => bindInputs(graph, { x: floats([6, 4]), lengths: ints(4, 2) })).not.toThrow();
    const bind = () => bindInputs(graph, { x: floats([6, 4]), lengths: ints(4, 3) });
    expect(bind).toThrow("add up to 6; got 2 lengths of 3 to 4 that add up to 7");
  });

  test("binds the letter of the rows that lengths divide, and no other", () => {
    const rows = input("rows", "float32", ["M", 4]);
    const y = attention({ query: rows, key: rows, value: rows, lengths }, { heads: 2 });
    const graph = makeGraph({ x: activation(input("x", "float32", ["T", 4]), "relu"), y });
    const inputs = { x: floats([3, 4]), rows: floats([5, 4]), lengths: ints(4, 1) };
    expect(Object.fromEntries(bindInputs(graph, inputs))).toEqual({ T: 3, M: 5, B: 2, S: 4 });
  });

  describe("with dropout of attention", () => {
    const x = input("x", "float32", ["T", 4]);
    const groups = input("groups", "int32", ["E"]);
    const attend = (divided: typeof lengths, rate: number) =>
      attention({ query: x, key: x, value: x, lengths: divided }, { heads: 2, dropout: rate });
    const inputs = { x: floats([6, 4]), lengths: ints(2, 4), groups: ints(1, 5) };

    test("reads S off the sequences that have masks", () => {
      const graph = makeGraph({ a: attend(lengths, 0.5), b: attend(groups, 0), c: attend(lengths, 0.1) });
      expect(bindInputs(graph, inputs, 1).get("S")).toBe(4);
    });

    test("refuses masks for different sequences", () => {
      const bind = () => bindInputs(makeGraph({ a: attend(lengths, 0.5), b: attend(groups, 0.1) }), inputs, 1);
      expect(bind).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
      expect(bind).toThrow("expected the same lengths for all of a graph");
    });
  });

  test("checks indices and labels that follow from lengths", () => {
    const table = parameter("table", [5, 4], "normal");
    const chosen = makeGraph({ y: gather(table, starts(lengths)) });
    expect(() => bindInputs(chosen, { lengths: ints(4, 9) })).not.toThrow();
    expect(() => bindInputs(chosen, { lengths: ints(5, 1) })).toThrow(
      "starts[1] is out of range; expected 0 to 4; got 5",
    );
    const logits = input("logits", "float32", ["T", 3]);
    const weights = input("weights", "float32", ["T"]);
    const judged = makeGraph({ loss: softmaxCrossEntropy(logits, positions(lengths), weights) });
    const given = { logits: floats([4, 3]), weights: floats([4]) };
    expect(() => bindInputs(judged, { ...given, lengths: ints(1, 3) })).not.toThrow();
    expect(() => bindInputs(judged, { ...given, lengths: ints(4) })).toThrow("got 4");
  });

  test.each([-1, 2 ** 32, 0.5, Number.NaN])("refuses the seed %d", (seed) => {
    expect(() => bindInputs(GRAPH, INPUTS, seed)).toThrow(`expected a whole number from 0 to 4294967295; got ${seed}`);
  });

  test("takes float64, and inputs that it does not know", () => {
    const x: Value = { data: new Float64Array(24), shape: [6, 4] };
    expect(() => bindInputs(GRAPH, { ...INPUTS, x, more: floats([1]) })).not.toThrow();
  });

  const refusals: readonly (readonly [string, Partial<Record<string, Value>>, ErrorCode, string])[] = [
    [
      "a missing input",
      { chosen: undefined },
      "INPUT_MISSING",
      "expected ids, lengths, x, chosen, labels, rowWeights; got ids, lengths, x, labels, rowWeights",
    ],
    [
      "too few dimensions",
      { x: floats([24]) },
      "INPUT_SHAPE",
      'input "x" does not fit the model; expected float32 [T, 4]; got Float32Array [24] of 24.',
    ],
    [
      "another width",
      { x: floats([6, 5]) },
      "INPUT_SHAPE",
      "expected float32 [T, 4] with 4 = 4, as in the model; got Float32Array [6, 5] of 30",
    ],
    [
      "a letter of two sizes",
      { x: floats([7, 4]) },
      "INPUT_SHAPE",
      "expected float32 [T, 4] with T = 6, as in ids; got Float32Array [7, 4] of 28",
    ],
    ["floats for integers", { ids: floats([6]) }, "INPUT_SHAPE", "expected int32 [T]; got Float32Array [6] of 6"],
    [
      "integers for floats",
      { rowWeights: ints(1, 1, 1) },
      "INPUT_SHAPE",
      "expected float32 [M]; got Int32Array [3] of 3",
    ],
    [
      "fewer numbers than the shape says",
      { x: { data: new Float32Array(20), shape: [6, 4] } },
      "INPUT_SHAPE",
      "expected float32 [T, 4] with 24 numbers; got Float32Array [6, 4] of 20",
    ],
    [
      "no rows",
      { chosen: ints(), labels: ints(), rowWeights: floats([0]) },
      "INPUT_SHAPE",
      "expected int32 [M] with at least one row; got Int32Array [0] of 0",
    ],
    [
      "an id beyond the table",
      { ids: ints(0, 9, 3, 3, 1, 2) },
      "ID_OUT_OF_RANGE",
      "ids[1] is out of range; expected 0 to 8; got 9",
    ],
    [
      "a negative id",
      { ids: ints(0, 8, 3, 3, 1, -1) },
      "ID_OUT_OF_RANGE",
      "ids[5] is out of range; expected 0 to 8; got -1",
    ],
    [
      "a token beyond the batch",
      { chosen: ints(5, 0, 6) },
      "ID_OUT_OF_RANGE",
      "chosen[2] is out of range; expected 0 to 5; got 6",
    ],
    [
      "a label beyond the logits",
      { labels: ints(3, 0, 1) },
      "ID_OUT_OF_RANGE",
      "labels[0] is out of range; expected 0 to 2; got 3",
    ],
    [
      "lengths that add up to fewer tokens",
      { lengths: ints(1, 4) },
      "ID_OUT_OF_RANGE",
      "add up to 6; got 2 lengths of 1 to 4 that add up to 5",
    ],
    [
      "lengths that add up to more tokens",
      { lengths: ints(2, 5) },
      "ID_OUT_OF_RANGE",
      "add up to 6; got 2 lengths of 2 to 5 that add up to 7",
    ],
    ["an empty sequence", { lengths: ints(1, 5, 0) }, "ID_OUT_OF_RANGE", "lengths of at least 1"],
    ["a negative length", { lengths: ints(5, 3, -2) }, "ID_OUT_OF_RANGE", "lengths of at least 1"],
    [
      "a sequence longer than the table of positions",
      { lengths: ints(6) },
      "ID_OUT_OF_RANGE",
      "sequences of at most 5 tokens; got 6",
    ],
  ];

  test.each(refusals)("refuses %s", (_, changes, code, message) => {
    const entries = Object.entries<Value | undefined>({ ...INPUTS, ...changes });
    const inputs = Object.fromEntries(entries.flatMap(([name, value]) => (value ? [[name, value]] : [])));
    const bind = () => bindInputs(GRAPH, inputs);
    expect(bind).toThrow(expect.objectContaining({ code }));
    expect(bind).toThrow(message);
  });

  test.each<[string, Graph, Inputs]>([
    [
      "starts alone",
      makeGraph({ y: gather(input("x", "float32", ["T", 4]), starts(lengths)) }),
      { x: INPUTS.x, lengths: ints(1, 6) },
    ],
    [
      "scatterAdd",
      makeGraph({ y: scatterAdd(ids, input("x", "float32", ["T", 4]), parameter("words", [8, 4], "normal")) }),
      { x: INPUTS.x, ids: INPUTS.ids },
    ],
  ])("checks the indices of %s", (_, graph, inputs) => {
    expect(() => bindInputs(graph, inputs)).toThrow(expect.objectContaining({ code: "ID_OUT_OF_RANGE" }));
  });

  describe("with sequences in groups", () => {
    const first = gather(input("x", "float32", ["T", 4]), starts(lengths)); // [B, 4]
    const choices = input("choices", "int32", ["E"]);
    const labels = input("labels", "int32", ["E", 4]);
    const graph = makeGraph({
      loss: segmentCrossEntropy(first, choices, labels, input("rowWeights", "float32", ["E"])),
    });
    const groups = {
      x: INPUTS.x,
      lengths: ints(1, 1, 3, 1),
      choices: ints(1, 3),
      labels: { data: Int32Array.of(0, 0, 0, 0, 2, 0, 1, 2), shape: [2, 4] },
      rowWeights: floats([2]),
    };

    test("reads S off the sequences, not the groups", () => {
      expect(Object.fromEntries(bindInputs(graph, groups))).toEqual({ T: 6, B: 4, E: 2, S: 3 });
      const inputs = { ...groups, lengths: ints(1, 2, 1, 2) };
      expect(bindInputs(graph, inputs).get("S")).toBe(2);
    });

    test.each<[string, Inputs, string]>([
      [
        "groups of fewer rows than there are",
        { choices: ints(2, 1) },
        'the lengths in "choices" do not fit what they divide; expected lengths of at least 1 that add up to 4; ' +
          "got 2 lengths of 1 to 2 that add up to 3.",
      ],
      ["an empty group", { choices: ints(4, 0) }, "expected lengths of at least 1"],
      [
        "a label beyond its group",
        { labels: { data: Int32Array.of(0, 0, 0, 1, 2, 0, 1, 2), shape: [2, 4] } },
        "labels[0, 3] is out of range; expected 0 to 0; got 1",
      ],
      [
        "a negative label",
        { labels: { data: Int32Array.of(0, 0, 0, 0, 2, -1, 1, 2), shape: [2, 4] } },
        "labels[1, 1] is out of range; expected 0 to 2; got -1",
      ],
    ])("refuses %s", (_, changes, message) => {
      const bind = () => bindInputs(graph, { ...groups, ...changes });
      expect(bind).toThrow(expect.objectContaining({ code: "ID_OUT_OF_RANGE" }));
      expect(bind).toThrow(message);
    });
  });

  test("wants a seed where something is dropped, and there only", () => {
    const x = input("x", "float32", ["T", 4]);
    const inputs = { x: INPUTS.x, lengths: INPUTS.lengths };
    const qkv = { query: x, key: x, value: x, lengths };
    const dropping = [dropout(x, 0.1), attention(qkv, { heads: 2, dropout: 0.1 })];
    for (const y of dropping) {
      const graph = makeGraph({ y });
      expect(() => bindInputs(graph, inputs)).toThrow(expect.objectContaining({ code: "SEED_MISSING" }));
      expect(() => bindInputs(graph, inputs, 0)).not.toThrow();
    }
    expect(() => bindInputs(makeGraph({ y: attention(qkv, { heads: 2 }) }), inputs)).not.toThrow();
  });
});

describe("bindShape", () => {
  test("puts numbers for letters", () => {
    expect(bindShape(["T", 4], bindInputs(GRAPH, INPUTS))).toEqual([6, 4]);
    expect(bindShape([], new Map())).toEqual([]);
  });
});

describe("checkOutputs", () => {
  const bindings = bindInputs(GRAPH, INPUTS);

  test("lets buffers of the right size pass", () => {
    expect(() =>
      checkOutputs(GRAPH, bindings, { logits: new Float32Array(9), loss: new Float32Array(1) }),
    ).not.toThrow();
    expect(() => checkOutputs(GRAPH, bindings)).not.toThrow();
  });

  test.each([
    [
      "too small",
      { logits: new Float32Array(8) },
      'the buffer for output "logits" does not fit the model; expected float32 [M, 3]; got a Float32Array of 8.',
    ],
    ["too large", { logits: new Float32Array(10) }, "got a Float32Array of 10"],
    ["for integers", { places: new Float32Array(6) }, "expected int32 [T]"],
    ["for no output", { hidden: new Float32Array(6) }, "expected one of loss, logits, first, places"],
    ["for the name of a method", { toString: new Float32Array(6) }, "expected one of loss, logits, first, places"],
  ])("refuses one that is %s", (_, buffers, message) => {
    const check = () => checkOutputs(GRAPH, bindings, buffers);
    expect(check).toThrow(expect.objectContaining({ code: "INPUT_SHAPE" }));
    expect(check).toThrow(message);
  });
});
