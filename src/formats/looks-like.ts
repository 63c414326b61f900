/** A format that is no table, and the task that reads it. */
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
  if (/^\s*\{/.test(head) && /"data"\s*:\s*\[\s*\{\s*"(title|paragraphs)"\s*:/.test(head)) return SQUAD;
  return isConll(head) ? CONLL : undefined;
}

/** A tag as CoNLL's files have it: `O`, `B-PER`, a part of speech, of punctuation also a mark. */
const TAG = /^([A-Z][A-Z0-9$.:]*(-\S+)?|[^\w\s]+)$/;

/** What only such files begin with, those of CoNLL-U too. */
const BEGINNING = /^(-DOCSTART-\s|# (sent_id|text|newdoc|global\.columns)\b)/;

/** The blank line after a sentence. */
const SENTENCE_END = /\n[ \t]*\r?\n/;

function isConll(head: string): boolean {
  const content = head.trim();
  if (BEGINNING.test(content)) return true;
  if (!SENTENCE_END.test(content)) return false;
  const lines = content.split(/\r?\n/).slice(0, -1); // the last may be cut
  const rows = lines.filter((line) => line.trim() !== "").map((line) => line.trim().split(/[ \t]+/));
  const [{ length }] = rows;
  return length > 1 && rows.every((fields) => fields.length === length && TAG.test(fields[length - 1]));
}
