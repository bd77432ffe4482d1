import { writeSettings } from '../../db/settings.js';
import type { SettingValues } from '../../shared/settings.js';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.js';
import { FakeHost, type FakeHostPlace } from './fake-host.js';
import { Scenario } from './scenario.js';

export interface UsedControlPlane {
  /** Empty until it has been started, before the first test. */
  plane: ControlPlane;
  scenario: Scenario;
  /** A host that is Up, and is retired after the test. */
  join: (name: string, place?: FakeHostPlace) => Promise<FakeHost>;
}

/** One control plane for all tests of a file or a group, and hosts that are there for one test each. */
export function useControlPlane(
  options: ControlPlaneOptions & { settings?: Partial<SettingValues> } = {},
): UsedControlPlane {
  const plane = {} as ControlPlane;
  const hosts: FakeHost[] = [];
  beforeAll(async () => {
    Object.assign(plane, await startControlPlane(options));
    await writeSettings(plane.db, options.settings ?? {});
  });
  afterAll(() => plane.stop());
  afterEach(() => Promise.all(hosts.splice(0).map((fake) => fake.retire())));
  return {
    plane,
    scenario: new Scenario(plane),
    async join(name, place) {
      const fake = await FakeHost.join(plane, name, place);
      hosts.push(fake);
      await fake.isStatus('Up');
      return fake;
    },
  };
}
