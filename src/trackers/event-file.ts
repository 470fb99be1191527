/**
 * TensorBoard's event files: Event messages of Protocol Buffers as TFRecords. A record is its length (uint64), the
 * length's masked CRC-32C, the message, and the message's masked CRC-32C, all little-endian.
 */

export interface Scalar {
  readonly tag: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly step: number;
  readonly value: number;
}

/** An event file's content. */
export function eventFile(scalars: readonly Scalar[]): Buffer {
  const start = scalars[0]?.time ?? 0;
  const version = message([double(1, start), bytes(3, Buffer.from("brain.Event:2"))]);
  return Buffer.concat([version, ...scalars.map(scalarEvent)].map(record));
}

function scalarEvent({ tag, time, step, value }: Scalar): Buffer {
  const entry = message([bytes(1, Buffer.from(tag)), float(2, value)]);
  return message([double(1, time), Buffer.concat([varint(2 << 3), varint(step)]), bytes(5, bytes(1, entry))]);
}

function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]);
}

function message(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

function double(field: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return Buffer.concat([varint((field << 3) | 1), data]);
}

function float(field: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), data]);
}

function bytes(field: number, data: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
}

function varint(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) + 128);
  return Buffer.from([...digits, rest]);
}

function maskedCrc(data: Uint8Array): Buffer {
  const crc = crc32c(data);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const result = Buffer.alloc(4);
  result.writeUInt32LE(masked);
  return result;
}

/** Castagnoli's polynomial, reversed. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
