import { ClozeError } from "../base/errors.ts";
import { escapeXml, round } from "./svg.ts";

export interface ConfusionMatrixOptions {
  readonly title: string;
  /** `matrix[gold][predicted]`: how many examples of one label were given another, [K, K]. */
  readonly matrix: readonly (readonly number[])[];
  /** The labels' names, K of them. */
  readonly labels: readonly string[];
}

const [PAPER, GREY, INK] = ["#ffffff", "#595959", "#111111"];
/** Ink is readable on it at full strength. */
const SHADE = "#3b7dd8";
/** The shade of a cell with next to nothing of its row, which is still to be seen. */
const FAINTEST = 0.08;
const NOTE = "shaded by the share of the row";

const [TITLE_FONT, FONT] = [15, 12];
/** About how wide a character is, in sizes of its font; those of East Asia are square. */
const [NARROW, SQUARE] = [0.6, 1];
/** A name of more characters is shortened. */
const LONGEST_NAME = 20;
/** With more labels the cells are too small for numbers, and for lines between them. */
const MOST_NUMBERED = 30;
/** The size of the largest cells, and of the grid that many labels share. */
const [CELL, GRID] = [64, 720];
const [TOP, MARGIN, GAP] = [60, 16, 8];
/** Room for the word beside an axis. */
const AXIS = 24;

/**
 * Draws a confusion matrix as an SVG image: a row for each gold label, a column for each predicted one, and in each cell
 * the number of its examples, if any, on a shade for their share of the row. With more than 30 labels the numbers are left
 * out. A cell tells its labels, number and share when it is pointed at, and a shortened name the whole.
 *
 * @returns the image, as a document of its own
 * @throws ClozeError SHAPE_MISMATCH for a matrix without one row and one column for each label
 * @see https://www.w3.org/TR/SVG2/
 */
export function confusionMatrixSvg({ title, matrix, labels }: ConfusionMatrixOptions): string {
  const odd = [matrix, ...matrix].find(({ length }) => length !== labels.length);
  if (odd !== undefined) throw notSquare(labels.length, odd.length);
  const cell = Math.min(CELL, GRID / labels.length);
  const size = cell * labels.length;
  const font = Math.min(FONT, cell);
  const longest = Math.max(0, ...labels.map((label) => widthOf(shortened(label), font)));
  const slanted = longest > cell - GAP;
  const left = MARGIN + AXIS + longest + GAP;
  const below = GAP + font + (slanted ? longest * Math.SQRT1_2 : 0);
  const texts = Math.max(widthOf(title, TITLE_FONT), widthOf(NOTE, FONT));
  const width = Math.ceil(Math.max(left + size, MARGIN + texts) + MARGIN);
  const height = Math.ceil(TOP + size + below + AXIS + MARGIN);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"` +
      ` role="img" font-family="system-ui, sans-serif" font-size="${FONT}" fill="${GREY}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${PAPER}"/>`,
    text(MARGIN, 24, title, ` font-size="${TITLE_FONT}" font-weight="600"`),
    text(MARGIN, 44, NOTE),
    `<g transform="translate(${round(left)} ${TOP})">`, // the grid begins at 0, 0
    `<g fill="${INK}" font-size="${round(numberFont(matrix, cell))}" text-anchor="middle">`,
    ...matrix.map((row, gold) => drawRow(row, { y: gold * cell, cell, gold: labels[gold], labels })),
    "</g>",
    rules(labels.length, cell),
    `<g font-size="${round(font)}" text-anchor="end">`,
    ...labels.map((label, i) => drawName(label, -GAP, (i + 0.5) * cell + font / 3)),
    "</g>",
    `<g font-size="${round(Math.min(font, cell * Math.SQRT1_2))}" text-anchor="${slanted ? "end" : "middle"}">`,
    ...labels.map((label, i) => drawName(label, (i + 0.5) * cell, size + GAP + font / 2, slanted)),
    "</g>",
    text(size / 2, size + below + AXIS, "predicted", ' text-anchor="middle"'),
    text(
      0,
      0,
      "gold",
      ` text-anchor="middle" transform="translate(${round(FONT + MARGIN - left)} ${round(size / 2)}) rotate(-90)"`,
    ),
    "</g>",
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

interface RowPlace {
  readonly y: number;
  readonly cell: number;
  readonly gold: string;
  readonly labels: readonly string[];
}

/** The cells of a row that count any example. */
function drawRow(row: readonly number[], { y, cell, gold, labels }: RowPlace): string {
  const total = row.reduce((sum, count) => sum + count, 0);
  const numbered = labels.length <= MOST_NUMBERED;
  const cells = row.map((count, predicted) => {
    if (count === 0) return "";
    const [x, share] = [predicted * cell, count / total];
    const told = `${gold} → ${labels[predicted]}: ${count} (${(100 * share).toFixed(1)} %)`;
    const opacity = (FAINTEST + (1 - FAINTEST) * share).toFixed(3);
    return (
      `<g><title>${escapeXml(told)}</title><rect x="${round(x)}" y="${round(y)}" width="${round(cell)}"` +
      ` height="${round(cell)}" fill="${SHADE}" fill-opacity="${opacity}"/>` +
      (numbered ? text(x + cell / 2, y + cell / 2, String(count), ' dy="0.35em"') : "") +
      "</g>\n"
    );
  });
  return cells.join("").trimEnd();
}

/** The size at which the longest number fits into a cell. */
function numberFont(matrix: readonly (readonly number[])[], cell: number): number {
  const largest = matrix.flat().reduce((most, count) => Math.max(most, count), 0);
  return Math.min(FONT + 1, (0.9 * cell) / (NARROW * String(largest).length));
}

/** The lines around the grid and, where there is room, between its cells. */
function rules(count: number, cell: number): string {
  const every = Array.from({ length: count + 1 }, (_, i) => i);
  const kept = count <= MOST_NUMBERED ? every : [0, count];
  const size = round(count * cell);
  const path = kept.map((i) => `M0 ${round(i * cell)}h${size}M${round(i * cell)} 0v${size}`).join("");
  return `<path d="${path}" stroke="${GREY}" stroke-opacity="0.3"/>`;
}

function drawName(label: string, x: number, y: number, slanted = false): string {
  const short = shortened(label);
  const whole = short === label ? "" : `<title>${escapeXml(label)}</title>`;
  const turn = slanted ? ` transform="rotate(-45 ${round(x)} ${round(y)})"` : "";
  return `<text x="${round(x)}" y="${round(y)}"${turn}>${whole}${escapeXml(short)}</text>`;
}

function shortened(label: string): string {
  const characters = Array.from(label);
  return characters.length <= LONGEST_NAME ? label : `${characters.slice(0, LONGEST_NAME - 1).join("")}…`;
}

/** About how wide a text is. */
function widthOf(content: string, font: number): number {
  return Array.from(content).reduce((width, character) => width + (character < "\u2e80" ? NARROW : SQUARE), 0) * font;
}

/** A text with attributes, each with a space before it. */
function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(content)}</text>`;
}

function notSquare(expected: number, received: number): ClozeError {
  return new ClozeError("SHAPE_MISMATCH", {
    problem: "A confusion matrix does not fit its labels",
    expected: `${expected} rows and columns`,
    received: `${received}`,
    cure: "Give each label a name, and none twice.",
  });
}
