import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { type Argument, type Call, isPlace, type Place, quantityIn, type RunSizes } from "./plan.ts";
import { type Address, encode, encodeCalls } from "./program.ts";

const NAMES = ["add", "gather", "product"] as const;
const KERNELS = new Map<string, number>(NAMES.map((name, i) => [name, i]));
const RUN: RunSizes = { bindings: new Map([["T", 13]]), seed: 2 ** 32 - 1 };

const PLACES: readonly Place[] = [
  { kind: "input", name: "ids" },
  { kind: "parameter", name: "weight" },
  { kind: "output", name: "loss" },
  { kind: "arena", bytes: 40 },
  { kind: "constant", parameter: "weight", form: "panels", bytes: 8 },
];
const addressOf = (place: Place): Address => ({
  buffer: PLACES.indexOf(place),
  offset: 2 ** 40 + 64 * PLACES.indexOf(place),
});

/** Arguments that a run decides too. */
const ARGUMENT: fc.Arbitrary<Argument> = fc.oneof(
  fc.constant(null),
  fc.constantFrom(...PLACES),
  fc.double({ noNaN: true }),
  fc.constantFrom<Argument>(
    ({ bindings }) => bindings.get("T")!,
    ({ seed }) => seed,
  ),
);
const CALLS: fc.Arbitrary<Call[]> = fc.array(
  fc.record({ kernel: fc.constantFrom(...NAMES), arguments: fc.array(ARGUMENT, { maxLength: 8 }) }),
  { maxLength: 12 },
);

/** Reads a program as native/program.h describes it, by what the calls say is a place and what a number. */
function decode(program: Float64Array, calls: readonly Call[]) {
  let at = 0;
  const next = () => program[at++];
  const read = calls.map((call) => {
    const [kernel, count] = [next(), next()];
    const first = at;
    const values = call.arguments.map((argument) =>
      argument === null || isPlace(argument) ? { buffer: next(), offset: next() } : next(),
    );
    return { kernel, values, counted: count === at - first };
  });
  return { read, rest: program.length - at };
}

describe("a program", () => {
  test("is the calls, one after another: kernel, how many numbers follow, and these", () => {
    fc.assert(
      fc.property(CALLS, (calls) => {
        const { read, rest } = decode(encode(calls, KERNELS, addressOf, RUN), calls);
        expect(rest).toBe(0);
        expect(read).toEqual(
          calls.map((call) => ({
            kernel: KERNELS.get(call.kernel),
            counted: true,
            values: call.arguments.map((argument) => {
              if (argument === null) return { buffer: -1, offset: 0 };
              return isPlace(argument) ? addressOf(argument) : quantityIn(argument, RUN);
            }),
          })),
        );
      }),
    );
  });

  test("has two numbers for a place, two for one left out, one for a number", () => {
    const calls: Call[] = [
      { kernel: "gather", arguments: [PLACES[3], null, ({ bindings }) => bindings.get("T")!, 0.5] },
      { kernel: "add", arguments: [] },
    ];
    const address = () => ({ buffer: 4, offset: 128 });
    expect([...encode(calls, KERNELS, address, RUN)]).toEqual([1, 6, 4, 128, -1, 0, 13, 0.5, 0, 0]);
  });

  test("of no calls is empty", () => {
    expect(encode([], KERNELS, addressOf, RUN)).toEqual(new Float64Array(0));
  });

  test("calls no kernel that there is not", async () => {
    const encodeUnknown = async () => encodeCalls([{ kernel: "divide", arguments: [] }], KERNELS, () => null);
    await expectError(encodeUnknown(), "INTERNAL", "no native kernel divide");
  });
});
