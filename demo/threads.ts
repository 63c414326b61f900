import { nearDuplicates } from "./near-duplicates.ts";

/** What grouping needs to know of a mail. */
export interface Threadable {
  id: string;
  subject: string;
  text: string;
  /** Its own Message-ID and those of the mails that it answers. */
  messageIds: readonly string[];
}

/**
 * The thread of each mail, named by the id of the thread's first mail. Two mails share one where a chain of these
 * links joins them: a Message-ID that both name, the same subject, or bodies of largely the same words (the copies of
 * a spam campaign, a forwarded article).
 */
export function threadsOf(mails: readonly Threadable[]): string[] {
  const sets = new DisjointSets(mails.length);
  const firstWith = new Map<string, number>();
  const link = (key: string, mail: number) => {
    const first = firstWith.get(key);
    if (first === undefined) firstWith.set(key, mail);
    else sets.join(first, mail);
  };
  for (const [index, { subject, messageIds }] of mails.entries()) {
    for (const id of messageIds) link(id, index);
    const topic = topicOf(subject);
    if (topic !== "") link(`subject: ${topic}`, index);
  }
  for (const [a, b] of nearDuplicates(mails.map(({ text }) => text))) sets.join(a, b);
  return mails.map((_, index) => mails[sets.find(index)].id);
}

/** What the subjects of a thread have in common: no reply or forward marks, no `[list]` tags, case folded. */
export function topicOf(subject: string): string {
  const topic = subject.toLowerCase().replace(/\s+/g, " ").trim();
  const bare = topic.replace(MARK, "");
  return bare === topic ? topic : topicOf(bare);
}

/** "Re:", "Re[2]:", "Fwd:", "[ILUG]" in front; "(fwd)" behind. German and Swedish replies too. */
const MARK = /^(?:(?:re|fwd?|aw|sv)(?:\[\d+\])? ?:|\[[^\]]*\])|\(fwd\)$/;

/** Union-find with path halving. A set is known by its smallest member. */
class DisjointSets {
  readonly #parent: Uint32Array;

  constructor(size: number) {
    this.#parent = Uint32Array.from({ length: size }, (_, index) => index);
  }

  find(member: number): number {
    let parent = this.#parent[member];
    while (parent !== member) {
      this.#parent[member] = this.#parent[parent];
      member = parent;
      parent = this.#parent[member];
    }
    return member;
  }

  join(a: number, b: number): void {
    const [rootA, rootB] = [this.find(a), this.find(b)];
    this.#parent[Math.max(rootA, rootB)] = Math.min(rootA, rootB);
  }
}
