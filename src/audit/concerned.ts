/** What a call is about, as its record names it. @module */
import { aliasArn, keyArn } from '../model/key.ts'
import type { ResolvedCall } from '../resolve/resolve.ts'
import type { Audited } from './record.ts'

export function concerned(
  resolved: ResolvedCall,
  partition: string,
): { resources: Audited['resources']; keyArns: Readonly<Record<string, string>> } {
  const { alias, assumed } = resolved
  const resources: { arn: string; accountId: string; type?: string }[] = []
  if (alias) resources.push({ arn: aliasArn(partition, alias), accountId: alias.accountId })
  // Only of one that there is: the caller named the ARN.
  if (assumed?.known) {
    resources.push({ arn: assumed.arn, accountId: assumed.accountId, type: 'AWS::IAM::Role' })
  }
  const keyArns: Record<string, string> = {}
  for (const [name, { known }] of resolved.keys) {
    if (known === undefined) continue
    const arn = keyArn(partition, known.record)
    keyArns[name] = arn
    resources.push({ arn, accountId: known.record.accountId })
  }
  return { resources, keyArns }
}
