/**
 * Ids of deletion tasks. A UUID authenticates its task and the result, so that nothing is stored: 4 bytes
 * are random, the rest is a MAC over them, the task and the result.
 * @module
 */
import { timingSafeEqual } from 'node:crypto'
import { canonicalRow } from '../crypto/canonical.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Random } from '../model/clock.ts'
import { taskEnds, type DeletionTasks, type TaskEnd } from './contract/deletion-task.ts'

const nonceBytes = 4
const idBytes = 16

export function createDeletionTasks(
  keyring: Pick<Keyring, 'tagsOfRow'>,
  random: Pick<Random, 'bytes'>,
): DeletionTasks {
  /**
   * The id under each domain key, newest first: a task may be older than the newest. It is a version 4
   * UUID: 6 bits are fixed, 90 bits come from the MAC.
   */
  const idsOf = (scope: string, end: TaskEnd, nonce: Uint8Array): readonly Buffer[] => {
    const text = canonicalRow('iam deletion task', { scope, end, nonce })
    return keyring.tagsOfRow(text).map((tag) => {
      const id = Buffer.concat([nonce, tag.subarray(-(idBytes - nonceBytes))])
      id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x40, 6)
      id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8)
      return id
    })
  }
  return {
    begin: (scope, end) => {
      const [id = Buffer.alloc(idBytes)] = idsOf(scope, end, random.bytes(nonceBytes))
      return uuidText(id)
    },
    endOf(scope, uuid) {
      const given = Buffer.from(uuid.replaceAll('-', ''), 'hex')
      if (given.length !== idBytes || uuidText(given) !== uuid) return undefined
      const nonce = given.subarray(0, nonceBytes)
      return taskEnds.find((end) =>
        idsOf(scope, end, nonce).some((id) => timingSafeEqual(id, given)),
      )
    },
  }
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  const cuts = [0, 8, 12, 16, 20, 32]
  return cuts
    .slice(1)
    .map((end, index) => hex.slice(cuts[index], end))
    .join('-')
}
