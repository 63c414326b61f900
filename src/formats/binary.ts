import { ClozeError } from "../base/errors.ts";

/** A format that is no text. */
interface BinaryFormat {
  readonly name: string;
  /** What such files have at byte `at`, each character a byte. */
  readonly marks: readonly string[];
  /** Default 0. */
  readonly at?: number;
  /** What to do with one that was to be text. */
  readonly cure: string;
}

const PICTURE = "There is no text in a picture; name another file.";
const UNPACK = "Unpack it, and name the file that was in it.";
const OFFICE = "Export a workbook as CSV, save a document as plain text; unpack any other archive.";
const ARRAYS = "Name a file of text; there is none in this one.";

/** Its mark, and the byte with which all that may follow begins: texts are about PAR1 too. */
const PARQUET: BinaryFormat = {
  name: "Parquet",
  marks: ["PAR1\x15"],
  cure: "Name it where a table can be read, with a name that ends with .parquet.",
};

/** By the bytes that a text would not have there. */
const BINARY_FORMATS: readonly BinaryFormat[] = [
  PARQUET,
  { name: "a PNG picture", marks: ["\x89PNG"], cure: PICTURE },
  { name: "a JPEG picture", marks: ["\xff\xd8\xff"], cure: PICTURE },
  { name: "a GIF picture", marks: ["GIF87a", "GIF89a"], cure: PICTURE },
  { name: "a PDF", marks: ["%PDF-"], cure: "Take the text out of it, for example with pdftotext." },
  { name: "a ZIP archive, as .xlsx and .docx are", marks: ["PK\x03\x04", "PK\x05\x06"], cure: OFFICE },
  { name: "an old Office file, as .xls and .doc are", marks: ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"], cure: OFFICE },
  { name: "a tar archive", marks: ["ustar\0", "ustar "], at: 257, cure: UNPACK },
  { name: "bzip2", marks: ["BZh91AY&SY"], cure: UNPACK },
  { name: "xz", marks: ["\xfd7zXZ\0"], cure: UNPACK },
  { name: "Zstandard", marks: ["\x28\xb5\x2f\xfd"], cure: UNPACK },
  { name: "a 7z archive", marks: ["7z\xbc\xaf\x27\x1c"], cure: UNPACK },
  { name: "a SQLite database", marks: ["SQLite format 3\0"], cure: "Export a table of it as CSV." },
  { name: "Arrow or Feather", marks: ["ARROW1\0\0"], cure: "Write it as Parquet." },
  // A length of eight bytes, of which no header fills the last four, and the JSON of tensors by name.
  { name: "safetensors, a model's weights", marks: ['\0\0\0\0{"'], at: 4, cure: ARRAYS },
  { name: "a NumPy array", marks: ["\x93NUMPY"], cure: ARRAYS },
  { name: "HDF5", marks: ["\x89HDF\r\n"], cure: ARRAYS },
];

function isOne({ marks, at = 0 }: BinaryFormat, head: Uint8Array): boolean {
  return marks.some((mark) => [...mark].every((byte, i) => head[at + i] === byte.charCodeAt(0)));
}

/** Whether a file that begins with `head` is Parquet. */
export function isParquet(head: Uint8Array): boolean {
  return isOne(PARQUET, head);
}

/**
 * Throws FORMAT_UNKNOWN where a file begins with `head` as no text does.
 *
 * @param expected what the file was to be
 */
export function refuseBinary(name: string, head: Uint8Array, expected = "text"): void {
  const format = BINARY_FORMATS.find((candidate) => isOne(candidate, head));
  if (format === undefined) return;
  throw new ClozeError("FORMAT_UNKNOWN", {
    problem: `${name} has another format`,
    expected,
    received: `what looks like ${format.name}`,
    cure: format.cure,
  });
}
