/**
 * The one place the version is written.
 *
 * @module
 */

export const VERSION = "0.1.0";
