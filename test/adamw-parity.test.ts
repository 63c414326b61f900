import { it } from "vitest";
import { AdamW } from "../src/optim/adamw.ts";
import { expectParity } from "./optimizer-parity.ts";

it("clips and steps as PyTorch does, element by element", async () => {
  await expectParity("adamw", AdamW);
});
