import { expect, test } from "vitest";
import { Parameters } from "../../graph/parameters.ts";
import type { Constant } from "./plan.ts";
import { SharedConstants } from "./shared-constants.ts";

const constant = (parameter: string, form = "panels"): Constant => ({ kind: "constant", parameter, form, bytes: 8 });
const makeParameters = () => new Parameters([{ name: "a", shape: [2], initial: "zeros" }]);

/** Makes constants, and remembers which. */
function maker() {
  const made: string[] = [];
  const make = async (missing: readonly Constant[]) => {
    made.push(...missing.map(({ parameter, form }) => `${parameter} ${form}`));
    return missing.map(() => ({ buffer: new ArrayBuffer(8), offset: 0, bytes: 8 }));
  };
  return { made, make };
}

test("a constant is made once for all who hold it at a time, and once more when nobody does", async () => {
  const { made, make } = maker();
  const shared = new SharedConstants();
  const parameters = makeParameters();
  const [first, second] = await Promise.all([
    shared.hold(parameters, [constant("a"), constant("b")], make),
    shared.hold(parameters, [constant("b"), constant("c"), constant("b", "bfloat16")], make),
  ]);
  expect(made).toEqual(["a panels", "b panels", "c panels", "b bfloat16"]);
  const [, b] = first.memories.values();
  expect(b).toBe([...second.memories.values()][0]);
  first.release();
  const third = await shared.hold(parameters, [constant("b"), constant("a")], make);
  expect(made.slice(4)).toEqual(["a panels"]);
  expect([...third.memories.values()][0]).toBe(b);
  second.release();
  third.release();
  await shared.hold(parameters, [constant("b")], make);
  expect(made.slice(5)).toEqual(["b panels"]);
});

test("other parameters have constants of their own", async () => {
  const { made, make } = maker();
  const shared = new SharedConstants();
  await shared.hold(makeParameters(), [constant("a")], make);
  await shared.hold(makeParameters(), [constant("a")], make);
  expect(made).toEqual(["a panels", "a panels"]);
});

test("what could not be made is told to all who wait for it, and made when it is asked for again", async () => {
  const { made, make } = maker();
  const shared = new SharedConstants();
  const parameters = makeParameters();
  const refuse = async () => {
    throw new Error("no memory");
  };
  const results = await Promise.allSettled([
    shared.hold(parameters, [constant("a"), constant("b")], refuse),
    shared.hold(parameters, [constant("b")], make),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await shared.hold(parameters, [constant("b")], make);
  expect(made).toEqual(["b panels"]);
});

test("what was made elsewhere is taken, and stays when nobody holds it", async () => {
  const { made, make } = maker();
  const shared = new SharedConstants();
  const parameters = makeParameters();
  const memory = { buffer: new ArrayBuffer(8), offset: 4, bytes: 4 };
  shared.adopt(parameters, [{ parameter: "a", form: "panels", memory }]);
  for (let i = 0; i < 2; i++) {
    const held = await shared.hold(parameters, [constant("a"), constant("a", "bfloat16")], make);
    expect([...held.memories.values()][0]).toBe(memory);
    held.release();
  }
  expect(made).toEqual(["a bfloat16", "a bfloat16"]);
});
