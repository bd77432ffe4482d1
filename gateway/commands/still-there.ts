import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';

/**
 * What a call has made or changed, read again to be shown.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE when somebody has deleted it since
 */
export function stillThere<Row>(row: Row | undefined, id: string, { command }: Pick<CommandContext, 'command'>): Row {
  if (row === undefined) throw noSuchEntity(command, 'id', id);
  return row;
}
