/**
 * The running kernel's own types, by name: whether it has the place a program
 * attaches to, without asking it to load one.
 *
 * @module
 */

import type { BtfHandle, Libbpf } from "./libbpf.ts";
import { cString } from "./libc.ts";

/** include/uapi/linux/btf.h */
const BTF_KIND_TYPEDEF = 8;

/** The types of vmlinux; modules have their own. */
export class KernelTypes implements Disposable {
  readonly #library: Libbpf;
  readonly #release: () => void;
  #handle: BtfHandle | undefined;

  private constructor(library: Libbpf, handle: BtfHandle) {
    this.#library = library;
    this.#handle = handle;
    this.#release = library.registry("kernel types");
  }

  /** Reads all of them, some 5 MB. @throws {ForeignCallError} When the kernel was built without */
  static open(library: Libbpf): KernelTypes {
    const pointer = library.symbols.btf__load_vmlinux_btf();
    return new KernelTypes(library, library.handle<BtfHandle>(pointer, "btf__load_vmlinux_btf"));
  }

  /** A tracepoint has a typedef of this name (include/trace/bpf_probe.h). */
  hasTracepoint(name: string): boolean {
    if (this.#handle === undefined) throw new TypeError("Cannot ask for kernel types: they are closed, wanted open");
    return this.#library.symbols.btf__find_by_name_kind(this.#handle, cString(`btf_trace_${name}`), BTF_KIND_TYPEDEF) >
      0;
  }

  [Symbol.dispose](): void {
    if (this.#handle === undefined) return;
    const handle = this.#handle;
    this.#handle = undefined;
    this.#release();
    this.#library.symbols.btf__free(handle);
  }
}
