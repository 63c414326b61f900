import fc from "fast-check";
import { expect, test } from "vitest";
import { findDuplicateKey } from "./duplicate-keys.ts";

test.each([
  ['{"a":1,"a":2}', "a"],
  ['{"a":1,"\\u0061":2}', "a"],
  ['{"":1,"":2}', ""],
  ['{"a":{"b":1, "c":[{}], "b" : 2}}', "b"],
  ['[{"a":1},{"b":[{"c":1,"d":{},"c":2}]}]', "c"],
  ['{"a\\"b":1,"x":"\\\\","a\\"b":2}', 'a"b'],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
])("%s has %j twice", (json, key) => {
  expect(() => JSON.parse(json)).not.toThrow();
  expect(findDuplicateKey(json)).toBe(key);
});

test.each([
  "1",
  '"a"',
  '["a","a"]',
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}},"b":{"a":1}}',
  '[{"a":1},{"a":1}]',
  '{"a":["b","b",{"b":1}],"b":"{\\"b\\":1,\\"b\\":2}"}',
  '{"a":"\\\\","b":"\\"","c":1}',
])("%s has none twice", (json) => {
  expect(() => JSON.parse(json)).not.toThrow();
  expect(findDuplicateKey(json)).toBeUndefined();
});

test("nothing that JSON.stringify writes has a key twice", () => {
  fc.assert(fc.property(fc.json(), (json) => findDuplicateKey(json) === undefined));
});

test("a long and deep text is no trouble", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  expect(findDuplicateKey(`{"a":"${"x".repeat(5_000_000)}","b":${deep},"a":1}`)).toBe("a");
});
