import { controlEnvironment, hostEnvironment } from './component-environment.js';

const services = {
  databaseUrl: 'postgres://x',
  secretKey: 'key',
  embeddedTemporal: { address: '127.0.0.1:7233', clientConfigPath: '/state/temporal/client.toml' },
};

describe('component environment', () => {
  test('a host worker gets neither the database nor the key, wherever they come from', () => {
    const env = hostEnvironment({ PATH: '/bin', DATABASE_URL: 'postgres://x', SLIPWAY_SECRET_KEY: 'key' }, services);
    expect(env['DATABASE_URL']).toBeUndefined();
    expect(env['SLIPWAY_SECRET_KEY']).toBeUndefined();
    expect(env['PATH']).toBe('/bin');
    expect(env['TEMPORAL_ADDRESS']).toBe('127.0.0.1:7233');
  });

  test('credentials of another Temporal server do not reach the embedded one', () => {
    const env = controlEnvironment({ TEMPORAL_API_KEY: 'secret', TEMPORAL_PROFILE: 'production' }, services);
    expect(env['TEMPORAL_API_KEY']).toBeUndefined();
    expect(env['TEMPORAL_PROFILE']).toBeUndefined();
    expect(env['TEMPORAL_CONFIG_FILE']).toBe('/state/temporal/client.toml');
  });

  test("the operator's own Temporal server is reached with the operator's variables", () => {
    const { embeddedTemporal: _embedded, ...external } = services;
    const env = controlEnvironment({ TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_API_KEY: 'secret' }, external);
    expect(env).toMatchObject({ TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_API_KEY: 'secret' });
  });

  test('control workers and gateways get the database, the key and the address of the web page', () => {
    const env = controlEnvironment({}, { ...services, temporalUiUrl: 'http://127.0.0.1:8233' });
    expect(env).toMatchObject({
      DATABASE_URL: 'postgres://x',
      SLIPWAY_SECRET_KEY: 'key',
      SLIPWAY_TEMPORAL_UI_URL: 'http://127.0.0.1:8233',
    });
  });
});
