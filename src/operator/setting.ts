/** The settings of the operator door: where its socket is, and which group may use it. @module */
import { resolve } from 'node:path'
import { SettingWrong } from '../webhooks/webhook-settings.ts'

export interface DoorSettings {
  /** Absolute path of the directory of `operator.sock`. */
  readonly operatorDirectory: string
  /** Name or number of the group whose members may call, besides the server's own user and root. */
  readonly operatorGroup?: string
}

export const doorNames = ['TRENT_OPERATOR_DIR', 'TRENT_OPERATOR_GROUP'] as const
type Settings = Readonly<Partial<Record<(typeof doorNames)[number], string>>>

/**
 * @param dataDirectory where the socket is by default
 * @throws {SettingWrong}
 */
export function readDoorSettings(settings: Settings, dataDirectory: string): DoorSettings {
  const { TRENT_OPERATOR_DIR: directory, TRENT_OPERATOR_GROUP: group } = settings
  if (directory !== undefined && /\p{Cc}/u.test(directory)) {
    throw new SettingWrong('TRENT_OPERATOR_DIR must not hold control characters')
  }
  const operatorDirectory = resolve(directory ?? dataDirectory)
  if (group === undefined) return { operatorDirectory }
  if (!/^(?:[A-Za-z_][\w.-]{0,31}|\d{1,10})$/.test(group)) {
    throw new SettingWrong('TRENT_OPERATOR_GROUP must be the name or the number of a group')
  }
  if (operatorDirectory === dataDirectory) {
    throw new SettingWrong(
      'TRENT_OPERATOR_GROUP needs TRENT_OPERATOR_DIR: a group does not enter the data directory',
    )
  }
  return { operatorDirectory, operatorGroup: group }
}
