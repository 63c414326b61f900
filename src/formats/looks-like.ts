/** A format, and the task that reads it. */
export interface OtherFormat {
  readonly name: string;
  readonly task: string;
}

const SQUAD: OtherFormat = { name: "SQuAD's JSON", task: "question-answering" };
const CONLL: OtherFormat = { name: "CoNLL's tokens with tags", task: "token-classification" };

/**
 * What a file that begins with `head` looks like, where it was to be a table and is none: a list of SQuAD's articles, or
 * a token and its tag a line with blank lines between sentences. Nothing that a good table could not contain: ask only
 * where reading it as one has failed.
 */
export function looksLike(head: string): OtherFormat | undefined {
  if (/^\s*\{/.test(head) && ARTICLES.test(head)) return SQUAD;
  return isConll(head) ? CONLL : undefined;
}

/**
 * What a table that begins with `head` is about, by the names of its columns, where it was to be something else: SWAG's
 * choices, or texts with labels.
 */
export function looksLikeTable(head: string): OtherFormat | undefined {
  const [first] = head.trimStart().split(/\r?\n/, 1);
  const names = first.startsWith("{") ? keysOf(first) : first.split(/[\t,]/);
  const has = (name: string) => names.some((field) => field.replace(/^"(.*)"$/, "$1") === name);
  if (has("ending0") && has("ending1")) return CHOICES;
  return TEXT_COLUMNS.some(has) && has("label") ? LABELLED : undefined;
}

const CHOICES: OtherFormat = { name: "a table of choices, as SWAG's", task: "multiple-choice" };
const LABELLED: OtherFormat = { name: "a table of texts with labels", task: "text-classification" };

const TEXT_COLUMNS = ["text", "sentence", "sentence1"];

/** The keys of an object in a line of JSON Lines, which may be cut. */
function keysOf(line: string): string[] {
  return Array.from(line.matchAll(/[{,]\s*"([^"]*)"\s*:/g), ([, key]) => key);
}

/**
 * What {@link looksLike} says of a file that may as well be plain text: only what no text looks like, be it a sentence a line with blank lines
 * between, or two words in capitals on each.
 */
export function looksUnlikeText(head: string): OtherFormat | undefined {
  const other = looksLike(head);
  return other === CONLL && !isSurelyConll(head) ? undefined : other;
}

/** SQuAD's list of articles, in which other things may be said of one before its paragraphs; or one without any. */
const ARTICLES =
  /"data"\s*:\s*\[\s*(\{(\s*"[^"]*"\s*:\s*("[^"]*"|[-+.\w]+)\s*,)*\s*"(title|paragraphs)"\s*:|\]\s*[,}])/;

/** A tag as CoNLL's files have it: `O`, `B-PER`, a part of speech, of punctuation also a mark. */
const TAG = /^([A-Z][A-Z0-9$.:]*(-\S+)?|[^\p{L}\p{N}\s_]+)$/u;

/** What only such files begin with, those of CoNLL-U too. */
const BEGINNING = /^(-DOCSTART-\s|# (sent_id|text|newdoc|global\.columns)\b)/;

/** A token of CoNLL-U: its number, then columns. (A heading of Markdown may be `# text` too.) */
const NUMBERED_ROW = /^\d+(-\d+)?(\t[^\t\r\n]*){3}/m;

const TABBED_ROW = /^[^ \t]+(\t[^ \t]+)+\s*$/;

/** Two lines of a sentence, without a blank one between. */
const NEIGHBOURS = /\S[ \t]*\r?\n[ \t]*\S/;

const ENTITY_TAG = /^(O|[BIES]-\p{L}\S*)$/u;

/** The blank line after a sentence. */
const SENTENCE_END = /\n[ \t]*\r?\n/;

function isConll(head: string): boolean {
  const content = head.trim();
  if (BEGINNING.test(content)) return true;
  if (!SENTENCE_END.test(content)) return false;
  const rows = rowsOf(content);
  const [{ length }] = rows;
  return length > 1 && rows.every((fields) => fields.length === length && TAG.test(fields[length - 1]));
}

/** Whether it is CoNLL by more than the forms of lines: by how it begins, by columns with tabs, or by tags of entities. */
function isSurelyConll(head: string): boolean {
  const content = head.trim();
  if (BEGINNING.test(content)) return content.startsWith("-DOCSTART-") || NUMBERED_ROW.test(content);
  const tags = rowsOf(content).map((fields) => fields[fields.length - 1]);
  const tellEntities =
    tags.every((tag) => ENTITY_TAG.test(tag)) && tags.includes("O") && tags.some((tag) => tag !== "O");
  return tellEntities || (NEIGHBOURS.test(content) && linesOf(content).every((line) => TABBED_ROW.test(line)));
}

/** The lines of a file that begins so, without blank ones and without the last, which may be cut. */
function linesOf(content: string): string[] {
  const lines = content.split(/\r?\n/).slice(0, -1);
  return lines.filter((line) => line.trim() !== "");
}

function rowsOf(content: string): string[][] {
  return linesOf(content).map((line) => line.trim().split(/[ \t]+/));
}
