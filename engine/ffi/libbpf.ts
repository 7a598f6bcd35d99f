/**
 * libbpf, opened: one table of every symbol with its prototype and the version
 * that introduced it (src/libbpf.map of libbpf).
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { type EmbeddedLibrary, type LibraryChain, openChain } from "./embedded_libraries.ts";
import { checkedReturn, ForeignCallError } from "./errors.ts";
import type { Libc } from "./libc.ts";
import { OwnedFd } from "./libc.ts";
import type { OwnerRegistry } from "./owners.ts";

/**
 * Functions returning `int` return a negative error number themselves;
 * functions returning a pointer return NULL and set errno (libbpf 1.0 on).
 */
const SYMBOLS = {
  /** `const char *libbpf_version_string(void);` 0.6 */
  libbpf_version_string: { parameters: [], result: "pointer" },
  /** `libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn);` 0.0.1; NULL mutes */
  libbpf_set_print: { parameters: ["pointer"], result: "pointer" },
  /** `int libbpf_num_possible_cpus(void);` 0.0.4 */
  libbpf_num_possible_cpus: { parameters: [], result: "i32" },

  /** `struct bpf_object *bpf_object__open_mem(const void *obj_buf, size_t obj_buf_sz, const struct bpf_object_open_opts *opts);` 0.0.6 */
  bpf_object__open_mem: { parameters: ["buffer", "usize", "buffer"], result: "pointer" },
  /** `int bpf_object__load(struct bpf_object *obj);` 0.0.1 */
  bpf_object__load: { parameters: ["pointer"], result: "i32" },
  /** `void bpf_object__close(struct bpf_object *obj);` 0.0.1 */
  bpf_object__close: { parameters: ["pointer"], result: "void" },
  /** `struct bpf_program *bpf_object__next_program(const struct bpf_object *obj, struct bpf_program *prog);` 0.6 */
  bpf_object__next_program: { parameters: ["pointer", "pointer"], result: "pointer" },
  /** `struct bpf_map *bpf_object__next_map(const struct bpf_object *obj, const struct bpf_map *map);` 0.6 */
  bpf_object__next_map: { parameters: ["pointer", "pointer"], result: "pointer" },

  /** `const char *bpf_map__name(const struct bpf_map *map);` 0.0.1 */
  bpf_map__name: { parameters: ["pointer"], result: "pointer" },
  /** `int bpf_map__fd(const struct bpf_map *map);` 0.0.1 */
  bpf_map__fd: { parameters: ["pointer"], result: "i32" },
  /** `enum bpf_map_type bpf_map__type(const struct bpf_map *map);` 0.1 */
  bpf_map__type: { parameters: ["pointer"], result: "u32" },
  /** `__u32 bpf_map__key_size(const struct bpf_map *map);` 0.1 */
  bpf_map__key_size: { parameters: ["pointer"], result: "u32" },
  /** `__u32 bpf_map__value_size(const struct bpf_map *map);` 0.1 */
  bpf_map__value_size: { parameters: ["pointer"], result: "u32" },
  /** `__u32 bpf_map__max_entries(const struct bpf_map *map);` 0.1 */
  bpf_map__max_entries: { parameters: ["pointer"], result: "u32" },
  /** `int bpf_map__set_max_entries(struct bpf_map *map, __u32 max_entries);` 0.1 */
  bpf_map__set_max_entries: { parameters: ["pointer", "u32"], result: "i32" },
  /** `int bpf_map__set_autocreate(struct bpf_map *map, bool autocreate);` 0.8 */
  bpf_map__set_autocreate: { parameters: ["pointer", "bool"], result: "i32" },
  /** `int bpf_map__set_initial_value(struct bpf_map *map, const void *data, size_t size);` 0.0.8 */
  bpf_map__set_initial_value: { parameters: ["pointer", "buffer", "usize"], result: "i32" },

  /** `const char *bpf_program__name(const struct bpf_program *prog);` 0.0.7 */
  bpf_program__name: { parameters: ["pointer"], result: "pointer" },
  /** `const char *bpf_program__section_name(const struct bpf_program *prog);` 0.2 */
  bpf_program__section_name: { parameters: ["pointer"], result: "pointer" },
  /** `int bpf_program__fd(const struct bpf_program *prog);` 0.0.1 */
  bpf_program__fd: { parameters: ["pointer"], result: "i32" },
  /** `bool bpf_program__autoload(const struct bpf_program *prog);` 0.1 */
  bpf_program__autoload: { parameters: ["pointer"], result: "bool" },
  /** `int bpf_program__set_autoload(struct bpf_program *prog, bool autoload);` 0.1 */
  bpf_program__set_autoload: { parameters: ["pointer", "bool"], result: "i32" },
  /** `int bpf_program__set_log_buf(struct bpf_program *prog, char *log_buf, size_t log_size);` 0.7 */
  bpf_program__set_log_buf: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  /** `int bpf_program__set_log_level(struct bpf_program *prog, __u32 log_level);` 0.7 */
  bpf_program__set_log_level: { parameters: ["pointer", "u32"], result: "i32" },
  /** `struct bpf_link *bpf_program__attach(const struct bpf_program *prog);` 0.0.7 */
  bpf_program__attach: { parameters: ["pointer"], result: "pointer" },
  /** `struct bpf_link *bpf_program__attach_perf_event(const struct bpf_program *prog, int pfd);` 0.0.4 */
  bpf_program__attach_perf_event: { parameters: ["pointer", "i32"], result: "pointer" },
  /** `struct bpf_link *bpf_program__attach_iter(const struct bpf_program *prog, const struct bpf_iter_attach_opts *opts);` 0.0.9 */
  bpf_program__attach_iter: { parameters: ["pointer", "pointer"], result: "pointer" },

  /** `int bpf_link__fd(const struct bpf_link *link);` 0.0.8 */
  bpf_link__fd: { parameters: ["pointer"], result: "i32" },
  /** `int bpf_link__destroy(struct bpf_link *link);` 0.0.4 */
  bpf_link__destroy: { parameters: ["pointer"], result: "i32" },

  /** `struct btf *btf__load_vmlinux_btf(void);` 0.5 */
  btf__load_vmlinux_btf: { parameters: [], result: "pointer" },
  /** `__s32 btf__find_by_name_kind(const struct btf *btf, const char *type_name, __u32 kind);` 0.0.6 */
  btf__find_by_name_kind: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  /** `void btf__free(struct btf *btf);` 0.0.1 */
  btf__free: { parameters: ["pointer"], result: "void" },

  /** `int bpf_iter_create(int link_fd);` 0.0.9 */
  bpf_iter_create: { parameters: ["i32"], result: "i32" },
  /** `int bpf_enable_stats(enum bpf_stats_type type);` 0.0.9 */
  bpf_enable_stats: { parameters: ["u32"], result: "i32" },
  /** `int bpf_obj_get_info_by_fd(int bpf_fd, void *info, __u32 *info_len);` 0.0.1 */
  bpf_obj_get_info_by_fd: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /** `int bpf_prog_test_run_opts(int prog_fd, struct bpf_test_run_opts *opts);` 0.2 */
  bpf_prog_test_run_opts: { parameters: ["i32", "buffer"], result: "i32" },

  /** `int bpf_map_lookup_elem(int fd, const void *key, void *value);` 0.0.1 */
  bpf_map_lookup_elem: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /** `int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);` 0.0.1 */
  bpf_map_update_elem: { parameters: ["i32", "buffer", "buffer", "u64"], result: "i32" },
  /** `int bpf_map_delete_elem(int fd, const void *key);` 0.0.1 */
  bpf_map_delete_elem: { parameters: ["i32", "buffer"], result: "i32" },
  /** `int bpf_map_get_next_key(int fd, const void *key, void *next_key);` 0.0.1; NULL key: the first */
  bpf_map_get_next_key: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /**
   * `int bpf_map_lookup_batch(int fd, void *in_batch, void *out_batch, void *keys,
   * void *values, __u32 *count, const struct bpf_map_batch_opts *opts);` 0.0.7
   */
  bpf_map_lookup_batch: {
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer", "buffer", "pointer"],
    result: "i32",
  },
  /** `int bpf_map_delete_batch(int fd, const void *keys, __u32 *count, const struct bpf_map_batch_opts *opts);` 0.0.7 */
  bpf_map_delete_batch: { parameters: ["i32", "buffer", "buffer", "pointer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What the owners call; a unit test hands in functions of its own. */
export type LibbpfSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** `struct bpf_object *` */
export type BpfObjectHandle = Deno.PointerObject<"bpf_object">;
/** `struct bpf_program *` */
export type BpfProgramHandle = Deno.PointerObject<"bpf_program">;
/** `struct bpf_map *` */
export type BpfMapHandle = Deno.PointerObject<"bpf_map">;
/** `struct bpf_link *` */
export type BpfLinkHandle = Deno.PointerObject<"bpf_link">;

/** `struct btf *` */
export type BtfHandle = Deno.PointerObject<"btf">;

/** Where the system keeps it, most particular last. */
const LIBRARY_PATHS: readonly string[] = [
  "libbpf.so.1",
  "/usr/lib/x86_64-linux-gnu/libbpf.so.1",
  "/usr/lib/aarch64-linux-gnu/libbpf.so.1",
  "/usr/lib64/libbpf.so.1",
  "/usr/local/lib/libbpf.so.1",
  "/usr/local/lib64/libbpf.so.1",
];

const BPF_STATS_RUN_TIME = 0;

/** Where an opened library came from: out of this program, or the path it was opened by. */
export type LibraryOrigin = { readonly kind: "embedded" } | { readonly kind: "system"; readonly path: string };

/** What a `Libbpf` is made of. */
export interface LibbpfParts {
  readonly libc: Libc;
  readonly origin: LibraryOrigin;
  /** Held until the library is closed. */
  readonly chain?: LibraryChain;
}

/** The opened library. Dispose every object made with it first. */
export class Libbpf implements Disposable {
  readonly symbols: LibbpfSymbols;
  readonly libc: Libc;
  readonly registry: OwnerRegistry;
  /** "v1.1" */
  readonly version: string;
  readonly origin: LibraryOrigin;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #chain: LibraryChain | undefined;
  #isClosed = false;

  constructor(library: Deno.DynamicLibrary<typeof SYMBOLS>, parts: LibbpfParts) {
    this.#library = library;
    this.#chain = parts.chain;
    this.symbols = library.symbols;
    this.libc = parts.libc;
    this.origin = parts.origin;
    this.registry = parts.libc.registry;
    this.symbols.libbpf_set_print(null);
    this.version = readCString(this.symbols.libbpf_version_string());
  }

  /**
   * The handle a function returned, unless it returned NULL.
   *
   * @throws {ForeignCallError} With the errno, which is read right here
   */
  handle<Handle extends Deno.PointerObject>(pointer: Deno.PointerValue, symbol: string, detail?: string): Handle {
    if (pointer === null) {
      const errno = this.libc.errno();
      throw new ForeignCallError(symbol, errno, detail === undefined ? {} : { detail });
    }
    return pointer as Handle;
  }

  /** CPUs that may ever come online: how many values a per-CPU map holds per key. @throws {ForeignCallError} */
  possibleCpuCount(): number {
    return checkedReturn(this.symbols.libbpf_num_possible_cpus(), "libbpf_num_possible_cpus");
  }

  /** The kernel measures every BPF program's run time until this is disposed. @throws {ForeignCallError} EPERM without CAP_SYS_ADMIN */
  enableRunTimeStats(): OwnedFd {
    const fd = checkedReturn(this.symbols.bpf_enable_stats(BPF_STATS_RUN_TIME), "bpf_enable_stats");
    return new OwnedFd(this.libc, fd, "BPF run-time statistics");
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#library.close();
    this.#chain?.[Symbol.dispose]();
  }
}

/** The text at `pointer`; "" for NULL. */
export function readCString(pointer: Deno.PointerValue): string {
  // SAFETY: libbpf's names are NUL-ended and live as long as their object; the text is copied here.
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/**
 * libbpf 1.0 or later: the one this program carries, else the first of `paths` that opens.
 *
 * @param options.embedded libbpf last, before it what it is linked with; none when run from source
 * @throws {EngineError} `library_missing` when none of them opens
 */
export function openLibbpf(
  libc: Libc,
  options: { paths?: readonly string[]; embedded?: readonly EmbeddedLibrary[] } = {},
): Libbpf {
  const paths = options.paths ?? LIBRARY_PATHS;
  const failures: unknown[] = [];
  const embedded = options.embedded ?? [];
  if (embedded.length > 0) {
    try {
      return openEmbedded(libc, embedded);
    } catch (cause) {
      failures.push(cause);
    }
  }
  for (const path of paths) {
    try {
      return new Libbpf(Deno.dlopen(path, SYMBOLS), { libc, origin: { kind: "system", path } });
    } catch (cause) {
      failures.push(cause);
    }
  }
  const carried = failures.length > paths.length ? ` and its own does not open (${messageOf(failures[0])})` : "";
  throw new EngineError(
    "library_missing",
    `Cannot open libbpf: found none of ${paths.length} places${carried}, ` +
      "wanted libbpf.so.1 (Debian: apt-get install libbpf1)",
    { cause: new AggregateError(failures) },
  );
}

function openEmbedded(libc: Libc, embedded: readonly EmbeddedLibrary[]): Libbpf {
  using owners = new DisposableStack();
  const chain = owners.use(openChain(libc, embedded));
  const libbpf = new Libbpf(Deno.dlopen(chain.lastPath, SYMBOLS), { libc, origin: { kind: "embedded" }, chain });
  owners.move();
  return libbpf;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
