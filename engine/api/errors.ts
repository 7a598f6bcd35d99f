/**
 * Operating failures of the engine. Bugs throw `AssertionError` instead.
 *
 * @module
 */

/** What a caller may branch on; the message is for people. */
export type EngineErrorCode =
  | "attach_failed"
  | "capability_missing"
  | "host_not_visible"
  | "kernel_unsupported"
  | "layout_mismatch"
  | "library_missing"
  | "object_missing"
  | "object_rejected"
  | "recording_unusable"
  | "ring_corrupt"
  | "target_gone"
  | "target_refused";

/** Message grammar: "Cannot <do> <what>: <found>, <wanted>". */
export class EngineError extends Error {
  override readonly name = "EngineError";
  /** What happened, to branch on. */
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
