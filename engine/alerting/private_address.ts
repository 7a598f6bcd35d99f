/**
 * Addresses that lie within a network rather than in the internet.
 *
 * @module
 */

/** Base and prefix length; IANA's special-purpose registries. */
const V4_RANGES: readonly (readonly [base: string, prefixBits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10], // carrier-grade NAT; pods, in some clusters
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // the metadata services of clouds
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Within the first 16 bits. */
const V6_RANGES: readonly (readonly [base: number, prefixBits: number])[] = [
  [0xfc00, 7],
  [0xfe80, 10],
  [0xfec0, 10],
  [0xff00, 8],
];

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Whether `address` is private, link-local, loopback, multicast or reserved; true for what is no address at all. */
export function isPrivateAddress(address: string): boolean {
  const v4 = parseV4(address);
  if (v4 !== undefined) return isPrivateV4(v4);
  const words = parseV6(address);
  if (words === undefined) return true;
  const embedded = embeddedV4(words);
  if (embedded !== undefined) return isPrivateV4(embedded);
  const [first = 0] = words;
  return V6_RANGES.some(([base, bits]) => first >>> (16 - bits) === base >>> (16 - bits));
}

function isPrivateV4(address: number): boolean {
  return V4_RANGES.some(([text, bits]) => {
    const shift = 2 ** (32 - bits);
    return Math.floor(address / shift) === Math.floor((parseV4(text) ?? 0) / shift);
  });
}

function parseV4(text: string): number | undefined {
  const match = V4.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Yields the eight 16-bit words; a zone after % is left out. */
function parseV6(text: string): readonly number[] | undefined {
  // URL is the one parser here that knows every spelling, "::ffff:1.2.3.4" included; it yields the shortest.
  const bare = text.split("%")[0] ?? "";
  const url = `http://[${bare}]/`;
  if (!URL.canParse(url)) return undefined;
  const [head = "", tail] = new URL(url).hostname.slice(1, -1).split("::");
  const headWords = head === "" ? [] : head.split(":");
  const tailWords = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = new Array<string>(8 - headWords.length - tailWords.length).fill("0");
  return [...headWords, ...gap, ...tailWords].map((word) => Number.parseInt(word, 16));
}

/** Of "::1.2.3.4", "::ffff:1.2.3.4" and "64:ff9b::1.2.3.4": who can reach the one reaches the other. */
function embeddedV4(words: readonly number[]): number | undefined {
  const [a, b, c, d, e, f, high = 0, low = 0] = words;
  const isZeroUntilE = [a, b, c, d, e].every((word) => word === 0);
  const isMapped = isZeroUntilE && (f === 0 || f === 0xffff);
  const isTranslated = a === 0x64 && b === 0xff9b && [c, d, e, f].every((word) => word === 0);
  return isMapped || isTranslated ? high * 65_536 + low : undefined;
}
