import type { Parameter, ParameterType } from './parameters.js';
import { unsupportedParameter } from './standard-texts.js';

interface Undone {
  type: ParameterType;
  since?: string;
  /** Characters, where CloudStack takes more than 255. */
  maxLength?: number;
  /** The value that asks for what happens anyway. */
  harmless?: string;
}

type Declared<Declarations> = { [Name in keyof Declarations]: Parameter<undefined> };

function declare<Declarations extends Record<string, Undone>>(
  declarations: Declarations,
  make: (declaration: Undone) => Pick<Parameter<undefined>, 'description' | 'read'>,
): Declared<Declarations> {
  const entries = Object.entries(declarations).map(([name, declaration]) => [
    name,
    {
      type: declaration.type,
      since: declaration.since,
      isRequired: false,
      maxLength: declaration.maxLength ?? 255,
      ...make(declaration),
    },
  ]);
  return Object.fromEntries(entries) as Declared<Declarations>;
}

/**
 * CloudStack's parameters that Slipway does not have yet and that would change the outcome. A call that gives one is
 * refused: to ignore it would do something else than was asked for. For a boolean, `false` is harmless unless
 * declared otherwise.
 */
export const unsupported = <Declarations extends Record<string, Undone>>(declarations: Declarations) =>
  declare(declarations, ({ type, harmless = type === 'boolean' ? 'false' : undefined }) => ({
    description: `Not supported yet: a call that gives it${harmless ? ` with another value than ${harmless}` : ''} is refused.`,
    read(parameters, name, command) {
      if (!parameters.has(name)) return undefined;
      // A map has no value of its own: undefined here, and never harmless.
      const text = parameters.get(name)?.toLowerCase();
      const isHarmless = text === '' || (text !== undefined && text === harmless);
      if (!isHarmless) throw unsupportedParameter(command, name);
      return undefined;
    },
  }));

/** CloudStack's parameters that only say how much a response holds, or that every value of fits here. */
export const withoutEffect = <Declarations extends Record<string, Undone>>(declarations: Declarations) =>
  declare(declarations, () => ({ description: 'Accepted; it has no effect.', read: () => undefined }));
