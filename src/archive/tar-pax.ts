/**
 * Reads the records of a PAX extended header, `LENGTH KEY=VALUE\n` each. A record that does not add up ends the reading
 * without a complaint, as in the original (package spec §2.5).
 */
export function parsePax(body: Buffer): ReadonlyMap<string, Buffer> {
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < body.length) {
    const blank = body.indexOf(0x20, at);
    const length = blank === -1 ? Number.NaN : Number(body.toString('latin1', at, blank));
    const end = at + length;
    if (!Number.isInteger(length) || end <= blank + 1 || end > body.length || body[end - 1] !== 0x0a) break;
    const equals = body.indexOf(0x3d, blank);
    if (equals === -1 || equals >= end) break;
    records.set(body.toString('utf8', blank + 1, equals), Buffer.from(body.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}
