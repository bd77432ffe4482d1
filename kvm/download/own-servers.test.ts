import { isOwnServer } from './own-servers.js';

describe('isOwnServer', () => {
  it.each([
    ['http://images.example/x', ['images.example'], true],
    ['http://IMAGES.example/x', ['images.example'], true],
    ['http://images.example:8080/x', ['images.example'], true],
    ['http://images.example:8080/x', ['images.example:8080'], true],
    ['http://images.example/x', ['images.example:80'], true],
    ['https://images.example/x', ['images.example:443'], true],
    ['https://images.example/x', ['images.example:80'], false],
    ['http://my-images.example/x', ['images.example'], false],
    ['http://images.example.evil.example/x', ['images.example'], false],
    ['http://10.1.2.3/x', ['10.0.0.0/8'], true],
    ['http://11.1.2.3/x', ['10.0.0.0/8'], false],
    ['http://10.1.2.3/x', ['10.1.2.3'], true],
    ['http://[fd00::5]/x', ['fd00::/8'], true],
    ['http://[fd00::5]:81/x', ['fd00::5'], true],
    ['http://[::ffff:10.1.2.3]/x', ['10.0.0.0/8'], true],
    ['http://10.1.2.3/x', ['fd00::/8'], false],
    // A name may resolve to anything: only the name itself counts.
    ['http://images.example/x', ['0.0.0.0/0'], false],
    ['http://images.example/x', [], false],
    ['http://images.example/x', ['nonsense/99'], false],
  ])('%s among %j: %s', (url, ownServers, isOwn) => {
    expect(isOwnServer(new URL(url), ownServers)).toBe(isOwn);
  });
});
