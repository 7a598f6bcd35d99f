/**
 * Names of what goes wrong with sockets. The numbers are those of x86-64 and
 * arm64 (include/uapi/asm-generic/errno-base.h, errno.h).
 *
 * @module
 */

import { ERROR_OTHER } from "./file_rows.ts";

/** `PT_ERROR_ABANDONED` of bpf/include/pt_events.h: the program itself gave a connect up. */
const ABANDONED = 4095;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "EPERM"],
  [2, "ENOENT"],
  [5, "EIO"],
  [9, "EBADF"],
  [11, "EAGAIN"],
  [12, "ENOMEM"],
  [13, "EACCES"],
  [14, "EFAULT"],
  [22, "EINVAL"],
  [32, "EPIPE"],
  [88, "ENOTSOCK"],
  [89, "EDESTADDRREQ"],
  [90, "EMSGSIZE"],
  [92, "ENOPROTOOPT"],
  [93, "EPROTONOSUPPORT"],
  [95, "EOPNOTSUPP"],
  [97, "EAFNOSUPPORT"],
  [98, "EADDRINUSE"],
  [99, "EADDRNOTAVAIL"],
  [100, "ENETDOWN"],
  [101, "ENETUNREACH"],
  [103, "ECONNABORTED"],
  [104, "ECONNRESET"],
  [105, "ENOBUFS"],
  [106, "EISCONN"],
  [107, "ENOTCONN"],
  [108, "ESHUTDOWN"],
  [110, "ETIMEDOUT"],
  [111, "ECONNREFUSED"],
  [112, "EHOSTDOWN"],
  [113, "EHOSTUNREACH"],
  [114, "EALREADY"],
  [115, "EINPROGRESS"],
  [125, "ECANCELED"],
  [ABANDONED, "abandoned"],
  [ERROR_OTHER, "other"], // those there was no room to tell apart
]);

/** Yields "ECONNREFUSED", "abandoned", "other", or "errno 133" for one without a name here. */
export function toSocketErrorName(error: number): string {
  return NAMES.get(error) ?? `errno ${error}`;
}
