/**
 * A strict reader of RFC 4180, written against the grammar and nothing of ours:
 * what it refuses is no CSV.
 *
 * @module
 */

/**
 * Yields the records of `text`, all of one length.
 *
 * @throws {SyntaxError} Where the text leaves the grammar: a bare CR, LF or quote, a ragged record, no CRLF at the end
 */
export function parseStrictCsv(text: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    const [field, end] = text[at] === '"' ? quotedField(text, at) : bareField(text, at);
    record.push(field);
    at = end;
    if (text[at] === ",") {
      at++;
      if (at === text.length) throw new SyntaxError(`Cannot read CSV: a comma ends it at ${at}`);
      continue;
    }
    if (text.slice(at, at + 2) !== "\r\n") throw new SyntaxError(`Cannot read CSV: expected , or CRLF at ${at}`);
    at += 2;
    records.push(record);
    record = [];
  }
  const columns = records[0]?.length ?? 0;
  const ragged = records.findIndex((fields) => fields.length !== columns);
  if (ragged >= 0) throw new SyntaxError(`Cannot read CSV: record ${ragged} has not ${columns} fields`);
  return records;
}

function quotedField(text: string, begin: number): readonly [field: string, end: number] {
  let field = "";
  for (let at = begin + 1; at < text.length; at++) {
    if (text[at] !== '"') {
      field += text[at];
    } else if (text[at + 1] === '"') {
      field += '"';
      at++;
    } else {
      return [field, at + 1];
    }
  }
  throw new SyntaxError(`Cannot read CSV: the quote at ${begin} is never closed`);
}

/** Ends before the next comma or CR; empty is a field too. */
function bareField(text: string, begin: number): readonly [field: string, end: number] {
  let end = begin;
  while (end < text.length && text[end] !== "," && text[end] !== "\r") {
    if (text[end] === '"' || text[end] === "\n") throw new SyntaxError(`Cannot read CSV: a bare quote or LF at ${end}`);
    end++;
  }
  return [text.slice(begin, end), end];
}
