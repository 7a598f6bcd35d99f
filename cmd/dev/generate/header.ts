/**
 * What the layout's header declares (pure). Types come from BTF; only their
 * names, and the constants, which BTF does not carry, are taken from the text.
 *
 * @module
 */

export interface HeaderDeclarations {
  /** Structs and enums, in the order of the header. */
  readonly names: readonly string[];
  /** `#define PT_X 1` */
  readonly constants: readonly { readonly name: string; readonly value: number }[];
}

const DECLARATION = /^(?:struct|enum) (pt_\w+) \{/gm;
const CONSTANT = /^#define (PT_\w+) (0x[0-9a-fA-F]+|\d+)\s*(?:\/\*.*)?$/gm;

/** Yields what `text`, a C header in the kernel's style, declares. */
export function readHeader(text: string): HeaderDeclarations {
  return {
    names: [...text.matchAll(DECLARATION)].map(([, name = ""]) => name),
    constants: [...text.matchAll(CONSTANT)].map(([, name = "", value = ""]) => ({ name, value: Number(value) })),
  };
}

/** One map, with the names of its types: "pt_wait_key", "u32". */
export interface TableDeclaration {
  readonly name: string;
  readonly key: string;
  readonly value: string;
}

const TABLE = /^struct \{([^}]*)\} (\w+) SEC\("\.maps"\);$/gm;
const TABLE_TYPE = /__type\((key|value), (?:struct )?(\w+)\);/g;

/** Yields the maps in `text` that say both their types; rings and stacks have none. */
export function readTables(text: string): readonly TableDeclaration[] {
  return [...text.matchAll(TABLE)].flatMap(([, body = "", name = ""]) => {
    const types = new Map([...body.matchAll(TABLE_TYPE)].map(([, role = "", type = ""]) => [role, type]));
    const key = types.get("key");
    const value = types.get("value");
    return key === undefined || value === undefined ? [] : [{ name, key, value }];
  });
}
