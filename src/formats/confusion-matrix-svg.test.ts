import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { confusionMatrixSvg } from "./confusion-matrix-svg.ts";

const draw = (matrix: number[][], labels = matrix.map((_, i) => `label ${i}`)) =>
  confusionMatrixSvg({ title: "Dev", matrix, labels });

/** A matrix of so many labels, most of whose examples are right. */
const matrixOf = (labelCount: number) =>
  Array.from({ length: labelCount }, (_, gold) =>
    Array.from({ length: labelCount }, (_, predicted) => (gold === predicted ? 7 : (gold + predicted) % 3)),
  );

interface Text {
  readonly element: string;
  readonly content: string;
}

/** The texts of an image that is well-formed: tags nest, attributes are quoted, nothing stands around the root. */
function textsOf(svg: string): Text[] {
  const open: string[] = [];
  const texts: Text[] = [];
  const tokens = svg.matchAll(/<(\/?)([a-z]\w*)((?: [a-z][\w-]*="[^"<&]*")*)(\/?)>|((?:[^<&]|&(?:amp|lt|gt);)+)|./gsu);
  for (const [token, closing, name, , empty, text] of tokens) {
    if (text !== undefined) {
      const content = text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
      if (text.trim() !== "") texts.push({ element: open.at(-1) ?? "", content });
    } else if (name === undefined) throw new Error(`${JSON.stringify(token)} is not well-formed`);
    else if (closing) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name);
    if (open.length === 0 && token.trim() !== "") expect(token).toBe("</svg>"); // one root, and nothing around it
  }
  expect(open).toEqual([]);
  return texts;
}

const contents = (svg: string, element: string) =>
  textsOf(svg)
    .filter((text) => text.element === element)
    .map(({ content }) => content);

/** The place, size and opacity of each cell. */
const cells = (svg: string) =>
  Array.from(
    svg.matchAll(/<rect x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)" fill="#\w+" fill-opacity="(.+?)"\/>/g),
    (match) => match.slice(1).map(Number),
  );

const sizeOf = (svg: string) => /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.slice(1).map(Number);

describe("confusionMatrixSvg", () => {
  test("draws gold labels as rows, predicted ones as columns, and shades a cell by its share of the row", () => {
    const svg = draw(
      [
        [30, 10],
        [0, 5],
      ],
      ["no", "yes"],
    );
    expect(contents(svg, "text")).toEqual([
      ...["Dev", "shaded by the share of the row", "30", "10", "5", "no", "yes", "no", "yes", "predicted", "gold"],
    ]);
    expect(contents(svg, "title")).toEqual([
      ...["Dev", "no → no: 30 (75.0 %)", "no → yes: 10 (25.0 %)", "yes → yes: 5 (100.0 %)"],
    ]);
    expect(cells(svg)).toEqual([
      [0, 0, 64, 64, 0.77],
      [64, 0, 64, 64, 0.31],
      [64, 64, 64, 64, 1],
    ]);
  });

  test("a cell with next to nothing is still to be seen", () => {
    const svg = draw([
      [999_999, 1],
      [0, 1],
    ]);
    expect(cells(svg)[1].at(-1)).toBeGreaterThan(0.05);
  });

  test("a label that nothing has is an empty row", () => {
    const svg = draw([
      [1, 2],
      [0, 0],
    ]);
    expect(cells(svg).map(([, y]) => y)).toEqual([0, 0]);
    expect(svg).not.toContain("NaN");
  });

  test.each([1, 2, 11, 30])("the cells of %i labels have numbers, smaller than they are", (labelCount) => {
    const matrix = matrixOf(labelCount).map((row) => row.map((count) => count * 12_345));
    const svg = draw(matrix);
    const numbers = contents(svg, "text").filter((text) => /^\d+$/.test(text));
    expect(numbers).toEqual(matrix.flat().filter(Boolean).map(String));
    const font = Number(/fill="#111111" font-size="(.+?)"/.exec(svg)?.[1]);
    expect(font * 5 * 0.6).toBeLessThan(cells(svg)[0][2]);
  });

  test.each([31, 150])("those of %i labels have none, and keep their shades and what they tell", (labelCount) => {
    const svg = draw(matrixOf(labelCount));
    expect(contents(svg, "text").filter((text) => /^\d+$/.test(text))).toEqual([]);
    const drawn = matrixOf(labelCount).flat().filter(Boolean).length;
    expect(cells(svg)).toHaveLength(drawn);
    expect(contents(svg, "title")).toHaveLength(1 + drawn);
    expect(Math.max(...sizeOf(svg))).toBeLessThan(1000);
  });

  test("a long name is shortened, and tells the whole", () => {
    const long = "the name of a label that goes on 😀 and on";
    const svg = draw([[1]], [long]);
    expect(contents(svg, "text").filter((text) => text === "the name of a label…")).toHaveLength(2);
    expect(contents(svg, "title").filter((title) => title === long)).toHaveLength(2);
    expect(contents(svg, "title")).toContain(`${long} → ${long}: 1 (100.0 %)`);
    expect(draw([[1]], ["x".repeat(20)])).not.toContain("…");
  });

  test("names that are wider than a cell are slanted, and the image grows with them", () => {
    const short = draw(matrixOf(3), ["a", "b", "c"]);
    const long = draw(matrixOf(3), ["entailment", "neutral", "contradiction"]);
    expect(short).not.toContain("rotate(-45");
    expect(long.match(/rotate\(-45/g)).toHaveLength(3);
    const [[width, height], [wider, higher]] = [sizeOf(short), sizeOf(long)];
    expect(wider).toBeGreaterThan(width + 50);
    expect(higher).toBeGreaterThan(height + 50);
  });

  test("no labels are an empty image", () => {
    const svg = draw([]);
    expect(cells(svg)).toEqual([]);
    expect(textsOf(svg).map(({ content }) => content)).toContain("Dev");
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  test("escapes text, and replaces what XML cannot hold", () => {
    const name = `<b>&amp; "x"`;
    const svg = confusionMatrixSvg({ title: name, matrix: [[1]], labels: ["\0\ud800é漢😀"] });
    expect(contents(svg, "text")).toEqual(expect.arrayContaining([name, "\ufffd\ufffdé漢😀"]));
    expect(contents(svg, "title")[0]).toBe(name);
  });

  test("any matrix and any names make a well-formed image with finite places", () => {
    const labelled = fc.array(fc.string({ unit: "binary", maxLength: 30 }), { maxLength: 8 }).chain((labels) =>
      fc.record({
        title: fc.string({ unit: "binary" }),
        labels: fc.constant(labels),
        matrix: fc.array(fc.array(fc.nat(100_000), { minLength: labels.length, maxLength: labels.length }), {
          minLength: labels.length,
          maxLength: labels.length,
        }),
      }),
    );
    fc.assert(
      fc.property(labelled, (options) => {
        const svg = confusionMatrixSvg(options);
        textsOf(svg);
        expect(cells(svg).flat().every(Number.isFinite)).toBe(true);
        expect(cells(svg)).toHaveLength(options.matrix.flat().filter(Boolean).length);
      }),
    );
  });

  test.each([
    ["rows", [[1, 0]], ["a", "b"]],
    ["columns", [[1], [1]], ["a", "b"]],
    [
      "labels",
      [
        [1, 0],
        [0, 1],
      ],
      ["a"],
    ],
  ])("too few %s are SHAPE_MISMATCH", (_, matrix, labels) => {
    expect(() => draw(matrix, labels)).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
  });
});
