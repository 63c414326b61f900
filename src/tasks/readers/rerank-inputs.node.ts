import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { hasText } from "../../base/has-text.ts";
import { placeOf, readTable } from "../../formats/table.node.ts";
import { onEmpty } from "../definitions/text-reading.ts";
import type { InputReader } from "../run/input-reader.ts";
import type { RerankInput } from "../run/text-or-pair.ts";
import { emptyRow, listOfTexts } from "./text-rows.node.ts";

const reading = z.object({
  queryColumn: z.string().default("query").describe("column of the query"),
  textsColumn: z.string().default("texts").describe("column of the texts to rank, a list"),
  onEmpty,
});

/**
 * A query and its texts: the command line's first and its others, or the rows of a table with lists. Of texts that are empty
 * each is counted by itself; they stay in their list, so that the others keep their places, but are not ranked.
 */
export const rerankInputs = {
  reading,
  async *read(source, { queryColumn, textsColumn, onEmpty }, counts) {
    const rows = typeof source === "string" ? tableRows(source, queryColumn, textsColumn) : [givenRow(source ?? [])];
    for await (const { query, texts, place, placeOf } of rows) {
      const isUsable = hasText(query) && texts.some(hasText);
      const empty = texts.flatMap((text, i) => (hasText(text) ? [] : placeOf(i)));
      if (onEmpty === "refuse") {
        if (!isUsable) throw emptyRow(`${place} has no query or no texts`);
        if (empty.length > 0) throw emptyRow(`${empty[0]} is empty`);
      }
      if (!isUsable) {
        counts.skip("without a query or texts", place);
        continue;
      }
      for (const one of empty) counts.skip("without text", one);
      yield { input: { query, texts }, shown: { query } };
    }
  },
} satisfies InputReader<RerankInput, typeof reading>;

interface RerankRow extends RerankInput {
  readonly place: string;
  /** Where one of the texts stands. */
  readonly placeOf: (text: number) => string;
}

/** Throws OPTION_INVALID. */
function givenRow([query, ...texts]: readonly string[]): RerankRow {
  if (texts.length > 0) return { query, texts, place: "text 1", placeOf: (text) => `text ${text + 2}` };
  throw new ClozeError("OPTION_INVALID", {
    problem: "the task rerank is about a query and texts",
    expected: "a query and one text or more, or --input with a table",
  });
}

async function* tableRows(path: string, queryColumn: string, textsColumn: string): AsyncGenerator<RerankRow> {
  for await (const row of readTable(path, { columns: [queryColumn, textsColumn], lists: [textsColumn] })) {
    const [query, cell] = row.values;
    const place = placeOf(path, row);
    const texts = listOfTexts(cell, place, textsColumn);
    yield { query, texts, place, placeOf: (text) => `${place}, text ${text + 1}` };
  }
}
