/** Step 7, before the operation runs: each key's usage, then its state, as AWS checks them. @module */
import { KmsError } from '../errors.ts'
import { isReplica, keyArn, type KeyRecord } from '../model/key.ts'
import { keyAt } from '../model/key-material.ts'
import { requireState } from '../model/key-state.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { Resolved } from './resolved.ts'

/**
 * The keys of a call by the names under which its operation declares them, as they are at `now`.
 * @param onRefusing hears of the key whose state does not allow the call
 * @throws {KmsError} `InvalidKeyUsageException`, `UnsupportedOperationException`, `DisabledException`,
 *   `KMSInvalidStateException`
 */
export function usableKeys(
  operation: Operation,
  resolved: Resolved,
  partition: string,
  now: number,
  onRefusing: (key: KeyRecord) => void,
): Readonly<Record<string, KeyRecord>> {
  const keys: Record<string, KeyRecord> = {}
  for (const [name, { known, use }] of resolved.keys) {
    if (known === undefined) throw new Error(`${operation.name}: a hidden key was authorized`)
    const record = keyAt(known.record, now)
    const arn = keyArn(partition, record)
    if (use.usage !== undefined && record.usage !== use.usage) {
      throw new KmsError(
        'InvalidKeyUsageException',
        `${arn} key usage is ${record.usage} which is not valid for ${use.usedFor ?? operation.name}.`,
      )
    }
    if (use.noReplica === true && isReplica(record)) {
      const message = `${arn} is not a multi-region primary key.`
      throw new KmsError('UnsupportedOperationException', message)
    }
    if (!use.states.includes(record.state)) onRefusing(record)
    requireState(arn, record.state, use.states)
    keys[name] = record
  }
  return keys
}
