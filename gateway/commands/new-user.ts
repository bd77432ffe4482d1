import type { NewUser } from '../../db/users.js';
import { invalid } from '../protocol/invalid.js';
import { required, string } from '../protocol/parameters.js';

/** What createAccount and createUser say of a user. */
export const newUserParameters = {
  username: required(string('Name to log in with.')),
  password: required(string('Password. Send it in a form, not in the query.')),
  firstname: required(string('First name.')),
  lastname: required(string('Last name.')),
  email: required(string('E-mail address.')),
  timezone: string('Time zone; kept and shown.'),
};

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function newUserOf({ username, password, firstname, lastname, email, timezone }: NewUser): NewUser {
  return { username: userName(username), password: passwordOf(password), firstname, lastname, email, timezone };
}

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function userName(text: string): string {
  const name = text.trim();
  if (name === '') throw invalid('Parameter username may not be blank');
  return name;
}

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function passwordOf(text: string): string {
  if (text.trim() === '') throw invalid('Password cannot be empty or blank.');
  return text;
}
