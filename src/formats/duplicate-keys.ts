/**
 * The first key that a JSON text gives twice within one object, or undefined. `JSON.parse` keeps the last of them
 * silently; RFC 8259 only asks that names be unique.
 *
 * @param json valid JSON, which `JSON.parse` has accepted
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // the keys seen in each open object; undefined for a list
  let isKey = false; // whether a string here would be a key
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case "{":
        open.push(new Set());
        isKey = true;
        break;
      case "[":
        open.push(undefined);
        isKey = false;
        break;
      case "}":
      case "]":
        open.pop();
        isKey = false;
        break;
      case ",":
        isKey = open.at(-1) !== undefined;
        break;
      case ":":
        isKey = false;
        break;
      case '"': {
        const end = endOfString(json, at);
        if (isKey) {
          const key: string = JSON.parse(json.slice(at, end));
          const keys = open.at(-1);
          if (keys?.has(key)) return key;
          keys?.add(key);
        }
        at = end - 1;
      }
    }
  }
}

/** The index behind the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}
