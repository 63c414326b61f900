/**
 * The run of `room` tokens, of `length`, that a model should see to judge the tokens [first, last]: these in the
 * middle, or as near to it as the ends of the text allow. All tokens where they fit. `last - first` must be below
 * `room`.
 */
export function windowAround(length: number, first: number, last: number, room: number): [start: number, end: number] {
  if (length <= room) return [0, length];
  const before = Math.floor((room - (last - first + 1)) / 2);
  const start = Math.min(Math.max(0, first - before), length - room);
  return [start, start + room];
}
