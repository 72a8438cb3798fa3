/** The prime of Curve25519. */
const P = 2n ** 255n - 19n;
/** The constant of edwards25519: -121665/121666. */
const D = mod(-121665n * power(121666n, P - 2n));

/**
 * Whether 32 bytes decode to a point of edwards25519 (RFC 8032 §5.1.3). Node takes any 32 bytes for a key and then finds
 * every signature wrong; the original says that the key is.
 */
export function isCurvePoint(bytes: Uint8Array): boolean {
  const encoded = Buffer.from(bytes).reverse();
  const y = mod(BigInt(`0x${encoded.toString('hex')}`) & (2n ** 255n - 1n));
  const square = mod((y * y - 1n) * power(mod(D * y * y + 1n), P - 2n));
  return square === 0n || power(square, (P - 1n) / 2n) === 1n;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = mod(result * factor);
    factor = mod(factor * factor);
  }
  return result;
}
