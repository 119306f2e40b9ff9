/** DER, as far as certificates need it: a tag, the length, the content. */
export const derTags = {
  ...{ boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, utf8: 0x0c, sequence: 0x30, set: 0x31 },
  ...{ utcTime: 0x17, time: 0x18 },
};

export function sequence(...parts: readonly Buffer[]): Buffer {
  return encodeDer(derTags.sequence, Buffer.concat(parts));
}

export function encodeDer(tag: number, content: Buffer | string): Buffer {
  const body = Buffer.from(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const { length } = body;
  const head = length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

/** `content` is what was signed, `algorithm` how. */
export function toPemCertificate(content: Buffer, algorithm: Buffer, signature: Buffer): string {
  const bits = encodeDer(derTags.bits, Buffer.concat([Buffer.from([0]), signature]));
  const base64 = sequence(content, algorithm, bits)
    .toString('base64')
    .replaceAll(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`;
}
