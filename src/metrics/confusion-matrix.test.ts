import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClozeError } from "../base/errors.ts";
import { confusionFigure, confusionMatrix } from "./confusion-matrix.ts";

describe("confusionMatrix", () => {
  test("has gold labels as rows and predicted labels as columns", () => {
    const matrix = confusionMatrix({ gold: [0, 0, 0, 1, 2], predicted: [0, 1, 1, 1, 0], labelCount: 3 });
    expect(matrix).toEqual([
      [1, 2, 0],
      [0, 1, 0],
      [1, 0, 0],
    ]);
  });

  test("takes typed arrays", () => {
    const matrix = confusionMatrix({ gold: Int32Array.of(1), predicted: Uint8Array.of(0), labelCount: 2 });
    expect(matrix).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  test("counts every example once", () => {
    const examples = fc.array(fc.tuple(fc.nat(4), fc.nat(4)));
    fc.assert(
      fc.property(examples, (pairs) => {
        const [gold, predicted] = [pairs.map(([g]) => g), pairs.map(([, p]) => p)];
        const matrix = confusionMatrix({ gold, predicted, labelCount: 5 });
        for (let g = 0; g < 5; g++) {
          for (let p = 0; p < 5; p++) {
            expect(matrix[g]![p]).toBe(pairs.filter((pair) => pair[0] === g && pair[1] === p).length);
          }
        }
      }),
    );
  });

  test.each([
    ["SHAPE_MISMATCH", { gold: [0, 1], predicted: [0], labelCount: 2 }],
    ["ID_OUT_OF_RANGE", { gold: [2], predicted: [0], labelCount: 2 }],
    ["ID_OUT_OF_RANGE", { gold: [0], predicted: [-1], labelCount: 2 }],
    ["ID_OUT_OF_RANGE", { gold: [0.5], predicted: [0], labelCount: 2 }],
    ["ID_OUT_OF_RANGE", { gold: [0], predicted: [Number.NaN], labelCount: 2 }],
  ])("refuses labels that do not fit: %s, %o", (code, judged) => {
    expect(() => confusionMatrix(judged)).toThrow(ClozeError);
    expect(() => confusionMatrix(judged)).toThrow(expect.objectContaining({ code }));
  });
});

test("confusionFigure is a matrix that somebody may read: of 200 labels at most", () => {
  const matrixOf = (labelCount: number) => confusionMatrix({ gold: [0], predicted: [1], labelCount });
  for (const count of [2, 200]) expect(confusionFigure(matrixOf(count))).toEqual({ confusion: matrixOf(count) });
  expect(confusionFigure(matrixOf(201))).toEqual({});
});
