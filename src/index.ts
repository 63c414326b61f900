export { ClozeError, type ErrorCode } from "./base/errors.ts";
