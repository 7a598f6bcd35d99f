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
