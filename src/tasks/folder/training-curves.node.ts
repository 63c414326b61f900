import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { curvesSvg } from "../../formats/curves-svg.ts";
import { readError } from "../../formats/file-errors.node.ts";
import { LOG } from "./training-log.node.ts";

/** The picture of a training, beside its log. */
export const CURVES = "curves.svg";

const Line = z.record(z.string(), z.unknown()).and(z.object({ step: z.number() }));

export interface Curves {
  readonly title: string;
  /** What is drawn, by its name in the log and by what the legend calls it. */
  readonly series: Readonly<Record<string, string>>;
}

/** Draws figures of a training over its updates, from the log in its output folder. */
export async function drawCurves(output: string, { title, series }: Curves): Promise<string> {
  const path = join(output, LOG);
  const text = await readFile(path, "utf8").catch((error) => {
    throw readError(path, error);
  });
  const lines = text.split("\n").flatMap((line) => (line === "" ? [] : [Line.parse(JSON.parse(line))])); // checked on opening
  const points = (name: string) =>
    lines.flatMap(({ step, [name]: value }) => (typeof value === "number" ? [[step, value] as const] : []));
  return curvesSvg({
    title,
    xLabel: "updates",
    series: Object.entries(series)
      .map(([name, legend]) => ({ name: legend, points: points(name) }))
      .filter((curve) => curve.points.length > 0),
  });
}
