import { it } from "vitest";
import { Lamb } from "../src/optim/lamb.ts";
import { expectParity } from "./optimizer-parity.ts";

it("clips and steps as the paper's algorithm does, element by element", async () => {
  await expectParity("lamb", Lamb);
});
