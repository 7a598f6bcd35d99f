/**
 * What can be asked about: the categories of `--filter`, of live lines, and of
 * the rules behind findings.
 *
 * @module
 */

/** In the order people read them. */
export const FILTER_CATEGORIES = ["time", "net", "fs", "cpu", "mem", "proc", "lock"] as const;

/** One of them. */
export type FilterCategory = (typeof FILTER_CATEGORIES)[number];
