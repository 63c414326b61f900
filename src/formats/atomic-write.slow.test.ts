import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { recoverAtomicWrite } from "./atomic-write.node.ts";

const KILLS = 40;

/** Replaces a folder of three equal files, and a file, over and over, with a counter as their content. */
const writer = `
  import { writeFile } from "node:fs/promises";
  import { writeFileAtomic, writeFolderAtomic } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "atomic-write.node.ts")))};
  const [folder, file] = process.argv.slice(1);
  for (let round = Number(process.argv[3]); ; round++) {
    const content = String(round).padEnd(10_000);
    await writeFolderAtomic(folder, async (staging) => {
      for (const name of ["a", "b", "c"]) await writeFile(staging + "/" + name, content);
    });
    await writeFileAtomic(file, content);
    console.log(round);
  }
`;

test(`after each of ${KILLS} kills the folder and the file are whole, and no older than before`, async () => {
  const home = await mkdtemp(join(tmpdir(), "cloze-kill-"));
  const [folder, file] = [join(home, "checkpoint"), join(home, "file")];
  let round = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const options = ["--import", "tsx", "--input-type=module", "--eval", writer];
    const child = spawn(process.execPath, [...options, folder, file, String(round + 1)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data"); // one round is done
    await sleep(kill % 20);
    child.kill("SIGKILL");
    await once(child, "exit");

    await recoverAtomicWrite(folder);
    await recoverAtomicWrite(file);
    expect((await readdir(home)).sort()).toEqual(["checkpoint", "file"]);
    const contents = await Promise.all(["a", "b", "c"].map((name) => readFile(join(folder, name), "utf8")));
    expect(new Set(contents).size).toBe(1);
    expect(contents[0].length).toBe(10_000);
    expect(Number(contents[0])).toBeGreaterThanOrEqual(round);
    expect([Number(contents[0]) - 1, Number(contents[0])]).toContain(Number(await readFile(file, "utf8")));
    round = Number(contents[0]);
  }
  await rm(home, { recursive: true });
});
