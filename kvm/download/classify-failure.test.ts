import { parseRetryAfter, statusFailure, transportFailure } from './classify-failure.js';

const failed = (code: string): Error => Object.assign(new Error(`secret ${code}`), { code });

describe('transportFailure', () => {
  it.each([
    ['ECONNREFUSED', 'SLIPWAY_SOURCE_CONNECT'],
    ['ENOTFOUND', 'SLIPWAY_SOURCE_CONNECT'],
    ['EHOSTUNREACH', 'SLIPWAY_SOURCE_CONNECT'],
    ['SILENT_CONNECT', 'SLIPWAY_SOURCE_TIMEOUT'],
    ['SILENT_ANSWER', 'SLIPWAY_SOURCE_TIMEOUT'],
    ['SILENT_BODY', 'SLIPWAY_SOURCE_TIMEOUT'],
    ['ETIMEDOUT', 'SLIPWAY_SOURCE_TIMEOUT'],
    ['ECONNRESET', 'SLIPWAY_SOURCE_INTERRUPTED'],
    ['HPE_INVALID_CONSTANT', 'SLIPWAY_SOURCE_INTERRUPTED'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SLIPWAY_SOURCE_TLS'],
    ['CERT_HAS_EXPIRED', 'SLIPWAY_SOURCE_TLS'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'SLIPWAY_SOURCE_TLS'],
    ['EPROTO', 'SLIPWAY_SOURCE_TLS'],
  ])('%s is %s', (code, expected) => {
    expect(transportFailure('http://a.example/', failed(code)).code).toBe(expected);
  });

  it('looks inside the failure of a name with several addresses', () => {
    const error = new AggregateError([failed('ECONNREFUSED'), failed('ENETUNREACH')]);
    expect(transportFailure('http://a.example/', error).code).toBe('SLIPWAY_SOURCE_CONNECT');
  });

  it('shows neither the secrets of the URL nor the text of the error', () => {
    const { message } = transportFailure('http://user:secret@a.example/disk?secret#secret', failed('ECONNREFUSED'));
    expect(message).toBe('http://a.example/disk: the connection was refused');
  });
});

describe('statusFailure', () => {
  it.each([
    [404, 'SLIPWAY_SOURCE_HTTP_4XX'],
    [401, 'SLIPWAY_SOURCE_HTTP_4XX'],
    [204, 'SLIPWAY_SOURCE_HTTP_4XX'],
    [429, 'SLIPWAY_SOURCE_HTTP_5XX'],
    [408, 'SLIPWAY_SOURCE_HTTP_5XX'],
    [503, 'SLIPWAY_SOURCE_HTTP_5XX'],
  ])('%d is %s', (status, code) => {
    expect(statusFailure('http://a.example/', status, {}, 0)?.code).toBe(code);
  });

  it('is none for an answer that carries the file', () => {
    expect(statusFailure('http://a.example/', 206, {}, 0)).toBeUndefined();
  });
});

describe('parseRetryAfter', () => {
  const nowMs = Date.parse('Thu, 01 Jan 2026 00:00:00 GMT');
  it.each([
    ['7', 7000],
    ['Thu, 01 Jan 2026 00:00:09 GMT', 9000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (value, expected) => {
    expect(parseRetryAfter(value, nowMs)).toBe(expected);
  });
});
