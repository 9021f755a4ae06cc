/**
 * UnlockKey — `trent break-glass unlock-key`: puts the default key policy in the place of one that locks
 * everybody out. It works in every state of the key, so that a deletion can still be cancelled.
 * @module
 */
import { hash } from 'node:crypto'
import { KmsError } from '../../errors.ts'
import { parseArn } from '../../model/arn.ts'
import { readIdentifier } from '../../model/identifiers.ts'
import { keyArn, type KeyRecord } from '../../model/key.ts'
import { shownCaller } from '../../model/operator.ts'
import { required, text } from '../../model/shape.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import { trentOperation } from './trent-operation.ts'

export interface UnlockedKey {
  readonly keyArn: string
  /** Of the policy that was replaced, hexadecimal. */
  readonly formerPolicySha256: string
}

export const unlockKey = trentOperation<UnlockedKey>()({
  name: 'UnlockKey',
  door: 'operator',
  input: { keyArn: required(text({ min: 20, max: 2048 })) },
  permissions: () => [{ action: 'trent:UnlockKey' }],
  readOnly: false,
  audit: ['keyArn'],
  auditResponse: (unlocked) => ({ ...unlocked }),
  throws: [
    'ValidationException',
    'InvalidArnException',
    'AccessDeniedException',
    'NotFoundException',
    'ServiceUnavailableException',
  ],
  async run(call, { policies, server, ...dependencies }) {
    const { key, partition } = await keyOf(call.input.keyArn, dependencies)
    const { accountId, region, policy: formerPolicy } = key
    const policy = policies.defaultFor(partition, accountId)
    if (formerPolicy === policy) {
      throw new KmsError('ValidationException', 'the key has the default policy already')
    }
    const arn = keyArn(partition, key)
    const operator = shownCaller(call.caller)
    const glass = server.breakGlass({ act: 'unlock-key', accountId, region, arn, operator })
    call.concerning({ arn, accountId })
    const unlocked = await call.commit(async (transaction) => {
      // The default policy names no user and no role.
      await transaction.updateKey(key, { policy, policyPrincipals: {} })
      // Other accounts do not see it, not even the one that gets the operator's own record.
      call.alsoRecords({ eventName: 'UnlockKey', key, details: { operator, formerPolicy } })
      await glass.note(transaction)
      return { keyArn: arn, formerPolicySha256: hash('sha256', formerPolicy) }
    })
    glass.done()
    return unlocked
  },
})

/** @throws {KmsError} unless it is a key that an account manages itself */
async function keyOf(
  given: string,
  { regions, store }: Pick<OperationDependencies, 'regions' | 'store'>,
): Promise<{ readonly key: KeyRecord; readonly partition: string }> {
  const { region = '', accountId = '' } = parseArn(given) ?? {}
  const partition = regions.partitionOf(region)
  if (partition === undefined) throw new KmsError('InvalidArnException', `Invalid arn ${given}`)
  const identifier = readIdentifier(given, 'key', { accountId, region, partition })
  const key = identifier.kind === 'key' ? await store.findKey(identifier.key) : undefined
  if (key === undefined) throw new KmsError('NotFoundException', `There is no key ${given}`)
  if (key.manager === 'AWS') {
    const message = 'nobody can change the policy of an AWS managed key, and it locks nobody out'
    throw new KmsError('ValidationException', message)
  }
  return { key, partition }
}
