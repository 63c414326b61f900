import type { Examples } from "../tasks/definitions/task.ts";

type Told = Partial<Pick<Examples<unknown, unknown>, "skipped" | "places" | "notes">> & {
  readonly truncated?: number;
};

/** What became of the examples of a file, beside how many there are: what was left out, cut or found odd. */
export function dataNotes({ skipped = {}, places = {}, notes = {}, truncated = 0 }: Told): string[] {
  const told = ([, count]: readonly [string, number]) => count > 0;
  return [
    ...Object.entries(skipped)
      .filter(told)
      .map(([what, count]) => `${count} ${what} skipped${firstOf(places[what])}`),
    ...Object.entries(notes)
      .filter(told)
      .map(([what, count]) => `${count} ${what}${firstOf(places[what])}`),
    ...(truncated > 0 ? [`${truncated} longer than the maximum length, cut`] : []),
  ];
}

/** Where to look: " (first: train.json, question 7)". */
function firstOf([place]: readonly string[] = []): string {
  return place === undefined ? "" : ` (first: ${place})`;
}

/** Says on standard error what there is to say of a file's examples, if anything. */
export function tellNotes(file: string, told: Told): void {
  const notes = dataNotes(told);
  if (notes.length > 0) console.error(`${file}: ${notes.join(", ")}`);
}
