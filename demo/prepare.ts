/**
 * Prepares the demo's data: `npx tsx demo/prepare.ts FOLDER` writes train.jsonl, dev.jsonl and test.jsonl, and prints
 * what is in them and what a classifier has to beat.
 */
import { measureBaselines } from "./baseline.ts";
import { readMails } from "./mails.ts";
import { PARTS, splitMails, writeSplit } from "./split.ts";

const folder = process.argv[2];
if (folder === undefined) {
  console.error("Name the folder to write to: npx tsx demo/prepare.ts FOLDER");
  process.exit(2);
}

const { mails, counts } = await readMails((read, files) => {
  if (process.stderr.isTTY && read % 100 === 0) process.stderr.write(`\rreading ${read} of ${files} mails`);
});
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
console.log(
  `${mails.length} mails; of ${counts.files} files ${counts.unreadable} unreadable, ${counts.empty} empty, ` +
    `${counts.duplicates} duplicates`,
);

const split = splitMails(mails);
await writeSplit(split, folder);
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
for (const part of PARTS) {
  const spam = split[part].filter(({ label }) => label === "spam").length;
  const threads = new Set(split[part].map(({ thread }) => thread)).size;
  console.log(
    `${part.padEnd(5)} ${split[part].length} mails (${percent(split[part].length / mails.length)}), ` +
      `${threads} threads, ${percent(spam / split[part].length)} spam`,
  );
}

for (const [name, { accuracy, labels }] of Object.entries(measureBaselines(split))) {
  console.log(`${name.padEnd(10)} test accuracy ${percent(accuracy)}, F1 of spam ${percent(labels[1]?.f1 ?? 0)}`);
}
