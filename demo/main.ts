/**
 * `npm start`: a BERT classifier of e-mail, from raw mails to predictions, through the same commands that a user types.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, relative } from "node:path";
import { prepareMails } from "./prepare.ts";

const ROOT = join(import.meta.dirname, "..");
const CLOZE = join(ROOT, "dist/cli/main.js");
const folder = join(ROOT, "demo-output");
const at = (name: string) => relative(process.cwd(), join(folder, name)) || ".";

const started = Date.now();
rmSync(folder, { recursive: true, force: true });

title("1. Mails: the SpamAssassin corpus, as a person reads them");
await prepareMails(folder);

title("2. Fine-tuning, from the English model that comes along");
cloze(
  ...["finetune", "text-classification"],
  ...["--train", at("train.jsonl"), "--dev", at("dev.jsonl"), "--output", at("model")],
  ...["--epochs", "3", "--batch-size", "16", "--learning-rate", "3e-4", "--max-length", "256"],
);

title("3. How good is it on mails that it has never seen?");
cloze("evaluate", at("model"), "--data", at("test.jsonl"));

title("4. Three of those mails, shortened: one spam, two ham");
cloze(
  ...["predict", at("model")],
  "Market Internet Access - No Investment Needed\n\nEarn $1 per Subscriber per month",
  "[ILUG] replacement xircom dongle?\n\nAnyone know where in Ireland I can get a replacement external dongle?",
  "Re: Exmh && speed\n\nI checked on a number of small messages in a big folder. The delay of the Next button has increased.",
);

console.log(`
Done in ${Math.round((Date.now() - started) / 1000)} s. The model is in ${at("model")}. Next:

  npx cloze predict ${at("model")} "Congratulations, you have won"
  npx cloze info ${at("model")}
  npx cloze finetune text-classification --help`);

function title(text: string) {
  console.log(process.stdout.isTTY ? `\n\x1b[1m${text}\x1b[0m\n` : `\n${text}\n`);
}

/** Prints and runs a command line; ends the demo where it fails. */
function cloze(...args: readonly string[]) {
  console.log(`$ npx cloze ${args.map(quote).join(" ")}`);
  const { status } = spawnSync(process.execPath, [CLOZE, ...args], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function quote(arg: string): string {
  return /^[\w./=-]+$/.test(arg) ? arg : JSON.stringify(arg);
}
