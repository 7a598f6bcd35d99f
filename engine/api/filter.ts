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

/**
 * Categories people know that nothing here fills yet. Asking for one asks for
 * `standIn`, and the report says what is missing.
 */
export const UNCOLLECTED_CATEGORIES = {
  dns: {
    standIn: "net",
    reason: "the names, answers and times of lookups are not collected in this version, what is exchanged with name " +
      "servers is in net",
  },
} as const satisfies Readonly<Record<string, { readonly standIn: FilterCategory; readonly reason: string }>>;

/** One of them. */
export type UncollectedCategory = keyof typeof UNCOLLECTED_CATEGORIES;
