import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  convertTags,
  detectScheme,
  entitiesOf,
  invalidTransitions,
  TAG_SCHEMES,
  type TagScheme,
} from "./tag-schemes.ts";

const tagsOf = (text: string) => (text === "" ? [] : text.split(" "));
/** Entities as "type start end". */
const read = (text: string) => entitiesOf(tagsOf(text)).map(({ type, start, end }) => `${type} ${start} ${end}`);

const anyTag = fc.constantFrom(
  "O",
  ...["B", "I", "E", "S"].flatMap((prefix) => [`${prefix}-X`, `${prefix}-Y`, prefix]),
);
const anyTags = fc.array(anyTag, { maxLength: 12 });

describe("entitiesOf", () => {
  test.each([
    ["", []],
    ["O O", []],
    ["B-X I-X O B-X", ["X 0 2", "X 3 4"]],
    ["B-X B-X I-Y", ["X 0 1", "X 1 2", "Y 2 3"]],
    ["I-X I-X I-Y B-Y I-Y", ["X 0 2", "Y 2 3", "Y 3 5"]],
    ["S-X B-X I-X E-X S-Y", ["X 0 1", "X 1 4", "Y 4 5"]],
    ["B-creative-work I-creative-work", ["creative-work 0 2"]],
    ["B I O S", [" 0 2", " 3 4"]],
    ["B- I", [" 0 2"]],
  ])("reads valid tags: %s", (tags, entities) => {
    expect(read(tags)).toEqual(entities);
  });

  test.each([
    ["O I-X", ["X 1 2"]],
    ["B-X I-Y I-X", ["X 0 1", "Y 1 2", "X 2 3"]],
    ["E-X E-X I-X", ["X 0 1", "X 1 2", "X 2 3"]],
    ["S-X I-X E-X", ["X 0 1", "X 1 3"]],
    ["B-X S-X I-X", ["X 0 1", "X 1 2", "X 2 3"]],
    ["O E-X", ["X 1 2"]],
    ["I-X E-X B-X", ["X 0 2", "X 2 3"]],
    ["B-X E-Y", ["X 0 1", "Y 1 2"]],
  ])("reads invalid transitions as conlleval and seqeval do: %s", (tags, entities) => {
    expect(read(tags)).toEqual(entities);
  });

  test("advises on tags of BILOU alone how to rename them", () => {
    expect(() => entitiesOf(["U-PER"])).toThrow("Rename L- to E-");
    expect(() => entitiesOf(["PRON"])).toThrow(/got "PRON"\. Correct it; .* --scheme plain\.$/);
  });

  test.each(["X-PER", "PER", "b-PER", "U-PER", "OO", "O-PER", "BPER", ""])("refuses the tag %j", (tag) => {
    const refused = (place: string) => {
      const problem = `${place} has a malformed tag`;
      return expect.objectContaining({ code: "ROW_MALFORMED", problem, received: JSON.stringify(tag) });
    };
    const placeOf = (token: number) => `a.conll, line ${10 + token}`;
    expect(() => entitiesOf(["O", tag])).toThrow(refused("token 2"));
    expect(() => entitiesOf(["O", tag], placeOf)).toThrow(refused("a.conll, line 11"));
    expect(() => convertTags(["O", tag], "IO", placeOf)).toThrow(refused("a.conll, line 11"));
    expect(() => invalidTransitions([tag], "IOB2")).toThrow(refused("token 1"));
  });
});

describe("convertTags", () => {
  const tags = tagsOf("S-X B-X I-X E-X O B-Y E-Y S-X");
  const expected: { [S in TagScheme]: string } = {
    IO: "I-X I-X I-X I-X O I-Y I-Y I-X",
    IOB1: "I-X B-X I-X I-X O I-Y I-Y I-X",
    IOB2: "B-X B-X I-X I-X O B-Y I-Y B-X",
    BIOES: tags.join(" "),
  };
  const schemes: TagScheme[] = ["IO", "IOB1", "IOB2", "BIOES"];

  test.each(schemes)("to %s", (scheme) => {
    expect(convertTags(tags, scheme)).toEqual(tagsOf(expected[scheme]));
  });

  test.each(schemes.slice(1))("to %s keeps the entities of any tags, and again changes nothing", (scheme) => {
    fc.assert(
      fc.property(anyTags, (tags) => {
        const converted = convertTags(tags, scheme);
        expect(entitiesOf(converted)).toEqual(entitiesOf(tags));
        expect(convertTags(converted, scheme)).toEqual(converted);
      }),
    );
  });

  test("to IO keeps which tokens have which type", () => {
    fc.assert(
      fc.property(anyTags, (tags) => {
        expect(convertTags(tags, "IO")).toEqual(tags.map((tag) => tag.replace(/^[BES]/, "I")));
      }),
    );
  });
});

describe("detectScheme", () => {
  test.each([
    ["IO", ["I-X I-X O", "I-Y"]],
    ["IO", ["O O"]],
    ["IO", []],
    ["IOB1", ["I-X B-X O", "I-Y I-X"]],
    ["IOB2", ["B-X B-X O", "O"]],
    ["IOB2", ["I-X B-X", "O B-Y"]],
    ["IOB2", ["B-X I-X", "O I-X"]],
    ["IOB2", ["B I O"]],
    ["BIOES", ["B-X E-X", "S-X"]],
    ["BIOES", ["O I-X E-X", "S-X"]],
    ["BIOES", ["O B-X E-X"]],
    ["IOE", ["O I-X E-X", "E-X"]],
    ["plain", ["DET NOUN -LRB-", "PRP$ ."]],
    ["plain", ["N O V", "E S I B"]],
    ["plain", ["O PER"]],
    ["plain", ["FW-NN NN-TL"]],
    ["mixed", ["O X-PER"]],
    ["mixed", ["B-PER PER O"]],
    ["mixed", ["B-PER I-PER U-LOC"]],
    ["mixed", ["O b-per"]],
    ["mixed", ["NN", "NN B-NP"]],
  ])("%s: %j", (scheme, sentences) => {
    expect(detectScheme(sentences.map(tagsOf))).toBe(scheme);
  });

  test("what convertTags writes needs no more than the scheme it was written in", () => {
    const mayBe: { [S in TagScheme]: string[] } = {
      IO: ["IO"],
      IOB1: ["IOB1", "IO"],
      IOB2: ["IOB2", "IO"], // IO where there are no entities
      BIOES: ["BIOES", "IO"],
    };
    fc.assert(
      fc.property(anyTags, fc.constantFrom<TagScheme>("IO", "IOB1", "IOB2", "BIOES"), (tags, scheme) => {
        expect(mayBe[scheme]).toContain(detectScheme([convertTags(tags, scheme)]));
      }),
    );
  });
});

describe("invalidTransitions", () => {
  test.each([
    ["IO", "I-X I-Y O B-X E-X", [3, 4]],
    ["IOB1", "I-X I-X B-X I-Y B-X O B-X S-X", [4, 6, 7]],
    ["IOB2", "B-X I-X O B-Y B-Y", []],
    ["IOB2", "I-X O I-X I-X", [0, 2]],
    ["IOB2", "B-X I-Y I-Y", [1]],
    ["IOB2", "S-X B-X E-X O", [0, 2]],
    ["BIOES", "S-X B-X I-X E-X O S-Y", []],
    ["BIOES", "B-X O B-X B-X E-X", [1, 3]],
    ["BIOES", "B-X E-Y S-Y", [1]],
    ["BIOES", "B-X I-X", [2]],
    ["BIOES", "O I-X E-X", [1]],
    ["BIOES", "E-X", [0]],
    ["BIOES", "", []],
  ] as const)("%s: %s", (scheme, tags, expected) => {
    expect(invalidTransitions(tagsOf(tags), scheme)).toEqual(expected);
  });

  test.each(TAG_SCHEMES)("%s tags are valid exactly when converting them changes nothing", (scheme) => {
    fc.assert(
      fc.property(anyTags, (tags) => {
        const unchanged = convertTags(tags, scheme).every((tag, i) => tag === tags[i]);
        expect(invalidTransitions(tags, scheme).length === 0).toBe(unchanged);
      }),
    );
  });
});
