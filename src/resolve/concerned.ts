/** What a call is about, as its audit record names it. @module */
import { aliasArn, keyArn } from '../model/key.ts'
import type { Concerned } from '../operations/contract/call.ts'
import type { ResolvedCall } from './resolved.ts'

/** The role, the alias and the keys that exist, and the keys' ARNs by the names of their uses. */
export function concernedResources(
  resolved: ResolvedCall,
  partition: string,
): { resources: readonly Concerned[]; keyArns: Readonly<Record<string, string>> } {
  const { alias, assumed } = resolved
  const resources: Concerned[] = []
  if (alias) resources.push({ arn: aliasArn(partition, alias), accountId: alias.accountId })
  // Only one that there is: the ARN is the caller's word.
  if (assumed?.known) {
    resources.push({ arn: assumed.arn, accountId: assumed.accountId, type: 'AWS::IAM::Role' })
  }
  const keyArns: Record<string, string> = {}
  for (const [name, { known, use, unmade }] of resolved.keys) {
    // What is not there yet is told of when it is.
    if (known === undefined || unmade !== undefined) continue
    const arn = keyArn(partition, known.record)
    keyArns[name] = arn
    // What happens to a key in another Region has a record there.
    if (use.region !== undefined) continue
    resources.push({ arn, accountId: known.record.accountId })
  }
  return { resources, keyArns }
}
