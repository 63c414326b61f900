import { escapeXml, round } from "./svg.ts";

/** A point of a curve. One with a number that is not finite leaves a gap. */
export type Point = readonly [x: number, y: number];

export interface Curve {
  readonly name: string;
  /** In the order in which they are joined. */
  readonly points: readonly Point[];
}

export interface CurvesOptions {
  readonly title: string;
  readonly xLabel: string;
  /** Four have colours of their own; those that follow are dashed. */
  readonly series: readonly Curve[];
}

const WIDTH = 640;
const HEIGHT = 320;
/** The plot's edges. */
const [LEFT, RIGHT, TOP, BOTTOM] = [52, WIDTH - 20, 60, HEIGHT - 46];

/** Middle tones, which stand out from a white page and from a black one alike. */
const GREY = "#7a7a7a";
const COLOURS = ["#3b7dd8", "#c9601b", "#2a8f6d", "#a85cc4"] as const;

/** A longer curve is drawn by the lowest and the highest point of as many parts, which no spike escapes. */
const PARTS = 200;
/** Beyond this a number counts as infinite, so that sums and differences of those that do not are finite. */
const LARGEST = 1e100;
/** And below this as 0. */
const SMALLEST = 1e-100;
/** By how much of a step a value may miss a tick and still lie on it: rounding does so. */
const SLACK = 1e-6;

/**
 * Draws curves over one pair of axes, as an SVG image for a web page or a model card, light or dark. A curve's points
 * that are not finite are left out, and the legend says how many.
 *
 * @returns the image, as a document of its own
 * @see https://www.w3.org/TR/SVG2/
 */
export function curvesSvg({ title, xLabel, series }: CurvesOptions): string {
  const points = series.flatMap((curve) => curve.points.filter(isDrawable));
  const x = axis(
    points.map(([value]) => value),
    { from: LEFT, to: RIGHT, ticks: 8 },
  );
  const y = axis(
    points.map(([, value]) => value),
    { from: BOTTOM, to: TOP, ticks: 5, widened: true },
  );
  const place = ([across, up]: Point): string => `${round(x.place(across))},${round(y.place(up))}`;
  const marks = x.ticks.map(({ at }) => `M${round(at)} ${BOTTOM}v4`).join("");
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"` +
      ` role="img" font-family="system-ui, sans-serif" font-size="12" fill="${GREY}">`,
    `<title>${escapeXml(title)}</title>`,
    text(LEFT, 24, title, 'font-size="15" font-weight="600"'),
    `<text x="${LEFT}" y="44">${series.map(legend).join("")}</text>`,
    `<g stroke="${GREY}" stroke-opacity="0.2">`,
    ...y.ticks.map(({ at }) => `<path d="M${LEFT} ${round(at)}H${RIGHT}"/>`),
    "</g>",
    `<path d="M${LEFT} ${BOTTOM}H${RIGHT}${marks}" stroke="${GREY}"/>`,
    ...x.ticks.map(({ at, label }) => text(at, BOTTOM + 18, label, 'text-anchor="middle"')),
    ...y.ticks.map(({ at, label }) => text(LEFT - 8, at + 4, label, 'text-anchor="end"')),
    text((LEFT + RIGHT) / 2, BOTTOM + 38, xLabel, 'text-anchor="middle"'),
    ...(points.length === 0 ? [text((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, "no points", 'text-anchor="middle"')] : []),
    ...series.flatMap((curve, i) => [
      `<g fill="none" stroke="${colour(i)}" stroke-width="1.75" stroke-linejoin="round" stroke-linecap="round"` +
        `${i < COLOURS.length ? "" : ' stroke-dasharray="5 4"'}>`,
      ...unbroken(thinned(curve.points)).map((run) => drawn(run.map(place))),
      "</g>",
    ]),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

interface Axis {
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  place(value: number): number;
}

interface AxisOptions {
  readonly from: number;
  readonly to: number;
  /** About how many. */
  readonly ticks: number;
  /** Whether the axis ends at ticks, and not at the outermost values. */
  readonly widened?: boolean;
}

/** An axis for these values between two places of the image. */
function axis(values: readonly number[], { from, to, ticks, widened = false }: AxisOptions): Axis {
  let [low, high] = values.length === 0 ? [0, 1] : extremes(values);
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= Math.max(1e-9 * size, SMALLEST)) {
    const margin = size > SMALLEST ? size / 2 : 0.5;
    [low, high] = [low - margin, high + margin];
  }
  const step = roundStep((high - low) / ticks);
  const first = widened ? Math.floor(low / step + SLACK) : Math.ceil(low / step - SLACK);
  const last = widened ? Math.ceil(high / step - SLACK) : Math.floor(high / step + SLACK);
  if (widened) [low, high] = [first * step, last * step];
  const place = (value: number) => from + ((value - low) / (high - low)) * (to - from);
  const labels = Array.from({ length: last - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return { at: place(value), label: tickLabel(value, step) };
  });
  return { ticks: labels, place };
}

/** The least of 1, 2 and 5 times a power of ten that is no smaller. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** A multiple of `step` in as few digits as tell it from its neighbours. */
function tickLabel(value: number, step: number): string {
  if (Math.abs(value) < step / 2) return "0";
  if (step < 1e-3 || step >= 1e12) return Number(value.toPrecision(10)).toExponential();
  if (step >= 1e3) return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 3 }).format(value);
  return value.toFixed(Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
}

/** At most a few hundred points of a curve, with undefined for those that are left out in between. */
function thinned(points: readonly Point[]): (Point | undefined)[] {
  if (points.length <= 2 * PARTS) return points.map((point) => (isDrawable(point) ? point : undefined));
  return Array.from({ length: PARTS }, (_, i) => {
    const begin = Math.floor((i * points.length) / PARTS);
    const part = points.slice(begin, Math.floor(((i + 1) * points.length) / PARTS));
    const found = part.filter(isDrawable);
    const heights = found.map(([, y]) => y);
    const [low, high] = extremes(heights).map((y) => heights.indexOf(y));
    const kept = found.filter((_, at) => at === low || at === high);
    return found.length < part.length ? [...kept, undefined] : kept;
  }).flat();
}

/** The runs of points between gaps. */
function unbroken(points: readonly (Point | undefined)[]): Point[][] {
  const runs: Point[][] = [[]];
  for (const point of points) {
    if (point === undefined) runs.push([]);
    else runs[runs.length - 1].push(point);
  }
  return runs.filter((run) => run.length > 0);
}

/** A line through places, or a dot on the only one. */
function drawn(places: readonly string[]): string {
  if (places.length > 1) return `<polyline points="${places.join(" ")}"/>`;
  const [cx, cy] = places[0].split(",");
  return `<circle cx="${cx}" cy="${cy}" r="1.5"/>`;
}

function legend({ name, points }: Curve, i: number): string {
  const missing = points.length - points.filter(isDrawable).length;
  const note = missing === 0 ? "" : ` (${missing} not finite)`;
  const sign = `<tspan fill="${colour(i)}"${i === 0 ? "" : ' dx="18"'}>${i < COLOURS.length ? "●" : "○"}</tspan>`;
  return `${sign}<tspan dx="5">${escapeXml(name + note)}</tspan>`;
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length];
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(content)}</text>`;
}

function isDrawable([x, y]: Point): boolean {
  return Math.abs(x) <= LARGEST && Math.abs(y) <= LARGEST;
}

/** The least and the greatest of values, of which there may be too many for `Math.min(...values)`. */
function extremes(values: readonly number[]): [low: number, high: number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}
