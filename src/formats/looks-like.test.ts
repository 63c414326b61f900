import { describe, expect, test } from "vitest";
import { looksLike, looksLikeTable, looksUnlikeText } from "./looks-like.ts";

describe("looksLike", () => {
  test.each([
    ["in a line", '{"version": "1.1", "data": [{"title": "Kenya", "paragraphs": [{"context": "Kenya'],
    ["over lines, without a title", '{\n  "data": [\n    {\n      "paragraphs": [\n'],
    ["with the version behind", '{"data":[{"title":null,"paragraphs":[]}],"version":"v2.0"}'],
    ["with more about an article", '{"version":1,"data":[{"id":-1.5e3,"kind":"Art [1]","open":true,"paragraphs":[]}]}'],
    ["without an article", '{"data": [], "version": "v2.0"}'],
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
    ["JSON Lines with objects", '{"question":"a","context":"b","data":[{"id":1}]}\n'],
    ["predictions", '{"q1":"a","q2":"b"}'],
    ["prose in other letters", "Привет мир\n\nПока мир\n\nДа и\n"],
  ])("%s is neither", (_, head) => {
    expect(looksLike(head)).toBeUndefined();
  });
});

describe("looksUnlikeText", () => {
  test.each([
    ["SQuAD", '{"version": "1.1", "data": [{"title": "Kenya", "paragraphs": [{"context": "Kenya'],
    ["entities with tabs", "Empire\tB-location\nState\tI-location\n.\tO\n\nFrom\tO\nGre"],
    ["entities with spaces and CRLF", "The O\r\nMad I-ORG\r\n\r\nIt O\r\nis O\r\n"],
    ["four columns", "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n. . O O\n\nPeter NNP B-NP B-PER\n"],
    ["nothing but O, with tabs", "It\tO\nis\tO\n\nIt\tO\nwas\tO\n"],
    ["parts of speech with tabs", "I\tPRP\nsaw\tVBD\n.\t.\n\nI\tPRP\n"],
    ["documents", "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\n"],
    ["CoNLL-U", "# sent_id = 1\n# text = It.\n1\tIt\tit\tPRON\n"],
  ])("%s is no text", (_, head) => {
    expect(looksUnlikeText(head)).toBeDefined();
    expect(looksUnlikeText(head)).toBe(looksLike(head));
  });

  test.each([
    ["nothing", ""],
    ["a sentence a line", "It rained.\nIt poured.\n\nIt stopped.\n"],
    ["words in capitals", "HELLO WORLD\n\nGOOD BYE\n\nNO ENTRY\n"],
    ["cut sentences", "Stop !\n\nWait !\n\nGo !\n"],
    ["plans", "Plan B\n\nPlan B\n\nPlan O\n"],
    ["vitamins", "Vitamin B-12\n\nVitamin B-6\n\nVitamin E-number\n"],
    ["blood groups", "type O\n\ntype O\n\ntype O\n"],
    ["chapters", "1\tINTRODUCTION\n\n2\tMETHODS\n\n3\tRESULTS\n"],
    ["a heading of Markdown", "# text of the song\n\nLa la la\n"],
    ["titles in capitals with tabs", "Hello there\tGREETING\n\nSo long\tFAREWELL\n\nWell\tO\n"],
    ["a table", "text\tlabel\n\na\tB\n"],
    ["JSON", '{"text":"a","data":[1,2]}\n'],
  ])("%s may be one", (_, head) => {
    expect(looksUnlikeText(head)).toBeUndefined();
  });
});

describe("looksLikeTable", () => {
  test.each([
    ["multiple-choice", ',video-id,"sent1",sent2,ending0,ending1\r\n0,'],
    ["multiple-choice", '{"sent1": "a", "ending0": "b", "ending1": "c", "ending2": "d'],
    ["text-classification", "sentence\tlabel\ngood\t1\n"],
    ["text-classification", '{"text": "a", "label": 0}\n'],
  ])("%s: %j", (task, head) => {
    expect(looksLikeTable(head)?.task).toBe(task);
  });

  test.each(["", "text\n", "question,context\na,b\n", '{"data": []}', "label of a text"])("none: %j", (head) => {
    expect(looksLikeTable(head)).toBeUndefined();
  });
});
