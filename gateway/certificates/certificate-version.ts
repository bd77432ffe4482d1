const CONTEXT_0 = 0xa0;

/** The X.509 version of a certificate in DER (RFC 5280, section 4.1.2.1): 1 when the field is absent. */
export function certificateVersion(der: Buffer): number {
  const certificate = contentOf(der, 0);
  const fields = contentOf(der, certificate);
  return der[fields] === CONTEXT_0 ? der[contentOf(der, contentOf(der, fields))]! + 1 : 1;
}

/** Where the content of the element at `offset` begins, behind its tag and its length. */
function contentOf(der: Buffer, offset: number): number {
  const length = der[offset + 1]!;
  return offset + 2 + (length < 0x80 ? 0 : length & 0x7f);
}
