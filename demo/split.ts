import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../src/base/random.ts";
import type { Mail } from "./mails.ts";

export const PARTS = ["train", "dev", "test"] as const;
export type Part = (typeof PARTS)[number];
export type Split<M> = Record<Part, M[]>;

/** Where each part ends on a line of all mails from 0 to 1: 70% to train on, 10% to choose by, 20% to test on. */
const ENDS: Record<Part, number> = { train: 0.7, dev: 0.8, test: 1 };

/**
 * Divides mails into train, dev and test, with no thread in two of them and about the same share of spam in each.
 * Threads stand in the order of a hash of their names, those of ham and those of spam in a line each, and each line is
 * cut where `ENDS` says. So the split is the same every time, in whichever order the mails come.
 */
export function splitMails<M extends Pick<Mail, "id" | "label" | "thread">>(mails: readonly M[]): Split<M> {
  const threads = new Map<string, M[]>();
  for (const mail of mails) {
    const thread = threads.get(mail.thread);
    if (thread === undefined) threads.set(mail.thread, [mail]);
    else thread.push(mail);
  }

  const split: Split<M> = { train: [], dev: [], test: [] };
  for (const spam of [false, true]) {
    const line = inHashOrder([...threads].filter(([, members]) => isSpam(members) === spam));
    const total = line.reduce((sum, members) => sum + members.length, 0);
    let before = 0;
    for (const members of line) {
      const middle = (before + members.length / 2) / total;
      split[PARTS.find((part) => middle < ENDS[part])!].push(...members);
      before += members.length;
    }
  }
  for (const part of PARTS) split[part] = inHashOrder(split[part].map((mail) => [mail.id, mail]));
  return split;
}

/** Whether most mails of a thread are spam. A few threads are mixed: people answer spam, and "Hi" is anyone's subject. */
function isSpam(thread: readonly Pick<Mail, "label">[]): boolean {
  return thread.filter(({ label }) => label === "spam").length > thread.length / 2;
}

/** The values of named entries, shuffled by their names. */
function inHashOrder<T>(entries: readonly (readonly [string, T])[]): T[] {
  return entries
    .map(([name, value]) => ({ value, place: Random.of("split", name).uniform() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** Subject and body as one text, which is what a classifier gets to read. */
export function fullText({ subject, text }: Pick<Mail, "subject" | "text">): string {
  return `${subject}\n\n${text}`;
}

/** Writes `train.jsonl`, `dev.jsonl` and `test.jsonl`, a line `{"text": ..., "label": "ham" | "spam"}` for each mail. */
export async function writeSplit(split: Split<Mail>, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of PARTS) {
    const lines = split[part].map((mail) => `${JSON.stringify({ text: fullText(mail), label: mail.label })}\n`);
    await writeFile(join(folder, `${part}.jsonl`), lines.join(""));
  }
}
