import type { ResponseBody, ResponseValue } from './envelope.js';

interface FieldTypes {
  string: string;
  integer: number;
  long: number;
  boolean: boolean;
  date: string;
  list: readonly ResponseValue[];
  map: ResponseBody;
  object: ResponseBody;
}

/** One key of a response, as listApis and the documentation show it. */
export interface Field<Type extends keyof FieldTypes = keyof FieldTypes> {
  type: Type;
  description: string;
  /** Keys of the elements of a list. */
  fields?: Fields;
}

export type Fields = Readonly<Record<string, Field>>;

/** A response that has declared keys only. */
export type ResponseOf<Declared extends Fields> = {
  [Name in keyof Declared]?: FieldTypes[Declared[Name]['type']] | null;
};

export const field = <Type extends keyof FieldTypes>(
  type: Type,
  description: string,
  fields?: Fields,
): Field<Type> => ({
  type,
  description,
  fields,
});
