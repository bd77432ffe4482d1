import { allowedValues, parseSetting } from './setting-values.js';
import { SETTING_NAMES, type SettingName, SETTINGS } from './settings.js';

it.each(SETTING_NAMES)('%s can hold its default', (name) => {
  expect(parseSetting(name, SETTINGS[name].defaultValue)).toBe(SETTINGS[name].defaultValue);
});

const INTEGER = 'direct.download.own.server.connections';
const DECIMAL = 'storage.overprovisioning.factor';
const BOOLEAN = 'store.download.follow.redirects';
const CIDRS = 'secstorage.allowed.internal.sites';
const SERVERS = 'direct.download.own.servers';
const COUNTRIES = 'direct.download.mirror.locations';

it.each<[SettingName, string, string]>([
  [INTEGER, '1', '1'],
  [INTEGER, '16', '16'],
  [INTEGER, ' 05 ', '5'],
  ['direct.download.bandwidth.host', '0', '0'],
  [DECIMAL, '1', '1'],
  [DECIMAL, '1.50', '1.5'],
  [BOOLEAN, 'TRUE', 'true'],
  [BOOLEAN, 'false', 'false'],
  [CIDRS, '', ''],
  [CIDRS, '127.0.0.0/8, ::1/128,10.1.2.3,', '127.0.0.0/8,::1/128,10.1.2.3'],
  [
    SERVERS,
    'mirror.example, Files_1.example:8080,10.0.0.0/8,fd00::1',
    'mirror.example,Files_1.example:8080,10.0.0.0/8,fd00::1',
  ],
  [SERVERS, 'localhost,10.0.0.1:80', 'localhost,10.0.0.1:80'],
  [COUNTRIES, 'DE, at', 'DE,at'],
])('%s takes %j', (name, text, expected) => {
  expect(parseSetting(name, text)).toBe(expected);
});

it.each<[SettingName, string]>([
  [INTEGER, ''],
  [INTEGER, '0'],
  [INTEGER, '17'],
  [INTEGER, '-1'],
  [INTEGER, '+1'],
  [INTEGER, '1.5'],
  [INTEGER, '1e1'],
  [INTEGER, '0x8'],
  [INTEGER, '8 s'],
  [INTEGER, 'NaN'],
  ['direct.download.bandwidth.host', '-1'],
  ['direct.download.bandwidth.host', '99999999999999999999'],
  ['direct.download.socket.timeout', '0'],
  ['direct.download.total.timeout', '2147484'],
  [DECIMAL, '0.5'],
  [DECIMAL, 'Infinity'],
  [DECIMAL, '1,5'],
  [BOOLEAN, ''],
  [BOOLEAN, 'yes'],
  [CIDRS, 'private'],
  [CIDRS, '10'],
  [CIDRS, '10.0/8'],
  [CIDRS, '010.0.0.0/8'],
  [CIDRS, '10.0.0.0/33'],
  [CIDRS, '10.0.0.0/'],
  [CIDRS, 'fe80::1%eth0'],
  [CIDRS, '::/129'],
  [CIDRS, '10.0.0.0/8 192.168.0.0/16'],
  [SERVERS, 'https://mirror.example'],
  [SERVERS, 'mirror.example/images'],
  [SERVERS, 'mirror.example:0'],
  [SERVERS, 'mirror.example:65536'],
  [SERVERS, 'mirror..example'],
  [SERVERS, '10.0.0.300'],
  [SERVERS, '10.0.0.0/33'],
  [SERVERS, '*.example'],
  [COUNTRIES, 'deu'],
  [COUNTRIES, 'd1'],
])('%s does not take %j', (name, text) => {
  expect(parseSetting(name, text)).toBeUndefined();
});

it('says what a number may be, with its unit', () => {
  expect(allowedValues('direct.download.socket.timeout')).toBe('a whole number from 100 to 3600000 (ms)');
  expect(allowedValues(DECIMAL)).toBe('a number from 1 to 100');
});
