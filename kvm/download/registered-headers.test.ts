import { createHash } from 'node:crypto';
import { metalinkDocument } from '../../demo/origin-server.js';
import { probe } from './probe.js';
import { DownloadBench, testSettings } from './test-support.js';

const TOKEN = 'Bearer only-for-the-origin';
const CONTENT = Buffer.from('an image');

/** Two servers at one address: another port is another origin. */
let bench: DownloadBench;
beforeEach(async () => {
  bench = await DownloadBench.start();
});
afterEach(() => bench.stop());

const registeredAt = (path: string) => ({
  url: `${bench.origin.url}${path}`,
  headers: [['Authorization', TOKEN]] as [string, string][],
});

const probeAt = (path: string) =>
  probe(`${bench.origin.url}${path}`, 'RAW', testSettings(), {
    signal: new AbortController().signal,
    registered: registeredAt(path),
  });

/** What came with each request for a path: the token, or nothing. */
function tokensAt(server: DownloadBench['origin'], path: string): (string | undefined)[] {
  const { requests, authorizations } = server.statistics(path);
  expect(requests).toBeGreaterThan(0);
  return authorizations.length === 0 ? [] : Array.from({ length: requests }, (_, index) => authorizations[index]);
}

const onlyTokens = (tokens: (string | undefined)[]) => {
  expect(tokens).not.toEqual([]);
  expect(tokens.filter((token) => token !== TOKEN)).toEqual([]);
};

describe('headers of a template', () => {
  it('go with the probe and with the download', async () => {
    bench.origin.serve('/disk', { content: CONTENT });
    await probeAt('/disk');
    onlyTokens(tokensAt(bench.origin, '/disk'));
    bench.origin.serve('/download', { content: CONTENT });
    const sources = [`${bench.origin.url}/download`];
    await bench.download({ sources }, { registered: registeredAt('/elsewhere') });
    onlyTokens(tokensAt(bench.origin, '/download'));
  });

  it('do not follow a redirect to another origin, and do follow one at home', async () => {
    const location = `${bench.mirror.url}/away`;
    bench.origin.serve('/disk', { content: '', status: { code: 302, headers: { location: '/home' } } });
    bench.origin.serve('/home', { content: '', status: { code: 307, headers: { location } } });
    bench.mirror.serve('/away', { content: CONTENT });
    await probeAt('/disk');
    onlyTokens(tokensAt(bench.origin, '/disk'));
    onlyTokens(tokensAt(bench.origin, '/home'));
    expect(tokensAt(bench.mirror, '/away')).toEqual([]);
    const sources = [`${bench.origin.url}/disk`];
    await bench.download({ sources }, { registered: registeredAt('/disk') });
    expect(tokensAt(bench.mirror, '/away')).toEqual([]);
  });

  it('are sent home by a mirror that redirects there, and not to the mirror', async () => {
    const target = `${bench.origin.url}/target`;
    bench.mirror.serve('/disk', { content: '', status: { code: 302, headers: { location: target } } });
    bench.origin.serve('/target', { content: CONTENT });
    await bench.download({ sources: [`${bench.mirror.url}/disk`] }, { registered: registeredAt('/disk') });
    expect(tokensAt(bench.mirror, '/disk')).toEqual([]);
    onlyTokens(tokensAt(bench.origin, '/target'));
  });

  it('go with a metalink and its mirrors at home, and with no mirror elsewhere', async () => {
    const [home, away] = [`${bench.origin.url}/home`, `${bench.mirror.url}/away`];
    const document = metalinkDocument({
      name: 'disk.raw',
      sizeBytes: CONTENT.length,
      sha256: createHash('sha256').update(CONTENT).digest('hex'),
      mirrors: [{ url: away }, { url: home }],
    });
    bench.origin.serve('/disk.meta4', { content: document, contentType: 'application/metalink4+xml' });
    bench.origin.serve('/home', { content: CONTENT });
    bench.mirror.serve('/away', { content: CONTENT });
    expect(await probeAt('/disk.meta4')).toMatchObject({ isMetalink: true });
    onlyTokens(tokensAt(bench.origin, '/disk.meta4'));
    onlyTokens(tokensAt(bench.origin, '/home'));
    expect(tokensAt(bench.mirror, '/away')).toEqual([]);
  });
});
