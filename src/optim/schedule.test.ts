import { expect, it } from "vitest";
import { linearSchedule } from "./schedule.ts";

it("warms up and decays as get_linear_schedule_with_warmup does", () => {
  const schedule = linearSchedule({ learningRate: 8, warmupSteps: 2, totalSteps: 6 });
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(schedule)).toEqual([0, 4, 8, 6, 4, 2, 0, 0]);
});

it("begins at the full rate without a warm-up", () => {
  const schedule = linearSchedule({ learningRate: 8, warmupSteps: 0, totalSteps: 4 });
  expect([0, 1, 2, 3, 4].map(schedule)).toEqual([8, 6, 4, 2, 0]);
});

it("may be all warm-up", () => {
  const schedule = linearSchedule({ learningRate: 8, warmupSteps: 4, totalSteps: 4 });
  expect([0, 1, 2, 3, 4].map(schedule)).toEqual([0, 2, 4, 6, 0]);
});

it.each([
  { learningRate: -1, warmupSteps: 0, totalSteps: 1 },
  { learningRate: NaN, warmupSteps: 0, totalSteps: 1 },
  { learningRate: 1, warmupSteps: -1, totalSteps: 1 },
  { learningRate: 1, warmupSteps: 0.5, totalSteps: 1 },
  { learningRate: 1, warmupSteps: 2, totalSteps: 1 },
  { learningRate: 1, warmupSteps: 0, totalSteps: 0 },
])("refuses %o", (options) => {
  expect(() => linearSchedule(options)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});
