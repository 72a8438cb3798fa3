/** The checksum of bzip2, one entry a byte value: CRC-32, most significant bit first, polynomial 0x04c11db7. */
export const CRC_OF_BYTE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
