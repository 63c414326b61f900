import { type FileHandle, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeEvents } from "./tensorboard.ts";
import { type EventFileOptions, openEventFile } from "./tensorboard-file.node.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-events-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Opens the folder's file, appends an event for each of the steps and closes it. */
async function write(steps: readonly number[], options?: EventFileOptions): Promise<string> {
  const file = await openEventFile(folder, options);
  for (const step of steps) await file.append({ step, scalars: { loss: step / 2 } });
  await file.flush();
  await file.close();
  return file.path;
}

const events = async (path: string) => decodeEvents(await readFile(path), path);
const steps = async (path: string) => (await events(path)).slice(1).map(({ step }) => step);

describe("openEventFile", () => {
  test("makes a file that begins with the format's version", async () => {
    const before = Math.floor(Date.now() / 1000);
    const path = await write([1, 2]);
    const [name, ...others] = await readdir(folder);
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\.cloze$/);
    expect(path).toBe(join(folder, name));
    const [version, first, second] = await events(path);
    expect(version).toMatchObject({ step: 0, fileVersion: "brain.Event:2", scalars: {} });
    expect([first, second]).toMatchObject([
      { step: 1, scalars: { loss: 0.5 } },
      { step: 2, scalars: { loss: 1 } },
    ]);
    for (const { wallTime } of [version, first, second]) {
      expect(wallTime).toBeGreaterThanOrEqual(before);
      expect(wallTime).toBeLessThanOrEqual(Date.now() / 1000);
    }
  });

  test("takes the time that is given, and keeps the order of calls that nobody awaits", async () => {
    const file = await openEventFile(folder);
    await Promise.all([3, 4, 5].map((step) => file.append({ wallTime: step + 0.5, step, scalars: {} })));
    await file.close();
    const read = (await events(file.path)).slice(1);
    expect(read.map(({ wallTime, step }) => [wallTime, step])).toEqual([3, 4, 5].map((step) => [step + 0.5, step]));
  });

  test("a resumed training goes on in the same file, without doubled points", async () => {
    const path = await write([10, 20, 20, 30, 40]);
    const kept = (await readFile(path)).subarray(0, 100); // the version and a bit more than one event
    expect(await write([30, 40, 50], { keepThrough: 20 })).toBe(path);
    expect(await steps(path)).toEqual([10, 20, 20, 30, 40, 50]);
    expect((await readFile(path)).subarray(0, kept.length)).toEqual(kept);
    expect(await readdir(folder)).toHaveLength(1);
  });

  test("resumes after a kill at any byte", async () => {
    const path = await write([1, 2, 3]);
    const whole = await readFile(path);
    for (let length = 0; length <= whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      await write([3, 4], { keepThrough: 2 });
      const [version, ...rest] = await events(path);
      expect(version.fileVersion).toBe("brain.Event:2");
      const found = [1, 2].slice(0, Math.floor((length - 40) / ((whole.length - 40) / 3)));
      expect(rest.map(({ step }) => step)).toEqual([...(length < 40 ? [] : found), 3, 4]);
    }
  });

  test("resuming from the first step, or where there is no file, begins one", async () => {
    const path = await write([1, 2], { keepThrough: 0 });
    expect(await steps(path)).toEqual([1, 2]);
    expect(await write([1], { keepThrough: 0 })).toBe(path);
    expect(await steps(path)).toEqual([1]);
  });

  test("resumes the latest of several files, by their numbers", async () => {
    for (const seconds of [9, 10]) await writeFile(join(folder, `events.out.tfevents.${seconds}.cloze`), "");
    expect(await write([1], { keepThrough: 5 })).toBe(join(folder, "events.out.tfevents.10.cloze"));
  });

  test("a training that begins anew removes its former curves, and nothing else", async () => {
    await writeFile(join(folder, "events.out.tfevents.1.cloze"), "");
    await writeFile(join(folder, "events.out.tfevents.1.host"), "");
    const path = await write([1]);
    expect((await readdir(folder)).map((name) => join(folder, name)).sort()).toEqual(
      [join(folder, "events.out.tfevents.1.host"), path].sort(),
    );
  });

  test("damage before the place to go on from is EVENTS_MALFORMED and changes nothing", async () => {
    const path = await write([1, 2]);
    const damaged = await readFile(path);
    damaged[60] ^= 1;
    await writeFile(path, damaged);
    const message = expect.stringContaining(`${path} is damaged at byte 40`);
    const failure = openEventFile(folder, { keepThrough: 2 });
    await expect(failure).rejects.toMatchObject({ code: "EVENTS_MALFORMED", message });
    expect(await readFile(path)).toEqual(damaged);
  });

  test("damage behind the place to go on from goes with what is cut off", async () => {
    const path = await write([1, 2, 3]);
    const damaged = await readFile(path);
    damaged[damaged.length - 1] ^= 1;
    await writeFile(path, damaged);
    await write([2], { keepThrough: 1 });
    expect(await steps(path)).toEqual([1, 2]);
  });

  test("a step that goes back is OPTION_INVALID, after resuming too", async () => {
    await write([5]);
    const file = await openEventFile(folder, { keepThrough: 9 });
    const failure = file.append({ step: 4, scalars: {} });
    await expect(failure).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: /expected a whole number from 5 on/,
    });
    await file.append({ step: 5, scalars: {} });
    await file.close();
    expect(await steps(file.path)).toEqual([5, 5]);
  });

  test("a missing folder is FILE_NOT_WRITABLE", async () => {
    const failure = openEventFile(join(folder, "none"));
    await expect(failure).rejects.toMatchObject({ code: "FILE_NOT_WRITABLE" });
  });

  test("where its first event cannot be written, the file is closed", async () => {
    const probe = await open(join(folder, "probe"), "w");
    await probe.close();
    const handles: FileHandle[] = [];
    const appendFile = vi.spyOn(Object.getPrototypeOf(probe), "appendFile");
    appendFile.mockImplementation(async function (this: FileHandle) {
      handles.push(this);
      throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
    });
    try {
      await expect(openEventFile(folder)).rejects.toMatchObject({ code: "DISK_FULL" });
    } finally {
      appendFile.mockRestore();
    }
    expect(handles.map(({ fd }) => fd)).toEqual([-1]);
  });

  test("what was appended is in the file before anyone flushes or closes it", async () => {
    const file = await openEventFile(folder);
    await file.append({ step: 1, scalars: {} });
    expect(await steps(file.path)).toEqual([1]);
    await file.close();
  });
});
