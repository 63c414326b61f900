import { describe, expect, test } from "vitest";
import { looksLike } from "./looks-like.ts";

describe("looksLike", () => {
  test.each([
    ["in a line", '{"version": "1.1", "data": [{"title": "Kenya", "paragraphs": [{"context": "Kenya'],
    ["over lines, without a title", '{\n  "data": [\n    {\n      "paragraphs": [\n'],
    ["with the version behind", '{"data":[{"title":null,"paragraphs":[]}],"version":"v2.0"}'],
  ])("SQuAD %s is for question-answering", (_, head) => {
    expect(looksLike(head)?.task).toBe("question-answering");
  });

  test.each([
    ["with tabs", "Empire\tB-location\nState\tI-location\n.\tO\n\nFrom\tO\nGre"],
    ["with spaces and CRLF", "The O\r\nMad I-ORG\r\n\r\nIt O\r\nis O\r\n"],
    ["with four columns", "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n. . O O\n\nPeter NNP B-NP B-PER\n"],
    ["with documents", "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\n"],
    ["with parts of speech", "I PRP\nsaw VBD\nit PRP$\n. .\n\nI PRP\n"],
    ["in CoNLL-U's form", "# sent_id = 1\n# text = It.\n1\tIt\tit\tPRON\n"],
  ])("CoNLL %s is for token-classification", (_, head) => {
    expect(looksLike(head)?.task).toBe("token-classification");
  });

  test.each([
    ["nothing", ""],
    ["blank lines", "\n\n\n"],
    ["a table", "text\tlabel\na\tB\n"],
    ["a table with blank lines", "text\tlabel\n\na b\tgood\n\nc d\tbad\n"],
    ["prose with paragraphs", "It was a dark night.\n\nIt rained.\n"],
    ["words", "One\n\nTwo\n\nThree\n"],
    ["JSON Lines", '{"text":"a","data":[1,2]}\n'],
    ["predictions", '{"q1":"a","q2":"b"}'],
  ])("%s is neither", (_, head) => {
    expect(looksLike(head)).toBeUndefined();
  });
});
