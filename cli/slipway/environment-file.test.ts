import { parseEnvironmentFile, renderEnvironmentFile, temporalVariables } from './environment-file.js';

test('what is written is read again, whatever is in it', () => {
  const variables = {
    TEMPORAL_ADDRESS: 'temporal:7233',
    TEMPORAL_API_KEY: 'a "b" \\ $c %d \'e\' #f',
    TEMPORAL_TLS_CLIENT_CERT_DATA: '-----BEGIN\nX="y"\n-----END\n',
    TEMPORAL_ZERO: 'last',
  };
  const text = renderEnvironmentFile(variables);
  expect(text.split('\n')[0]).toBe('TEMPORAL_ADDRESS="temporal:7233"');
  expect(parseEnvironmentFile(text)).toEqual(variables);
});

test('lines of a person are read too', () => {
  expect(parseEnvironmentFile('# ours\nTEMPORAL_ADDRESS=other:7233\n\nno variable\n')).toEqual({
    TEMPORAL_ADDRESS: 'other:7233',
  });
});

test('only what is about Temporal is kept, and only what has a value', () => {
  const environment = { TEMPORAL_ADDRESS: 'a', TEMPORAL_TLS: '', DATABASE_URL: 'postgres://', PATH: '/bin' };
  expect(temporalVariables(environment)).toEqual({ TEMPORAL_ADDRESS: 'a' });
});
