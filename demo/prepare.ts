import { measureBaselines } from "./baseline.ts";
import { readMails } from "./mails.ts";
import { PARTS, splitMails, writeSplit } from "./split.ts";

/** Writes train.jsonl, dev.jsonl and test.jsonl, and prints what is in them and what a classifier has to beat. */
export async function prepareMails(folder: string): Promise<void> {
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
  for (const part of PARTS) {
    const spam = split[part].filter(({ label }) => label === "spam").length;
    const threads = new Set(split[part].map(({ thread }) => thread)).size;
    const share = percent(split[part].length / mails.length);
    console.log(
      `${part.padEnd(5)} ${split[part].length} mails (${share}) of ${threads} threads, ${percent(spam / split[part].length)} spam`,
    );
  }

  console.log("\nTo beat, on the same split:");
  const { majority, naiveBayes } = measureBaselines(split);
  console.log(`  always the commonest label  test accuracy ${percent(majority.accuracy)}`);
  console.log(
    `  naive Bayes, bag of words   test accuracy ${percent(naiveBayes.accuracy)}, F1 of spam ${percent(naiveBayes.labels[1].f1)}`,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
