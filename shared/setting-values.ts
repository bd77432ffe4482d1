import ipaddr from 'ipaddr.js';
import { settingEntry, type SettingName } from './settings.js';

/**
 * What a setting holds after `text` was given for it, in the one form that is stored: `TRUE` is `true`, `05` is `5`.
 *
 * @returns undefined when the setting cannot hold it; `allowedValues` says what it can
 */
export function parseSetting(name: SettingName, text: string): string | undefined {
  const entry = settingEntry(name);
  const trimmed = text.trim();
  switch (entry.type) {
    case 'integer':
    case 'decimal': {
      const isNumber = entry.type === 'integer' ? /^-?\d{1,15}$/ : /^-?\d{1,15}(?:\.\d{1,6})?$/;
      const value = Number(trimmed);
      return isNumber.test(trimmed) && value >= entry.min && value <= entry.max ? String(value) : undefined;
    }
    case 'boolean': {
      const word = trimmed.toLowerCase();
      return word === 'true' || word === 'false' ? word : undefined;
    }
    case 'cidrs':
      return parseList(trimmed, isCidr);
    case 'servers':
      return parseList(trimmed, isServer);
    case 'countryCodes':
      return parseList(trimmed, (item) => /^[a-z]{2}$/i.test(item));
  }
}

/** Follows "has to be". */
export function allowedValues(name: SettingName): string {
  const entry = settingEntry(name);
  switch (entry.type) {
    case 'integer':
    case 'decimal': {
      const what = entry.type === 'integer' ? 'a whole number' : 'a number';
      return `${what} from ${entry.min} to ${entry.max}${entry.unit ? ` (${entry.unit})` : ''}`;
    }
    case 'boolean':
      return 'true or false';
    case 'cidrs':
      return 'empty, or CIDRs and IP addresses with commas between them, as 10.0.0.0/8,fd00::/8';
    case 'servers':
      return 'empty, or host names, host:port pairs and CIDRs with commas between them, as mirror.example,10.0.0.0/8';
    case 'countryCodes':
      return 'empty, or two-letter country codes with commas between them, as de,at';
  }
}

function parseList(text: string, isAllowed: (item: string) => boolean): string | undefined {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return items.every(isAllowed) ? items.join(',') : undefined;
}

/**
 * Stricter than the parser of the URL policy, which takes short and octal IPv4 too: `10` would be let through as
 * 0.0.0.10, and the operator who meant 10.0.0.0/8 would look for the fault elsewhere.
 */
function isCidr(text: string): boolean {
  const [, address = '', digits = '0'] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = Number(digits);
  return (isIpv4(address) && bits <= 32) || (ipaddr.IPv6.isValid(address) && bits <= 128);
}

const isIpv4 = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text);

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i;

function isHost(text: string): boolean {
  if (isIpv4(text)) return true;
  const labels = text.split('.');
  // A last label of digits only is an IPv4 address that is none, as 10.0.0.300: no URL leads there.
  return text.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

function isServer(text: string): boolean {
  if (isCidr(text)) return true;
  const [, host = '', port = '1'] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  return isHost(host) && Number(port) >= 1 && Number(port) <= 65_535;
}
