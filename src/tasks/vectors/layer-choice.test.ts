import { describe, expect, test } from "vitest";
import { chooseLayers, type LayerChoice } from "./layer-choice.ts";

/** Layers of the model. */
const L = 12;

describe("chooseLayers", () => {
  test.each<[choice: LayerChoice, layers: number[]]>([
    ["-1", [12]],
    ["12", [12]],
    ["0", [0]],
    ["-13", [0]],
    ["-4..-1", [9, 10, 11, 12]],
    ["0..2", [0, 1, 2]],
    ["10..-1", [10, 11, 12]],
    ["-1..-1", [12]],
    ["0..-1", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ["-1,0, 4..5", [12, 0, 4, 5]],
    [[-1], [12]],
    [
      [3, -13, 1],
      [3, 0, 1],
    ],
  ])("takes %j for %j", (choice, layers) => {
    expect(chooseLayers(choice, L)).toEqual(layers);
  });

  test.each<[choice: LayerChoice, complaint: string]>([
    ["", "cannot be read"],
    ["last", "cannot be read"],
    ["-4...-1", "cannot be read"],
    ["-4..", "cannot be read"],
    ["..-1", "cannot be read"],
    ["1.5", "cannot be read"],
    ["1e0", "cannot be read"],
    ["1,", "cannot be read"],
    ["--1", "cannot be read"],
    ["+1", "cannot be read"],
    ["1 2", "cannot be read"],
    ["13", "no such layer"],
    ["-14", "no such layer"],
    ["9..13", "no such layer"],
    ["99999999999999999999", "no such layer"],
    ["-1..-4", "goes upwards"],
    ["3..-12", "goes upwards"],
    ["-1,12", "layer 12 is chosen twice"],
    ["1..3,2", "layer 2 is chosen twice"],
    [[], "no layer is chosen"],
    [[13], "no such layer"],
    [[-14], "no such layer"],
    [[0.5], "no such layer"],
    [[Number.NaN], "no such layer"],
    [[1, 1], "layer 1 is chosen twice"],
  ])("refuses %j: %s", (choice, complaint) => {
    const message = expect.stringMatching(`${complaint}.*from 0, the embeddings, to 12`);
    expect(() => chooseLayers(choice, L)).toThrow(expect.objectContaining({ code: "OPTION_INVALID", message }));
  });
});
