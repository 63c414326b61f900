import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { parseJson } from "../../formats/json.ts";
import { placeOf, readTable } from "../../formats/table.node.ts";
import { malformedRow } from "../../formats/table-row.ts";
import { onEmpty } from "../definitions/text-reading.ts";
import type { InputReader } from "../run/input-reader.ts";
import type { RerankInput } from "../run/text-or-pair.ts";
import { emptyRow } from "./text-rows.node.ts";

const reading = z.object({
  queryColumn: z.string().default("query").describe("column of the query"),
  textsColumn: z.string().default("texts").describe("column of the texts to rank, a list"),
  onEmpty,
});

const Texts = z.array(z.string()).min(1);

/** A query and its texts: the command line's first and its others, or the rows of a table with lists. */
export const rerankInputs = {
  reading,
  async *read(source, { queryColumn, textsColumn, onEmpty }, counts) {
    if (typeof source !== "string") {
      const [query, ...texts] = source ?? [];
      if (texts.length === 0) {
        throw new ClozeError("OPTION_INVALID", {
          problem: "the task rerank is about a query and texts",
          expected: "a query and one text or more, or --input with a table",
        });
      }
      yield { input: { query, texts }, shown: { query } };
      return;
    }
    for await (const row of readTable(source, { columns: [queryColumn, textsColumn], lists: [textsColumn] })) {
      const [query, cell] = row.values;
      const place = placeOf(source, row);
      if (query.trim() !== "" && cell.trim() !== "") {
        const texts = textsOf(cell, place, textsColumn);
        yield { input: { query, texts }, shown: { query } };
      } else if (onEmpty === "skip") {
        counts.skip("without a query or texts", place);
      } else {
        throw emptyRow(`${place} has no query or no texts`);
      }
    }
  },
} satisfies InputReader<RerankInput, typeof reading>;

/** Throws ROW_MALFORMED. */
function textsOf(cell: string, place: string, column: string): string[] {
  const texts = Texts.safeParse(parseJson(cell, () => undefined));
  if (texts.success) return texts.data;
  throw malformedRow(place, `a list of texts in "${column}"`, cell.slice(0, 80));
}
