import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { measureBaselines } from "../demo/baseline.ts";
import { readMail } from "../demo/mail-text.ts";
import { type Corpus, type Mail, readMails } from "../demo/mails.ts";
import { nearDuplicates } from "../demo/near-duplicates.ts";
import { fullText, PARTS, type Split, splitMails, writeSplit } from "../demo/split.ts";
import { threadsOf, topicOf } from "../demo/threads.ts";

/** A raw mail from header lines and body lines; characters stand for bytes. */
const raw = (header: string[], body: string[]) => Buffer.from([...header, "", ...body, ""].join("\n"), "latin1");
const base64 = (...bytes: number[]) => Buffer.from(bytes).toString("base64");

describe("readMail", () => {
  test("decodes headers and quoted-printable text", async () => {
    const mail = await readMail(
      raw(
        [
          "From ann@example.org  Thu Aug 22 13:17:22 2002",
          "Subject: =?koi8-r?B?8NLJ18XU?=, =?iso-8859-1?Q?M=FCller?=",
          "Content-Type: text/plain; charset=windows-1252",
          "Content-Transfer-Encoding: quoted-printable",
        ],
        ["It=92s 5=80 for=20=", "Zo=EB.  ", "", "", "", "Bye"],
      ),
    );
    expect(mail).toEqual({ subject: "Привет, Müller", text: "It’s 5€ for Zoë.\n\nBye", messageIds: [] });
  });

  test.each([
    ["gb2312", [0xc4, 0xe3, 0xba, 0xc3], "你好"],
    ["big5", [0xa7, 0x41, 0xa6, 0x6e], "你好"],
    ["ks_c_5601-1987", [0xb1, 0xa4, 0xb0, 0xed], "광고"],
    ["koi8-r", [0xd0, 0xd2, 0xc9], "при"],
    ["windows-1252", [0x93, 0x80, 0x94], "“€”"],
    ["iso-8859-1", [0x93, 0xe9, 0x94], "“é”"],
  ])("decodes base64 in %s", async (charset, bytes, text) => {
    const header = [`Content-Type: text/plain; charset="${charset}"`, "Content-Transfer-Encoding: base64"];
    expect((await readMail(raw(header, [base64(...bytes)]))).text).toBe(text);
  });

  test("renders HTML as it looks, without links, pictures, styles and scripts", async () => {
    const mail = await readMail(
      raw(
        ["Subject: Offer", "Content-Type: text/html"],
        [
          "<html><head><title>T</title><style>p {color: red}</style></head>",
          "Before<body><h1>Save &pound;5</h1><script>track()</script><!-- hidden -->",
          '<p>Click <a href="http://example.org">here</a><img src="x.gif" alt="x">',
          "now&nbsp;!<br>Yes.</body>after",
        ],
      ),
    );
    expect(mail.text.split(/\n+/)).toEqual(["Before", "Save £5", "Click here now !", "Yes.", "after"]);
  });

  test("takes HTML that calls itself plain text for what it is", async () => {
    const mail = await readMail(raw(["Content-Type: text/plain"], ["", "<HTML><BODY>Buy <B>now</B></BODY></HTML>"]));
    expect(mail.text).toBe("Buy now");
    const plain = await readMail(raw(["Content-Type: text/plain"], ["Use <b> and <p> for that."]));
    expect(plain.text).toBe("Use <b> and <p> for that.");
  });

  const parts = (html: string) => [
    "Preamble",
    "--=-1",
    "Content-Type: multipart/alternative; boundary=2",
    "",
    "--2",
    "Content-Type: text/plain",
    "",
    "The plain version",
    "--2",
    "Content-Type: text/html",
    "",
    html,
    "--2--",
    "--=-1",
    'Content-Type: text/plain; name="notes.txt"',
    "Content-Disposition: attachment",
    "",
    "Attached",
    "--=-1--",
  ];

  test("shows the HTML version of alternatives and drops attachments", async () => {
    const mail = await readMail(
      raw(['Content-Type: multipart/mixed; boundary="=-1"'], parts("<b>The rich version</b>")),
    );
    expect(mail.text).toBe("The rich version");
  });

  test("shows the plain version where the HTML one is all pictures", async () => {
    const mail = await readMail(raw(['Content-Type: multipart/mixed; boundary="=-1"'], parts("<img src=all.gif>")));
    expect(mail.text).toBe("The plain version");
  });

  test.each([
    ["without a Content-Type", "MIME-Version: 1.0", ""],
    [
      "under another boundary than declared",
      "Content-Type: multipart/alternative; boundary=other",
      "This is a MIME mail.",
    ],
  ])("finds the parts of a multipart mail %s", async (_, header, preamble) => {
    const mail = await readMail(
      raw(
        [header],
        [
          preamble,
          "--abc",
          "Content-Type: text/plain",
          "",
          "plain",
          "--abc",
          "Content-Type: text/html",
          "",
          "<p>rich",
          "--abc--",
        ],
      ),
    );
    expect(mail.text).toBe("rich");
  });

  test.each([
    ["nothing", [], "Zo\xeb: \x80 5"],
    ["a text part without charset", ["Content-Type: text/plain;", "\tformat=flowed"], "Zo\xeb: \x80 5"],
  ])("assumes windows-1252 for 8-bit mails that declare %s", async (_, header, body) => {
    expect(await readMail(raw(["Subject: Zo\xeb", ...header], [body]))).toMatchObject({
      subject: "Zoë",
      text: "Zoë: € 5",
    });
  });

  test("keeps UTF-8 that nothing declares, and takes a raw subject to be in the body's charset", async () => {
    const bytes = (text: string) => Buffer.from(text).toString("latin1");
    expect((await readMail(raw([], [bytes("Grüße")]))).text).toBe("Grüße");
    const mail = await readMail(
      raw(["Subject: \xc4\xe3\xba\xc3", "Content-Type: text/plain; charset=gb2312"], ["\xba\xc3"]),
    );
    expect(mail).toMatchObject({ subject: "你好", text: "好" });
  });

  test("collects identifiers, but no addresses", async () => {
    const mail = await readMail(
      raw(
        [
          "Message-ID: <3@x.org>",
          "In-Reply-To: Message from Ann <ann@x.org>",
          '\tof "Mon, 1 Jul 2002" <2@x.org>',
          "References: <1@x.org>",
          "\t<2@x.org>",
        ],
        ["Hi"],
      ),
    );
    expect(mail.messageIds).toEqual(["<3@x.org>", "<2@x.org>", "<1@x.org>", "<2@x.org>"]);
  });
});

describe("threads", () => {
  test.each([
    ["Re: [ILUG] Re[2]: Fwd: Disks  and more", "disks and more"],
    ["FW: AW: hello (fwd)", "hello"],
    ["Regarding: forward", "regarding: forward"],
    ["Re: ", ""],
  ])("topicOf(%j) is %j", (subject, topic) => {
    expect(topicOf(subject)).toBe(topic);
  });

  const words = (from: number, to: number) =>
    Array.from(
      { length: to - from },
      (_, i) => `w${"abcdefghij"[Math.floor((from + i) / 10)]}${"abcdefghij"[(from + i) % 10]}`,
    ).join(" ");

  test("link mails through identifiers, subjects and copied bodies", () => {
    const mail = (id: string, fields: { subject?: string; text?: string; messageIds?: string[] }) => ({
      id,
      subject: "",
      text: "",
      messageIds: [],
      ...fields,
    });
    const threads = threadsOf([
      mail("a", { messageIds: ["<1>"], subject: "Disks" }),
      mail("b", { messageIds: ["<2>"], subject: "Cats", text: words(0, 60) }),
      mail("c", { messageIds: ["<3>", "<missing>"] }),
      mail("d", { messageIds: ["<4>", "<1>"], subject: "Something else" }),
      mail("e", { messageIds: ["<5>", "<missing>"] }),
      mail("f", { messageIds: ["<6>"], subject: "RE: something  Else" }),
      mail("g", { messageIds: ["<7>"], subject: "Dogs", text: `Dear 4711, ${words(5, 60)}` }),
      mail("h", { messageIds: ["<8>"], subject: "" }),
    ]);
    expect(threads).toEqual(["a", "b", "c", "a", "c", "a", "b", "h"]);
  });

  test("call texts copies from a third of shared word runs on, and never short ones", () => {
    expect(nearDuplicates([words(0, 60), words(20, 80), words(60, 99)])).toEqual([[0, 1]]);
    expect(nearDuplicates([words(0, 14), words(0, 14)])).toEqual([]);
    expect(nearDuplicates([`${words(0, 40)}\n`, words(40, 80), `> ${words(0, 40)}\n${words(40, 80)}`])).toEqual([
      [1, 2],
    ]);
    expect(nearDuplicates([])).toEqual([]);
  });

  test("do not link what everybody appends", () => {
    const footer = words(0, 30);
    expect(nearDuplicates(Array.from({ length: 31 }, () => footer))).toEqual([]);
    expect(nearDuplicates(Array.from({ length: 30 }, () => footer))).toHaveLength((30 * 29) / 2);
  });
});

/** Every thread is in one part. */
function expectThreadsWhole(split: Split<Pick<Mail, "thread">>): void {
  const partOf = new Map<string, string>();
  for (const part of PARTS) {
    for (const { thread } of split[part]) {
      expect(partOf.get(thread) ?? part).toBe(part);
      partOf.set(thread, part);
    }
  }
}

describe("splitMails", () => {
  const threads = fc.array(fc.record({ size: fc.integer({ min: 1, max: 5 }), spam: fc.boolean() }), { maxLength: 200 });
  const mailsOf = (threads: { size: number; spam: boolean }[]) =>
    threads.flatMap(({ size, spam }, thread) =>
      Array.from({ length: size }, (_, i): Pick<Mail, "id" | "label" | "thread"> => {
        return { id: `${thread}/${i}`, label: spam ? "spam" : "ham", thread: `${thread}` };
      }),
    );

  test("keeps all mails and whole threads, in any order of mails", () => {
    fc.assert(
      fc.property(threads, (threads) => {
        const mails = mailsOf(threads);
        const split = splitMails(mails);
        expect(new Set(PARTS.flatMap((part) => split[part]))).toEqual(new Set(mails));
        expectThreadsWhole(split);
        expect(splitMails(mails.toReversed())).toEqual(split);
      }),
    );
  });

  test("misses no share by more than a thread of each label", () => {
    fc.assert(
      fc.property(threads, (threads) => {
        const mails = mailsOf(threads);
        const split = splitMails(mails);
        for (const label of ["ham", "spam"]) {
          const total = mails.filter((mail) => mail.label === label).length;
          const count = (part: (typeof PARTS)[number]) => split[part].filter((mail) => mail.label === label).length;
          expect(Math.abs(count("train") - 0.7 * total)).toBeLessThanOrEqual(5);
          expect(Math.abs(count("dev") - 0.1 * total)).toBeLessThanOrEqual(5);
          expect(Math.abs(count("test") - 0.2 * total)).toBeLessThanOrEqual(5);
        }
      }),
    );
  });
});

describe("the corpus", () => {
  let corpus: Corpus;
  let split: Split<Mail>;
  const progress: [number, number][] = [];
  beforeAll(async () => {
    corpus = await readMails((read, files) => progress.push([read, files]));
    split = splitMails(corpus.mails);
  }, 60_000);
  const textOf = (id: string) => corpus.mails.find((mail) => mail.id === id)!.text;

  test("is read whole, with progress", () => {
    expect(corpus.counts).toEqual({ files: 6046, unreadable: 0, empty: 0, duplicates: 130 });
    expect(corpus.mails).toHaveLength(6046 - 130);
    expect(progress[0]).toEqual([0, 6046]);
    expect(progress.at(-1)).toEqual([6046, 6046]);
  });

  test("reads as text: few undecodable letters, tags or transport headers", () => {
    const having = (pattern: RegExp) => corpus.mails.filter((mail) => pattern.test(fullText(mail))).length;
    expect(having(/\ufffd/)).toBeLessThan(10); // damaged when they were sent
    expect(having(/[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]/)).toBe(0); // what windows-1252 has letters for
    expect(having(/^\s*\S.*\s+(?:Received|Delivered-To|List-Id|X-Mailer): /)).toBeLessThan(5);
    expect(having(/<\/(?:td|font|table|body)>/i)).toBeLessThan(25); // mails about HTML, and spam that failed
  });

  test.each([
    ["spam-1/00001", "Save up to 70% on Life Insurance. Why Spend More Than You Have To?"], // quoted-printable HTML
    ["spam-1/00035", "요즘 뜨는 직종"], // ks_c_5601-1987
    ["spam-2/00737", "改善掉髮"], // big5 declared by <meta> alone
    ["spam-2/00008", "Thank you for your interest! Judgment Courses offers"], // HTML without Content-Type
    ["spam-2/00044", "Your Membership Exchange, Issue #423 June 28, 2001 Your place to exchange ideas"], // multipart without Content-Type
    ["hard-ham-1/00234", "so we’ve speeded up the site"], // windows-1252 punctuation
  ])("reads %s as a person does", (id, text) => {
    expect(textOf(id).replace(/\s+/g, " ")).toContain(text);
  });

  test("is split 70/10/20 at equal rates of spam, no thread twice", () => {
    expectThreadsWhole(split);
    const spamRate = (mails: Mail[]) => mails.filter(({ label }) => label === "spam").length / mails.length;
    const shares = [
      ["train", 0.7],
      ["dev", 0.1],
      ["test", 0.2],
    ] as const;
    for (const [part, share] of shares) {
      expect(Math.abs(split[part].length / corpus.mails.length - share)).toBeLessThan(0.01);
      expect(Math.abs(spamRate(split[part]) - spamRate(corpus.mails))).toBeLessThan(0.01);
    }
  });

  test("is split the same every time", () => {
    expect(splitMails(corpus.mails.toReversed())).toEqual(split);
    expect(split.test.slice(0, 3).map(({ id }) => id)).toEqual([
      "easy-ham-2/01069",
      "easy-ham-1/01737",
      "easy-ham-1/01045",
    ]);
  });

  test("is written as JSON Lines", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cloze-mails-"));
    try {
      await writeSplit(split, join(folder, "data"));
      for (const part of PARTS) {
        const lines = (await readFile(join(folder, "data", `${part}.jsonl`), "utf8")).split("\n");
        expect(lines.pop()).toBe("");
        const expected = split[part].map(({ subject, text, label }) => ({ text: `${subject}\n\n${text}`, label }));
        expect(lines.map((line): unknown => JSON.parse(line))).toEqual(expected);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("has baselines worth beating", () => {
    const { majority, naiveBayes } = measureBaselines(split);
    const ham = split.test.filter(({ label }) => label === "ham").length / split.test.length;
    expect(majority.accuracy).toBeCloseTo(ham, 12);
    expect(majority.mcc).toBe(0);
    expect(naiveBayes.accuracy).toBeGreaterThan(0.96);
    expect(naiveBayes.labels[1].f1).toBeGreaterThan(0.94);
  });
});
