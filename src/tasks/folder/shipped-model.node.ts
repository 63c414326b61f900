import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the pre-trained English model that comes with this package; see its README.md. */
export const SHIPPED_MODEL = fileURLToPath(new URL("../../../models/cloze-mini-en", import.meta.url));

/** Its name, in records that have to hold wherever the package lies. */
export const SHIPPED_NAME = basename(SHIPPED_MODEL);
