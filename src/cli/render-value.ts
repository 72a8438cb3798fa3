/**
 * A result as one line of JSON. What JSON cannot hold is written in a form of its own, so that nothing is lost in
 * silence: integers beyond 2^53 as digits, bytes as `{"$bytes": base64}`, non-finite numbers as `{"$float": "nan"}`.
 */
export function renderValue(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify({ $float: floatName(value) });
  if (ArrayBuffer.isView(value)) return JSON.stringify({ $bytes: base64(value) });
  if (Array.isArray(value)) return `[${value.map((item) => renderValue(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${renderValue(member)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

function floatName(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

function base64(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');
}
