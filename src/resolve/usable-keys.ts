/** Checks each key's usage, then its state, as AWS does, before the operation runs. @module */
import { KmsError } from '../errors.ts'
import { isReplica, keyArn, type KeyRecord } from '../model/key.ts'
import { keyAt } from '../model/key-material.ts'
import { requireState } from '../model/key-state.ts'
import type { KeyUse, Operation } from '../operations/contract/operation.ts'
import type { ResolvedKeys } from './resolved.ts'

/** The usable keys of a call, by the names in its operation, or the error that refuses the call. */
export type UsableKeys =
  | { readonly ok: true; readonly keys: Readonly<Record<string, KeyRecord>> }
  | {
      readonly ok: false
      /**
       * `InvalidKeyUsageException`, `UnsupportedOperationException`, `DisabledException` or
       * `KMSInvalidStateException`.
       */
      readonly error: unknown
      /** The key that refuses the call by its state. */
      readonly refusing?: KeyRecord
    }

/** @param now milliseconds since the epoch, at which states are evaluated */
export function usableKeys(
  operation: Operation,
  resolved: ResolvedKeys,
  partition: string,
  now: number,
): UsableKeys {
  const keys: Record<string, KeyRecord> = {}
  for (const [name, { known, use }] of resolved.keys) {
    if (known === undefined) throw new Error(`${operation.name}: a hidden key was authorized`)
    const record = keyAt(known.record, now)
    try {
      requireUsable(record, use, operation, partition)
    } catch (error) {
      return { ok: false, error, ...(!use.states.includes(record.state) && { refusing: record }) }
    }
    keys[name] = record
  }
  return { ok: true, keys }
}

function requireUsable(
  record: KeyRecord,
  use: KeyUse,
  operation: Operation,
  partition: string,
): void {
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
  requireState(arn, record.state, use.states)
}
