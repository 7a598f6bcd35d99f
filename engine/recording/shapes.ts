/**
 * Checks of plain data that came out of a file. Pure.
 *
 * @module
 */

/** Yields the value when it is what is wanted. @throws {TypeError} */
export type Shape<Value> = (value: unknown) => Value;

/** A finite number. */
export function aNumber(value: unknown): number {
  if (typeof value === "number") return value;
  throw new TypeError(`Expected a number, got ${typeof value}`);
}

/** A text. */
export function aText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`Expected a text, got ${typeof value}`);
}

/** True or false. */
export function aFlag(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`Expected true or false, got ${typeof value}`);
}

/** A list of them. */
export function aList<Value>(of: Shape<Value>): Shape<readonly Value[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new TypeError(`Expected a list, got ${typeof value}`);
    return value.map((item) => of(item));
  };
}

/** One of them, or nothing. */
export function maybe<Value>(of: Shape<Value>): Shape<Value | undefined> {
  return (value) => value === undefined || value === null ? undefined : of(value);
}

/** One of them; `otherwise` where the recording is older than the question. */
export function orElse<Value>(of: Shape<Value>, otherwise: Value): Shape<Value> {
  return (value) => value === undefined || value === null ? otherwise : of(value);
}

/** A set of them, written as a list. */
export function aSet<Value>(of: Shape<Value>): Shape<ReadonlySet<Value>> {
  const list = aList(of);
  return (value) => new Set(list(value));
}

/** One of these texts. */
export function oneOf<const Choices extends readonly string[]>(choices: Choices): Shape<Choices[number]> {
  return (value) => {
    const choice: Choices[number] | undefined = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    throw new TypeError(`Expected one of ${choices.join(", ")}, got ${String(value)}`);
  };
}

/** A record of texts to them. */
export function aTable<Value>(of: Shape<Value>): Shape<Readonly<Record<string, Value>>> {
  return (value) => Object.fromEntries(Object.entries(anObject(value)).map(([key, item]) => [key, of(item)]));
}

/** An object with these members, in the order it has them; others are left out. */
export function anObjectOf<Members extends Readonly<Record<string, unknown>>>(
  members: { readonly [Name in keyof Members]: Shape<Members[Name]> },
): Shape<Members> {
  const shapes = new Map(Object.entries<Shape<unknown>>(members));
  return (value) => {
    const object = anObject(value);
    const present = Object.keys(object).filter((name) => shapes.has(name));
    const names = new Set([...present, ...shapes.keys()]);
    const entries = Array.from(names, (name) => [name, shapes.get(name)?.(object[name])] as const);
    return Object.fromEntries(entries) as Members; // every member went through its shape
  };
}

function anObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`Expected an object, got ${value === null ? "null" : typeof value}`);
}
