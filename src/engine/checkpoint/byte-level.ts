/** Byte-level vocabularies: a printable character stands for each byte. */

/**
 * Bytes by the printable character that stands for each in a byte-level vocabulary (Radford et al. 2019, GPT-2's
 * `bytes_to_unicode`).
 */
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = (() => {
  const result = new Map<string, number>();
  let unprintable = 0;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    result.set(String.fromCodePoint(printable ? byte : 256 + unprintable++), byte);
  }
  return result;
})();

/** Bytes of a byte-level token; a token with any other character stands for itself. */
export function byteLevelPiece(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return Buffer.from(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
