import type { HostRefusal, RankedPlace } from '../planner/rank-hosts.js';
import { claimFirst } from './claim-first.js';

const place = (hostName: string, clusterId: string) =>
  ({ hostId: hostName, hostName, clusterId, hasTemplate: true }) as RankedPlace;

it('tries no other host of a cluster that is full, and says of each why', async () => {
  const places = [place('a1', 'a'), place('a2', 'a'), place('b1', 'b'), place('a3', 'a')];
  const refused: HostRefusal[] = [];
  const tried: string[] = [];
  const taken = await claimFirst({ places, refused }, ({ hostName, clusterId }) => {
    tried.push(hostName);
    return Promise.resolve(clusterId === 'a' ? 'cluster full' : 'place full');
  });
  expect([taken, tried]).toEqual([undefined, ['a1', 'b1', 'b1']]);
  expect(refused.map(({ hostName, reason }) => `${hostName} ${reason}`)).toEqual([
    'a1 is in a cluster that was filled by another deployment',
    'a2 is in a cluster that was filled by another deployment',
    'b1 was filled by another deployment',
    'a3 is in a cluster that was filled by another deployment',
  ]);
});
