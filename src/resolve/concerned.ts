/** The resources that a call concerns, for its audit record. @module */
import { aliasArn, keyArn } from '../model/key.ts'
import type { Concerned } from '../operations/contract/call.ts'
import type { ResolvedNames } from './resolved.ts'

export interface ConcernedResources {
  /** The role, the alias and the keys that exist. */
  readonly resources: readonly Concerned[]
  /** ARNs of the keys by the names of their uses. */
  readonly keyArns: Readonly<Record<string, string>>
}

export function concernedResources(resolved: ResolvedNames, partition: string): ConcernedResources {
  const { alias, assumed } = resolved
  const resources: Concerned[] = []
  if (alias) resources.push({ arn: aliasArn(partition, alias), accountId: alias.accountId })
  // Only a role that exists: the caller chooses the ARN.
  if (assumed?.known) {
    resources.push({ arn: assumed.arn, accountId: assumed.accountId, type: 'AWS::IAM::Role' })
  }
  const keyArns: Record<string, string> = {}
  for (const [name, { known, use, unmade }] of resolved.keys) {
    // Keys that do not exist yet are recorded when they are created.
    if (known === undefined || unmade !== undefined) continue
    const arn = keyArn(partition, known.record)
    keyArns[name] = arn
    // An event on a key in another Region has its record there.
    if (use.region !== undefined) continue
    resources.push({ arn, accountId: known.record.accountId })
  }
  return { resources, keyArns }
}
